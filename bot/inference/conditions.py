"""Completes wishes to conditions, and mixes conditions; draws depend on the seed only."""

from collections.abc import Mapping, Sequence

import numpy as np

from export.manifest import Manifest


def complete_wish(wish: Mapping[str, str], seed: int, manifest: Manifest) -> dict[str, str]:
    """Completes a wish: other attributes are drawn with the frequencies of the training data."""
    conditions = {}
    for index, attribute in enumerate(manifest.attributes):
        if attribute.name in wish:
            conditions[attribute.name] = wish[attribute.name]
        else:
            shares = np.cumsum(attribute.frequencies)
            drawn = np.random.RandomState([seed, index]).random_sample() * shares[-1]
            chosen = min(int(np.searchsorted(shares, drawn, "right")), len(shares) - 1)
            conditions[attribute.name] = attribute.values[chosen]
    return conditions


def mix_conditions(
    a: Mapping[str, str], b: Mapping[str, str], names: Sequence[str], seed: int
) -> dict[str, str]:
    """For each attribute in `names` one of the parents' values, at random.

    If the parents differ in two attributes or more, the child has values of both.
    """
    random = np.random.RandomState([seed, 2])
    from_b = dict(zip(names, random.random_sample(len(names)) < 0.5, strict=True))
    differing = [name for name in names if a[name] != b[name]]
    if len(differing) > 1 and len({bool(from_b[name]) for name in differing}) == 1:
        flipped = differing[random.randint(len(differing))]
        from_b[flipped] = not from_b[flipped]
    return {name: (b if from_b[name] else a)[name] for name in names}

"""The search for a face by choosing: nine faces, then nine that are nearer to the chosen ones.

A search is its wish, its seed and the choices so far. Its faces are computed from them, so that a
search can be stored in a URL or a button, undone and repeated.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bot.inference.latents import slerp
from export.manifest import Attribute, Manifest

FACES = 9  # of one sheet
ROUNDS = 4  # sheets of one search at most

# benchmarks/find.py measures what these values achieve.
ANGLES = (0.85, 0.68, 0.5)  # of the second to fourth sheet: between a face and what it is made from
CENTERED = 5  # faces of a sheet that are near the center of all choices; others vary chosen faces
CONTRAST = 1.0  # weight of the faces that were not chosen, from which the center moves away
INSISTENCE = 3.0  # what a choice adds to the share of its values; before, all shares add up to 1
MUTATION = 0.15  # share of the open values of a variation that are drawn again
TRIES = 4  # latents drawn for each face, of which the one farthest from the others is kept

Choice = tuple[int, ...]
"""Numbers of the faces that were chosen from one sheet, from 1 to FACES, in order."""

_CHOICES = re.compile(rf"[1-{FACES}]{{1,{FACES}}}(\.[1-{FACES}]{{1,{FACES}}})*")


@dataclass(frozen=True, slots=True)
class Search:
    """`model` is the model's name; `seed` is unsigned, with 32 bits; `choices` has one entry for
    each sheet before the current one, at most ROUNDS - 1.
    """

    model: str
    wish: Mapping[str, str]
    seed: int
    choices: tuple[Choice, ...] = ()
    shape: Mapping[str, float] = field(default_factory=dict)
    """Positions of all faces, by direction."""

    @property
    def round(self) -> int:
        """Number of the current sheet, from 1 to ROUNDS."""
        return len(self.choices) + 1

    def nearer(self, choice: Choice) -> "Search":
        """The search after a choice from the current sheet."""
        return replace(self, choices=(*self.choices, choice))

    def undone(self) -> "Search":
        """The search without its last choice."""
        return replace(self, choices=self.choices[:-1])


@dataclass(frozen=True, slots=True)
class Faces:
    """The faces of one sheet: `latents` float32 [FACES, Z], and the `conditions` of each."""

    latents: np.ndarray
    conditions: Sequence[Mapping[str, str]]


def format_choices(choices: Sequence[Choice]) -> str:
    """((1, 3), (2,)) to "13.2"."""
    return ".".join("".join(map(str, choice)) for choice in choices)


def parse_choices(text: str) -> tuple[Choice, ...]:
    """The reverse of `format_choices`. Raises ValueError, also for more than ROUNDS choices."""
    if not text:
        return ()
    if not _CHOICES.fullmatch(text) or text.count(".") >= ROUNDS:
        raise ValueError(f"these are no choices: {text}")
    return tuple(tuple(sorted({int(digit) for digit in part})) for part in text.split("."))


def draw_faces(search: Search, manifest: Manifest) -> Faces:
    """The faces of the current sheet, before they are moved to the search's shape."""
    attributes = manifest.attributes
    shares = {a.name: np.array(a.frequencies) / sum(a.frequencies) for a in attributes}
    center = np.zeros(manifest.latent_dim)
    random = _random(search, 1)
    latents = random.standard_normal((FACES, manifest.latent_dim))
    conditions = _draw_conditions(search.wish, attributes, shares, random)
    for round, choice in enumerate(search.choices, 2):
        chosen = [number - 1 for number in choice]
        center += _direction(latents, chosen)
        _add_choice(shares, attributes, [conditions[i] for i in chosen])
        random = _random(search, round)
        drawn = _draw_conditions(search.wish, attributes, shares, random)
        parents = [(chosen[i % len(chosen)], chosen[(i + 1) % len(chosen)]) for i in range(FACES)]
        bases = [
            _on_shell(center) if i < CENTERED else slerp(latents[a], latents[b], 0.5 * (i % 2))
            for i, (a, b) in enumerate(parents)
        ]
        conditions = [
            drawn[i] if i < CENTERED else _mutated(conditions[a], drawn[i], random)
            for i, (a, _) in enumerate(parents)
        ]
        latents = _perturb_apart(bases, ANGLES[round - 2], random)
    return Faces(latents.astype(np.float32), conditions)


def _random(search: Search, round: int) -> np.random.RandomState:
    # NumPy guarantees the stream of RandomState. The last number sets it apart from other streams.
    return np.random.RandomState([search.seed, round, 4])


def _direction(latents: np.ndarray, chosen: Sequence[int]) -> np.ndarray:
    """From the faces that were not chosen toward those that were: [Z]."""
    others = np.delete(latents, chosen, axis=0)
    away = others.mean(0) if len(others) else np.zeros(latents.shape[1])
    return np.asarray(latents[chosen].mean(0) - CONTRAST * away)


def _on_shell(latent: np.ndarray) -> np.ndarray:
    """The latent with the length of a typical standard normal one."""
    return np.asarray(latent * (np.sqrt(len(latent)) / max(np.linalg.norm(latent), 1e-12)))


def _add_choice(
    shares: Mapping[str, np.ndarray],
    attributes: Sequence[Attribute],
    chosen: Sequence[Mapping[str, str]],
) -> None:
    """Makes the values of the chosen faces likelier."""
    for attribute in attributes:
        for conditions in chosen:
            value = attribute.values.index(conditions[attribute.name])
            shares[attribute.name][value] += INSISTENCE / len(chosen)


def _draw_conditions(
    wish: Mapping[str, str],
    attributes: Sequence[Attribute],
    shares: Mapping[str, np.ndarray],
    random: np.random.RandomState,
) -> list[dict[str, str]]:
    """The wish, completed for each face. Systematic sampling: the values of a sheet have their
    shares as exactly as possible, so that rare ones appear and common ones do not fill it.
    """
    conditions: list[dict[str, str]] = [{} for _ in range(FACES)]
    for attribute in attributes:
        cumulated = np.cumsum(shares[attribute.name])
        positions = (random.permutation(FACES) + random.random_sample()) / FACES * cumulated[-1]
        indices = np.minimum(np.searchsorted(cumulated, positions, "right"), len(cumulated) - 1)
        for face, index in zip(conditions, indices, strict=True):
            face[attribute.name] = wish.get(attribute.name, attribute.values[index])
    return conditions


def _mutated(
    conditions: Mapping[str, str], drawn: Mapping[str, str], random: np.random.RandomState
) -> dict[str, str]:
    """The conditions, of which MUTATION are replaced by the drawn ones."""
    replaced = random.random_sample(len(conditions)) < MUTATION
    pairs = zip(conditions, replaced, strict=True)
    return {name: (drawn if new else conditions)[name] for name, new in pairs}


def _perturb_apart(
    bases: Sequence[np.ndarray], angle: float, random: np.random.RandomState
) -> np.ndarray:
    """One latent at this angle from each base, each of TRIES the farthest from those before it."""
    latents = np.empty((0, len(bases[0])))
    for base in bases:
        drawn = random.standard_normal((TRIES, len(base)))
        tries = np.cos(angle) * base + np.sin(angle) * drawn
        gaps = np.linalg.norm(tries[:, None] - latents, axis=2).min(1, initial=np.inf)
        latents = np.vstack([latents, tries[np.argmax(gaps)]])
    return latents

"""What is painted for a wish: conditions and latents, each drawn from a seed."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from bot.latents import draw_candidates
from export.manifest import Manifest

# How far a variation is from its parent: at 0 it is the same face, at pi / 2 any other one.
VARIATION_ANGLE = 0.6
MIX_ANGLE = 0.4  # the same for a child of two, from the point between them
MIX_WEIGHTS = (0.3, 0.7)  # between which the second parent's share lies


def draw_latent(seed: int, latent_dim: int) -> np.ndarray:
    """float32 [Z], standard normal."""
    return draw_candidates(seed, 1, latent_dim)[0]


def complete_wish(wish: Mapping[str, str], seed: int, manifest: Manifest) -> dict[str, str]:
    """The wish with its open attributes drawn, by the seed, as often as the training data has."""
    conditions = {}
    for index, attribute in enumerate(manifest.attributes):
        if attribute.name in wish:
            conditions[attribute.name] = wish[attribute.name]
        else:
            shares = np.cumsum(attribute.frequencies)
            drawn = np.random.RandomState([seed, index]).random_sample() * shares[-1]
            place = min(int(np.searchsorted(shares, drawn, "right")), len(shares) - 1)
            conditions[attribute.name] = attribute.values[place]
    return conditions


def near(latent: np.ndarray, seed: int, angle: float = VARIATION_ANGLE) -> np.ndarray:
    """A latent float32 [Z] near another one: cos(angle) z + sin(angle) e, with e standard normal.

    If z is standard normal, so is the result: the generator has been trained on its like.
    """
    # not the latent of this seed: that may be the one to vary
    drawn = np.random.RandomState([seed, 3]).standard_normal(len(latent))
    return (np.cos(angle) * latent + np.sin(angle) * drawn).astype(np.float32)


def between(a: np.ndarray, b: np.ndarray, share: np.ndarray | float) -> np.ndarray:
    """Spherical interpolation (Shoemake 1985) of latents [Z] at shares [n] or of a single one:
    float32 [n, Z] or [Z], a at 0 and b at 1.

    A straight line would pass near 0, where no latent of the training lies.
    """
    share = np.asarray(share, np.float64)[..., None]
    cosine = np.dot(a, b) / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-12)
    angle = np.arccos(np.clip(cosine, -1, 1))
    if np.sin(angle) < 1e-6:  # the same direction, or just the opposite one: no arc is shortest
        mixed = (1 - share) * a + share * b
    else:
        mixed = (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)
    return mixed.astype(np.float32)


def mixed_latent(a: np.ndarray, b: np.ndarray, seed: int) -> np.ndarray:
    """A child's latent float32 [Z]: about midway between its parents', and a little its own."""
    share = np.random.RandomState([seed, 1]).uniform(*MIX_WEIGHTS)
    return near(between(a, b, share), seed, MIX_ANGLE)


def mixed_conditions(
    a: Mapping[str, str], b: Mapping[str, str], names: Sequence[str], seed: int
) -> dict[str, str]:
    """Of each attribute in `names` the one or the other parent's value.

    Where the parents differ in two attributes or more, the child has something of both.
    """
    random = np.random.RandomState([seed, 2])
    from_b = dict(zip(names, random.random_sample(len(names)) < 0.5, strict=True))
    differing = [name for name in names if a[name] != b[name]]
    if len(differing) > 1 and len({bool(from_b[name]) for name in differing}) == 1:
        turned = differing[random.randint(len(differing))]
        from_b[turned] = not from_b[turned]
    return {name: (b if from_b[name] else a)[name] for name in names}


def encode_png(image: np.ndarray) -> bytes:
    """uint8 [S, S, 3] RGB to a lossless PNG."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()

import itertools

import numpy as np
import numpy.typing as npt
import pytest

from bot.inference.latents import draw_candidates, draw_latent, mix_latents, perturb, slerp

Z = 96


def angle(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> float:
    return float(np.arccos(np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b)))


def test_the_latents_of_a_seed_do_not_depend_on_their_number() -> None:
    four = draw_candidates(7, 4, 96)
    assert four.shape == (4, 96)
    assert four.dtype == np.float32
    np.testing.assert_array_equal(draw_candidates(7, 2, 96), four[:2])
    single = np.random.RandomState(7).standard_normal(96)
    np.testing.assert_array_equal(four[0], single.astype(np.float32))
    assert len(np.unique(four)) == four.size
    # NumPy guarantees the stream of RandomState
    np.testing.assert_allclose(draw_candidates(0, 1, 3), [[1.7640524, 0.4001572, 0.978738]])


def test_the_largest_seed_can_be_drawn_from() -> None:
    assert np.isfinite(draw_candidates(2**32 - 1, 1, 8)).all()


def test_the_latent_of_a_seed_never_changes() -> None:
    """Members reuse seeds: a change here would change their faces."""
    np.testing.assert_allclose(draw_latent(7, 3), [1.6905257, -0.46593738, 0.03282016], rtol=1e-6)
    assert draw_latent(2**32 - 1, 96).dtype == np.float32


@pytest.mark.parametrize("radians", [0.3, 0.6])
def test_a_perturbed_latent_has_the_angle_and_stays_standard_normal(radians: float) -> None:
    latent = draw_latent(1, 4096)
    family = np.stack([perturb(latent, seed, radians) for seed in range(20)])
    assert family.dtype == np.float32
    assert abs(np.mean([angle(latent, child) for child in family]) - radians) < 0.01
    assert abs(family.std() - 1) < 0.02
    np.testing.assert_array_equal(perturb(latent, 3, radians), perturb(latent, 3, radians))


def test_slerp_follows_the_arc_in_even_steps() -> None:
    a, b = draw_latent(1, 4096), draw_latent(2, 4096)
    arc = slerp(a, b, np.linspace(0, 1, 9))
    assert arc.dtype == np.float32
    np.testing.assert_allclose(arc[[0, -1]], [a, b], atol=1e-5)
    steps = [angle(x, y) for x, y in itertools.pairwise(arc)]
    assert np.ptp(steps) < 0.02
    assert min(np.linalg.norm(arc, axis=1)) > 0.95 * min(np.linalg.norm([a, b], axis=1))
    np.testing.assert_array_equal(slerp(a, b, 0.5), arc[4])


@pytest.mark.parametrize("factor", [1.0, 0.0, -1.0])
def test_slerp_of_collinear_latents_is_finite(factor: float) -> None:
    a = draw_latent(1, Z)
    arc = slerp(a, factor * a, np.linspace(0, 1, 5))
    assert np.isfinite(arc).all()
    np.testing.assert_allclose(arc[[0, -1]], [a, factor * a], atol=1e-5)


def test_a_child_is_near_both_parents_and_differs_from_its_siblings() -> None:
    a, b = draw_latent(1, 4096), draw_latent(2, 4096)
    children = [mix_latents(a, b, seed) for seed in range(20)]
    for child in children:
        assert max(angle(child, a), angle(child, b)) < 1.3 < angle(a, b)
        assert abs(child.std() - 1) < 0.1
    assert min(angle(x, y) for x, y in itertools.pairwise(children)) > 0.3
    np.testing.assert_array_equal(children[3], mix_latents(a, b, 3))

import numpy as np

from bot.latents import draw_candidates


def test_a_seed_keeps_its_faces_however_many_are_drawn() -> None:
    four = draw_candidates(7, 4, 96)
    assert four.shape == (4, 96)
    assert four.dtype == np.float32
    np.testing.assert_array_equal(draw_candidates(7, 2, 96), four[:2])
    alone = np.random.RandomState(7).standard_normal(96)
    np.testing.assert_array_equal(four[0], alone.astype(np.float32))
    assert len(np.unique(four)) == four.size
    # the frozen stream itself, as NumPy's documentation of RandomState promises it
    np.testing.assert_allclose(draw_candidates(0, 1, 3), [[1.7640524, 0.4001572, 0.978738]])


def test_the_largest_seed_can_be_drawn_from() -> None:
    assert np.isfinite(draw_candidates(2**32 - 1, 1, 8)).all()

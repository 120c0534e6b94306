"""The choice of the best candidate."""

import numpy as np

from export.candidates import best_candidate


def test_highest_score_is_chosen_for_each_picture() -> None:
    scores = np.array([[0.1, 0.9, 0.5], [3, -1, 2]], np.float32)
    assert best_candidate(scores).tolist() == [1, 0]


def test_first_candidate_is_chosen_where_scores_differ_after_the_third_decimal() -> None:
    assert best_candidate(np.array([0.5001, 0.5004, 0.4999], np.float32)) == 0

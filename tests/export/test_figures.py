"""Labels, number formats and order of figures."""

from export.figures import highlights, label, meaning, number, ordered

OLD = {"q": 2.3301, "fid": 3.12, "distance_stage1": 0.01, "precision": 0.917, "hair_as_asked": 0.9}


def test_shares_are_percents_and_distances_have_three_digits() -> None:
    assert number("hair_as_asked", 0.98765) == "98.8%"
    assert number("hair_as_asked_unseen", 1.0) == "100.0%"
    assert number("lite2_recall", 0.17) == "17.0%"
    assert number("lite2_fd_ratio", 31.04) == "31"
    assert number("lite2_fd_stride4", 0.012345) == "0.0123"
    assert number("anything", 12345.6) == "12,346"
    assert number("lite2_fd_ratio", None) == ""


def test_labels_of_distances_name_the_network() -> None:
    names = ["lite2_fd_ratio", "lite2_fd_ratio_pooled", "lite2_fd_stride16", "lite2_fd_pooled"]
    assert [label(name) for name in names] == [
        "FD ratio (Lite2)",
        "FD ratio (Lite2, pooled)",
        "FD (Lite2, stride 16)",
        "FD (Lite2, pooled)",
    ]
    assert all(meaning(name) for name in names)


def test_figures_of_the_old_judge_have_labels_without_fid() -> None:
    labels = [label(name) for name in ordered(OLD)]
    assert labels == [
        "hair as asked",
        "Q (old judge)",
        "FD (old judge)",
        "precision (old judge)",
        "FD (old judge, stage1)",
    ]


def test_shares_as_asked_come_first_then_the_main_figure() -> None:
    names = ["unknown", "lite2_fd_pooled", "sharpness", "lite2_fd_ratio", "lite2_fd_ratio_real"]
    names += ["eyes_as_asked_unseen", "all_as_asked", "eyes_as_asked"]
    assert ordered(names) == [
        *("eyes_as_asked", "all_as_asked", "eyes_as_asked_unseen"),
        *("lite2_fd_ratio", "sharpness", "lite2_fd_pooled", "unknown"),
    ]


def test_highlights_of_a_model_of_either_judge() -> None:
    new = {"lite2_fd_ratio": 4.0, "lite2_fd_ratio_real": 1.0, "diversity": 0.95, "sharpness": 1.0}
    assert highlights(new) == [("FD ratio (Lite2)", "4"), ("diversity", "0.95")]
    assert highlights(OLD) == [("hair as asked", "90.0%"), ("Q (old judge)", "2.33")]

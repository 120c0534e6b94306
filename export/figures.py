"""The figures of a model: their names, labels, number formats and meanings.

Plain Python: model cards, the bot, the web page and the training read it.

A manifest's `metrics` maps names to numbers; `<name>_real` is the same figure of held-out real
images. The names of a Fréchet distance (FD) say which network's features it was taken in; FID is
the name of Inception-v3's alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

REAL = "_real"
"""Ends the name of a figure of held-out real images."""
AS_ASKED = "_as_asked"
"""Ends the name of the share of pictures that show the value asked for."""
UNSEEN = "_as_asked_unseen"
"""The same, of pairs of values that no image shows."""
ALL_AS_ASKED = f"all{AS_ASKED}"

FD_RATIO = "lite2_fd_ratio"
"""The headline."""
FD_RATIO_POOLED = "lite2_fd_ratio_pooled"
FD_LAYERS = tuple(f"lite2_fd_{layer}" for layer in ("stride4", "stride8", "stride16", "stride32"))
FD_POOLED = "lite2_fd_pooled"


@dataclass(frozen=True)
class Figure:
    label: str
    """A column heading."""
    meaning: str
    is_share: bool = False
    """Whether it is shown in percent."""


FIGURES = {
    FD_RATIO: Figure(
        "FD ratio (Lite2)",
        "Fréchet distance to the training images in features of EfficientNet-Lite2, in units of"
        " the distance of as many held-out real images; geometric mean of five layers. Lower is"
        " better, 1 is as near as real images",
    ),
    FD_RATIO_POOLED: Figure("FD ratio (Lite2, pooled)", "the same of the pooled features alone"),
    "near_duplicates": Figure(
        "near-duplicates",
        "share of pictures closer to another of their condition than all but one in a thousand"
        " real ones",
        is_share=True,
    ),
    "diversity": Figure(
        "diversity",
        "mean distance between pictures of one condition, in units of the real images'",
    ),
    "lite2_precision": Figure(
        "precision (Lite2)",
        "share of pictures that lie among real images, in the pooled features",
        is_share=True,
    ),
    "lite2_recall": Figure(
        "recall (Lite2)",
        "share of real images that lie among the pictures, in the pooled features",
        is_share=True,
    ),
    "lite2_density": Figure("density (Lite2)", "how densely real images lie around the pictures"),
    "lite2_coverage": Figure(
        "coverage (Lite2)",
        "share of real images with a picture among their nearest neighbors",
        is_share=True,
    ),
    "sharpness": Figure(
        "sharpness",
        "how much fine detail there is, in units of the real images'; noise counts, too",
    ),
    "dropped_conditions": Figure(
        "dropped conditions",
        "share of the conditions of real images that are hardly painted",
        is_share=True,
    ),
    "dropped_clusters": Figure(
        "dropped clusters",
        "share of the clusters of real images that are hardly painted",
        is_share=True,
    ),
    **{
        name: Figure(
            f"FD (Lite2, {name.removeprefix('lite2_fd_').replace('stride', 'stride ')})",
            "Fréchet distance to the training images at this layer",
        )
        for name in (*FD_LAYERS, FD_POOLED)
    },
    # Of models that were judged before fidelity was measured in Lite2's features.
    "q": Figure("Q (old judge)", "how far from the training images, to a small classifier"),
    "fid": Figure("FD (old judge)", "Fréchet distance in a small classifier's last features"),
    "kid": Figure("KD (old judge)", "kernel distance in a small classifier's last features"),
    **{
        name: Figure(f"{name} (old judge)", "the same in a small classifier's features", share)
        for name, share in (
            *(("precision", True), ("recall", True)),
            *(("density", False), ("coverage", True)),
        )
    },
}
"""Those that say the most come first, and the shares as asked before all of them."""

HIGHLIGHTS = (FD_RATIO, "near_duplicates", "diversity")
"""What is said of a model in a line, beside the shares as asked."""


def label(name: str) -> str:
    """As a column heading or a row of a table has it."""
    if name in FIGURES:
        return FIGURES[name].label
    if name.startswith("distance_"):
        return f"FD (old judge, {name.removeprefix('distance_')})"
    if name.endswith(UNSEEN):
        return f"{name.removesuffix(UNSEEN)} as asked, unseen pairs"
    return name.replace("_", " ")


def number(name: str, value: float | None) -> str:
    """A figure as text; empty where there is none."""
    if value is None:
        return ""
    if name.endswith((AS_ASKED, UNSEEN)) or (name in FIGURES and FIGURES[name].is_share):
        return f"{value:.1%}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def meaning(name: str) -> str:
    """What a figure says, in a clause; empty of an unknown one."""
    if name.endswith(UNSEEN):
        return f"the same for {name.removesuffix(UNSEEN)}, of pairs that no image shows"
    if name == ALL_AS_ASKED:
        return "share of pictures that show all that was asked for"
    if name.endswith(AS_ASKED):
        return f"share of pictures that show the {name.removesuffix(AS_ASKED)} asked for"
    if name.startswith("distance_"):
        return "Fréchet distance in a small classifier's features"
    return FIGURES[name].meaning if name in FIGURES else ""


def ordered(names: Iterable[str]) -> list[str]:
    """Without those of real images; the shares as asked come first, unknown figures last."""
    order = list(FIGURES)

    def rank(name: str) -> int:
        if name.endswith(AS_ASKED):
            return -2 if name == ALL_AS_ASKED else -3
        if name.endswith(UNSEEN):
            return -1
        return order.index(name) if name in FIGURES else len(order)

    found = dict.fromkeys(name for name in names if not name.endswith(REAL))
    return sorted(found, key=rank)


def highlights(metrics: Mapping[str, float]) -> list[tuple[str, str]]:
    """The few figures that say the most: label and number."""
    headline = HIGHLIGHTS if FD_RATIO in metrics else ("q", *HIGHLIGHTS)
    chosen = [name for name in metrics if name.endswith(AS_ASKED)]
    chosen += [name for name in headline if name in metrics]
    return [(label(name), number(name, metrics[name])) for name in ordered(chosen)]

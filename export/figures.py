"""The figures of a model: names, labels, number formats and meanings.

Plain Python, since the bot and the web page use it too.

A manifest's `metrics` maps names to numbers; `<name>_real` is the same figure of held-out real
images. The name of a Fréchet distance (FD) includes the feature network; FID refers to Inception-v3
only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

REAL = "_real"
"""Suffix of figures of held-out real images."""
AS_ASKED = "_as_asked"
"""Suffix of the share of images that show the requested value."""
UNSEEN = "_as_asked_unseen"
"""Suffix of the same share for unseen pairs of values."""
ALL_AS_ASKED = f"all{AS_ASKED}"

FD_RATIO = "lite2_fd_ratio"
"""The main figure."""
FD_RATIO_POOLED = "lite2_fd_ratio_pooled"
FD_LAYERS = tuple(f"lite2_fd_{layer}" for layer in ("stride4", "stride8", "stride16", "stride32"))
FD_POOLED = "lite2_fd_pooled"
DETECTOR_FACES = "detector_faces"
DETECTOR_FD_RATIO = "detector_fd_ratio"


@dataclass(frozen=True)
class Figure:
    label: str
    """A column heading."""
    meaning: str
    is_share: bool = False
    """Whether it is formatted in percent."""


FIGURES = {
    FD_RATIO: Figure(
        "FD ratio (Lite2)",
        "Fréchet distance to the training images in features of EfficientNet-Lite2, divided by the"
        " distance of held-out real images; geometric mean of five layers. Lower is better; 1 is"
        " the value of real images",
    ),
    FD_RATIO_POOLED: Figure("FD ratio (Lite2, pooled)", "the same for the pooled features only"),
    "near_duplicates": Figure(
        "near-duplicates",
        "share of images whose nearest neighbor of the same condition is closer than that of all"
        " but one in a thousand real images",
        is_share=True,
    ),
    "diversity": Figure(
        "diversity",
        "mean distance between images of one condition, relative to real images",
    ),
    "lite2_precision": Figure(
        "precision (Lite2)",
        "share of generated images in the neighborhood of a real image, in the pooled features",
        is_share=True,
    ),
    "lite2_recall": Figure(
        "recall (Lite2)",
        "share of real images in the neighborhood of a generated one, in the pooled features",
        is_share=True,
    ),
    "lite2_density": Figure(
        "density (Lite2)", "mean density of real images around the generated ones"
    ),
    "lite2_coverage": Figure(
        "coverage (Lite2)",
        "share of real images with a generated image in their neighborhood",
        is_share=True,
    ),
    "sharpness": Figure(
        "sharpness",
        "amount of fine detail, including noise, relative to real images",
    ),
    "dropped_conditions": Figure(
        "dropped conditions",
        "share of the conditions of real images that are rarely or never generated",
        is_share=True,
    ),
    "dropped_clusters": Figure(
        "dropped clusters",
        "share of the clusters of real images that are rarely or never generated",
        is_share=True,
    ),
    # Of the comparison of recipes, not of the judge.
    DETECTOR_FACES: Figure(
        "faces found",
        "share of images in which the face detector finds a face",
        is_share=True,
    ),
    DETECTOR_FD_RATIO: Figure(
        "FD ratio (detector)",
        "Fréchet distance to the training images in the last hidden layer of the face detector,"
        " divided by the distance of held-out real images",
    ),
    **{
        name: Figure(
            f"FD (Lite2, {name.removeprefix('lite2_fd_').replace('stride', 'stride ')})",
            "Fréchet distance to the training images at this layer",
        )
        for name in (*FD_LAYERS, FD_POOLED)
    },
    # Of models that were judged before fidelity was measured in the features of Lite2.
    "q": Figure(
        "Q (old judge)", "distance to the training images in a small classifier's features"
    ),
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
"""In the order of display, after the shares as asked."""

HIGHLIGHTS = (FD_RATIO, "near_duplicates", "diversity")
"""Figures in a one-line summary of a model, after the shares as asked."""


def label(name: str) -> str:
    """The label of a figure in tables."""
    if name in FIGURES:
        return FIGURES[name].label
    if name.startswith("distance_"):
        return f"FD (old judge, {name.removeprefix('distance_')})"
    if name.endswith(UNSEEN):
        return f"{name.removesuffix(UNSEEN)} as asked, unseen pairs"
    return name.replace("_", " ")


def number(name: str, value: float | None) -> str:
    """Formats a figure; empty for None."""
    if value is None:
        return ""
    if name.endswith((AS_ASKED, UNSEEN)) or (name in FIGURES and FIGURES[name].is_share):
        return f"{value:.1%}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def meaning(name: str) -> str:
    """The meaning of a figure; empty for an unknown one."""
    if name.endswith(UNSEEN):
        return f"the same for {name.removesuffix(UNSEEN)}, in pairs of values that no image has"
    if name == ALL_AS_ASKED:
        return "share of images that show all requested values"
    if name.endswith(AS_ASKED):
        return f"share of images that show the requested {name.removesuffix(AS_ASKED)}"
    if name.startswith("distance_"):
        return "Fréchet distance in a small classifier's features"
    return FIGURES[name].meaning if name in FIGURES else ""


def ordered(names: Iterable[str]) -> list[str]:
    """Figures in the order of display: shares as asked first, unknown ones last; without those of
    real images.
    """
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
    """Labels and formatted numbers of the main figures."""
    headline = HIGHLIGHTS if FD_RATIO in metrics else ("q", *HIGHLIGHTS)
    chosen = [name for name in metrics if name.endswith(AS_ASKED)]
    chosen += [name for name in headline if name in metrics]
    return [(label(name), number(name, metrics[name])) for name in ordered(chosen)]

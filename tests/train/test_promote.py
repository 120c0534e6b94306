"""Promotion: the comparison of figures, and models of the old judge."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tiny_model import add_model

from export.registry import Registry
from train.data import Faces
from train.promote import compare, promote

GOOD = {"hair_as_asked": 0.9, "eyes_as_asked": 0.9, "lite2_fd_ratio": 4.0, "near_duplicates": 0.01}


class JudgeOf:
    """Finds in one model after the other the figures that it is given."""

    def __init__(self, registry: Registry, *found: dict[str, float]) -> None:
        _, manifest = registry.load("tiny")
        attributes, size = manifest.attributes, manifest.image_size
        images = torch.zeros(2, 3, size, size, dtype=torch.uint8)
        labels = torch.zeros(2, len(attributes), dtype=torch.int64)
        self.held_out = Faces("faces", images, labels, attributes)
        self.found = list(found)

    def evaluate(self, generate: Any, latent_dim: int, fakes: int) -> SimpleNamespace:
        return SimpleNamespace(figures=self.found.pop(0))


@pytest.mark.parametrize(
    ("change", "worse"),
    [
        ({}, []),
        ({"lite2_fd_ratio": 4.07}, []),
        ({"lite2_fd_ratio": 4.09}, ["FD ratio (Lite2)"]),
        ({"lite2_fd_ratio": 2.0}, []),
        ({"near_duplicates": 0.04}, ["near-duplicates"]),
        ({"eyes_as_asked": 0.87}, ["eyes as asked"]),
    ],
)
def test_a_figure_may_be_worse_by_the_margin(change: dict[str, float], worse: list[str]) -> None:
    rows, found = compare(GOOD | change, GOOD, list(GOOD), margin=0.02)
    assert found == worse
    assert len(rows) == len(GOOD)


@pytest.mark.parametrize(("ratio", "in_use"), [(3.0, "new"), (5.0, "tiny")])
def test_models_without_the_main_figure_are_measured_again(
    ratio: float, in_use: str, registry: Registry, tmp_path: Path
) -> None:
    add_model(registry, "new")
    judge: Any = JudgeOf(registry, GOOD | {"lite2_fd_ratio": ratio}, GOOD)
    said = promote("new", registry, judge, 10, 0.02, force=False)
    assert f"FD ratio (Lite2): {ratio:g} (the model in use: 4)" in said
    assert registry.current() == in_use
    assert ("python -m export use new" in said) == (in_use == "tiny")


def test_rejection_sampling_does_not_count(registry: Registry) -> None:
    """It improves pictures, but increases the FD ratio of the set."""
    base = add_model(registry, "base", candidates=2)
    rejecting = GOOD | {"lite2_fd_ratio": 4.5}
    rows = [{"candidates": 1} | GOOD, {"candidates": 2} | rejecting]
    new = {"name": "new", "metrics": rejecting, "training": {"judged": {"best_of": rows}}}

    def build(folder: Path) -> None:
        for file in base.files:
            shutil.copy(registry.folder("base") / file, folder)

    registry.add(base.model_copy(update=new), build)
    judge: Any = JudgeOf(registry, GOOD)
    said = promote("new", registry, judge, 10, 0.02, force=False)
    assert "FD ratio (Lite2): 4 (the model in use: 4)" in said
    assert registry.current() == "new"

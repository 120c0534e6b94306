"""Promotion: the comparison of figures, and models of the old judge."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tiny_model import add_model

from export.manifest import Manifest
from export.registry import Registry
from train.data import Faces
from train.promote import compare, promote

GOOD = {"hair_as_asked": 0.9, "eyes_as_asked": 0.9, "lite2_fd_ratio": 4.0, "near_duplicates": 0.01}


class JudgeOf:
    """Finds in one model after the other the figures that it is given.

    `asked` are the kinds of its measurements: by `evaluate` or by `measure`.
    """

    def __init__(self, registry: Registry, *found: dict[str, float]) -> None:
        _, manifest = registry.load("tiny")
        attributes, size = manifest.attributes, manifest.image_size
        images = torch.zeros(2, 3, size, size, dtype=torch.uint8)
        labels = torch.zeros(2, len(attributes), dtype=torch.int64)
        self.held_out = Faces("faces", images, labels, attributes)
        self.found = list(found)
        self.asked: list[str] = []

    def evaluate(self, generate: Any, latent_dim: int, fakes: int) -> SimpleNamespace:
        self.asked.append("evaluate")
        return SimpleNamespace(figures=self.found.pop(0))

    def measure(self, generate: Any, latent_dim: int) -> dict[str, float]:
        self.asked.append("measure")
        return self.found.pop(0)


def add_copy(registry: Registry, base: Manifest, changed: dict[str, Any]) -> None:
    def build(folder: Path) -> None:
        for file in base.files:
            shutil.copy(registry.folder(base.name) / file, folder)

    registry.add(base.model_copy(update=changed), build)


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
    assert judge.asked == ["evaluate", "evaluate"]


def test_rejection_sampling_does_not_count(registry: Registry) -> None:
    """It improves pictures, but increases the FD ratio of the set."""
    base = add_model(registry, "base", candidates=2)
    rejecting = GOOD | {"lite2_fd_ratio": 4.5}
    rows = [{"candidates": 1} | GOOD, {"candidates": 2} | rejecting]
    new = {"name": "new", "metrics": rejecting, "training": {"judged": {"best_of": rows}}}
    add_copy(registry, base, new)
    judge: Any = JudgeOf(registry, GOOD)
    said = promote("new", registry, judge, 10, 0.02, force=False)
    assert "FD ratio (Lite2): 4 (the model in use: 4)" in said
    assert registry.current() == "new"
    assert judge.asked == ["measure"], "as the rows of best_of were measured"


def test_the_model_in_use_is_measured_as_the_manifest_of_a_model_without_a_scorer(
    registry: Registry,
) -> None:
    _, base = registry.load("tiny")
    add_copy(registry, base, {"name": "new", "metrics": GOOD})
    judge: Any = JudgeOf(registry, GOOD)
    promote("new", registry, judge, 10, 0.02, force=False)
    assert registry.current() == "new"
    assert judge.asked == ["evaluate"]

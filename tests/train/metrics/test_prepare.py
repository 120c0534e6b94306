"""Building a judge: cache, and training length of the classifier."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console

from train.data import DataError, Faces, load
from train.metrics import prepare, prepare_both
from train.metrics.classifier import images_for


@pytest.fixture(scope="module")
def faces(faces_zip: Path) -> Faces:
    return load(faces_zip, 32)


def files(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def test_the_classifier_is_trained_once_for_the_same_data_and_settings(
    faces: Faces, tmp_path: Path
) -> None:
    said = io.StringIO()
    first = prepare(faces, tmp_path, images=64, console=Console(file=said))
    assert "training the judge's classifier" in said.getvalue()
    assert "reads held-out faces right: hair" in said.getvalue()
    kept = files(tmp_path)
    said = io.StringIO()
    again = prepare(faces, tmp_path, images=64, console=Console(file=said))
    assert said.getvalue() == ""
    assert files(tmp_path) == kept
    assert not again.classifier.training
    pictures = faces.images[:8]
    outputs = (judge.classify(pictures).features["features"] for judge in (first, again))
    assert torch.equal(*outputs)


def test_both_judges_of_a_data_set_share_its_images_and_features(
    faces: Faces, tmp_path: Path
) -> None:
    first, second = prepare_both(faces, tmp_path, images=64)
    assert first.fidelity is second.fidelity
    for judge in (first, second, first.for_unconditional(), second.for_unconditional()):
        assert len(judge.training_set) + len(judge.held_out) == len(faces)
    training_sets = {id(part.training_set.images) for part in (first, second, first.fidelity)}
    assert training_sets == {id(faces.split()[0].images)}, "in memory once"


def test_the_judges_draw_different_latents_for_the_same_conditions(
    faces: Faces, tmp_path: Path
) -> None:
    first, second = prepare_both(faces, tmp_path, images=64)
    (chosen, condition), (measured, same) = first.draw(8), second.draw(8)
    assert torch.equal(condition, same)
    assert not torch.isin(chosen, measured).any()
    assert torch.equal(first.for_unconditional().draw(8)[0], chosen)
    seed_of_stored_figures = torch.Generator().manual_seed(0)
    assert torch.equal(measured, torch.randn(measured.shape, generator=seed_of_stored_figures))


@pytest.mark.parametrize("change", ["images", "seed", "labels", "pixels"])
def test_other_data_or_settings_train_another_classifier(
    change: str, faces: Faces, tmp_path: Path
) -> None:
    prepare(faces, tmp_path, images=64)
    other, settings = faces, {"images": 64, "seed": 0}
    if change in settings:
        settings[change] += 1
    elif change == "labels":
        other = replace(faces, labels=faces.labels.roll(1, dims=0))
    else:
        other = replace(faces, images=faces.images.bitwise_xor(1))
    prepare(other, tmp_path, images=settings["images"], seed=settings["seed"])
    assert len(files(tmp_path)) == 2


@pytest.mark.parametrize(
    ("count", "images"), [(229, 16_000), (4_000, 36_000), (13_778, 120_000), (10**6, 120_000)]
)
def test_number_of_training_images_is_bounded(count: int, images: int, faces: Faces) -> None:
    pixels = torch.zeros(1, 3, 1, 1, dtype=torch.uint8).expand(count, 3, 1, 1)
    assert images_for(replace(faces, images=pixels)) == images


def test_error_for_an_unsupported_resolution(faces: Faces, tmp_path: Path) -> None:
    odd = replace(faces, images=faces.images[:, :, :24, :24].contiguous())
    with pytest.raises(DataError, match=r"24 pixels cannot be judged.* multiple of 16"):
        prepare(odd, tmp_path)

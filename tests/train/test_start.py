from pathlib import Path

import pytest
import shared_training
import small_recipes
import torch
from small_models import make_manifest, write_generator

from config import ModelsSettings
from export.manifest import ModelError
from export.registry import Registry
from train.models import build_trainer
from train.settings import NetworkSettings, TrainingSettings, TrainSettings
from train.start import keep_refinement


def settings(models: Path, depth: int, start: str = "refined") -> TrainingSettings:
    train = TrainSettings(start=start, network=NetworkSettings(depth=depth))
    return TrainingSettings(train=train, models=ModelsSettings(dir=models))


@pytest.mark.parametrize(("asked", "depth"), [(0, 2), (1, 2), (2, 2), (3, 3)])
def test_a_training_keeps_the_refinement_blocks_of_the_model_it_starts_with(
    asked: int, depth: int, tmp_path: Path
) -> None:
    training = {"settings": {"network": {"depth": 2}}}
    Registry(tmp_path).add(make_manifest("refined", training=training), write_generator())
    assert keep_refinement(settings(tmp_path, asked)).train.network.depth == depth


def test_models_of_earlier_versions_have_no_refinement_blocks(tmp_path: Path) -> None:
    Registry(tmp_path).add(make_manifest("plain"), write_generator())
    for depth in (0, 1):
        kept = keep_refinement(settings(tmp_path, depth, "plain"))
        assert kept.train.network.depth == depth


def test_error_for_a_model_to_start_with_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nothing"):
        keep_refinement(settings(tmp_path, 0, "nothing"))


@pytest.mark.parametrize(
    "settings", [shared_training.SETTINGS, small_recipes.small("dcgan")], ids=["default", "dcgan"]
)
def test_a_training_from_a_calibrated_model_has_the_latents_of_training(
    settings: TrainSettings,
) -> None:
    faces = small_recipes.faces()
    trainer = build_trainer(settings, faces)
    training_scale = trainer.generator.training_scale
    calibrated = trainer.weights() | {"generator.latent_scale": torch.tensor(1.45)}
    trainer.load_weights(calibrated)
    trainer.train_step(0.0)
    for generator in (trainer.generator, trainer.ema):
        assert generator.latent_scale.item() == pytest.approx(training_scale)
    resumed = build_trainer(settings, faces)
    resumed.load_state_dict(trainer.state_dict(), trainer.step)
    for name, tensor in trainer.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name

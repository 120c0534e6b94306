"""Trainings that start with the weights of a model (`--start`)."""

from collections import Counter
from pathlib import Path

import torch
from rich.console import Console

from export.manifest import Attribute, ModelError
from export.registry import Registry
from export.weights import DEFECTS, read_weights
from train import checkpoint
from train.data import Faces
from train.models import build_trainer
from train.promote import incomparable
from train.scorer import DEFECTS_FILE, save_defects
from train.settings import TrainingSettings, TrainSettings
from train.trainer import SMALL_DATA
from train.transfer import adapt, new_layers

StartWeights = tuple[dict[str, torch.Tensor], tuple[Attribute, ...]]
"""Weights of a model, and its attributes."""


def suggest_start(settings: TrainingSettings, count: int, console: Console) -> None:
    """Names the model in use, if it would help a training from scratch on few images."""
    train = settings.train
    if train.start or train.lineage is not None or count >= SMALL_DATA:
        return
    try:
        folder, manifest = Registry(settings.models.dir).load()
    except ModelError:  # none, or one that cannot be started with
        return
    if manifest.image_size == train.network.resolution:
        console.print(
            f"few images: --start {folder.name} starts with a model that paints already, which "
            "takes less time and gives more varied pictures",
            highlight=False,
        )


def keep_refinement(settings: TrainingSettings) -> TrainingSettings:
    """Settings with at least as many refinement blocks as the model that the training starts with.

    Raises ModelError.
    """
    train = settings.train
    if not train.start or train.lineage is not None:
        return settings
    _, manifest = Registry(settings.models.dir).load(train.start)
    trained = manifest.training.get("settings", {}).get("network", {})
    depth = max(train.network.depth, trained.get("depth", 0))
    network = train.network.model_copy(update={"depth": depth})
    changed = train.model_copy(update={"network": network})
    return settings.model_copy(update={"train": changed})


def read_start_weights(settings: TrainingSettings, faces: Faces) -> StartWeights | None:
    """Reads the weights of `start`, if set, and its attributes. Raises ModelError, ExportError."""
    name = settings.train.start
    if not name:
        return None
    folder, manifest = Registry(settings.models.dir).load(name)
    reason = incomparable(manifest, faces)
    adaptable = settings.train.lineage is None and manifest.image_size == faces.images.shape[-1]
    if reason and not adaptable:
        raise ModelError(f"a training cannot start with {name}, which {reason}")
    weights = read_weights(folder, manifest)
    found = manifest.training.get("settings", {}).get("network", {})
    for key in ("width", "latent_dim"):
        theirs, ours = found.get(key), getattr(settings.train.network, key)
        if theirs != ours:
            flag = key.replace("_", "-")
            raise ModelError(f"{name} has {key} {theirs}, not {ours}: add --{flag} {theirs}")
    return weights, manifest.attributes


def save_start(
    run: Path, settings: TrainSettings, faces: Faces, start: StartWeights, console: Console
) -> None:
    """Writes the first checkpoint of a run, with the weights of a model, which are adapted to the
    attributes of `faces`. Raises ModelError for other networks.
    """
    weights, attributes = start
    defects = weights.pop(DEFECTS, None)
    trainer = build_trainer(settings, faces.split()[0])
    try:
        if settings.lineage is None:
            initial = trainer.weights()
            _print_new_layers(settings.start, new_layers(weights, initial), console)
            weights = adapt(weights, initial, attributes, faces.attributes)
        trainer.load_weights(weights)
    except RuntimeError as error:
        raise ModelError(
            f"the networks of {settings.start} differ from those of this run: {error}"
        ) from None
    progress = checkpoint.Progress(images=0, step=0, seconds=0.0)
    run.mkdir(parents=True, exist_ok=True)
    checkpoint.save(run, trainer.state_dict(), progress)
    if defects is not None:
        save_defects(run / DEFECTS_FILE, defects)


def _print_new_layers(start: str, names: list[str], console: Console) -> None:
    """Prints how many layers of each network start with random weights, if there are any."""
    counts = Counter(name.partition(".")[0] for name in names)
    if counts:
        text = ", ".join(f"{network} ({count})" for network, count in counts.items())
        console.print(f"initial weights, as {start} does not have them: {text}", highlight=False)

"""The data that a run was trained on, and its judge."""

from pathlib import Path

from rich.console import Console

from train.checkpoint import CheckpointError, RunInfo
from train.data import DataError, Faces, load
from train.metrics.judge import Judge
from train.metrics.prepare import prepare
from train.settings import TrainingSettings, TrainSettings


def faces_of_run(run: Path, info: RunInfo, settings: TrainSettings, device: str = "cpu") -> Faces:
    """The data, which the settings name where they are not where they were.

    Raises DataError, and CheckpointError for other data.
    """
    trained_on = info.settings.get("data")
    data = settings.data or (Path(trained_on) if trained_on else None)
    if data is None or not data.exists():
        where = f", {data}, is not there" if data else " is not known"
        raise DataError(f"the data of {run}{where}: say where it is with --data")
    faces = load(
        data,
        info.image_size,
        skip_bad=settings.skip_bad or info.train_settings.skip_bad,
        enlarge=info.train_settings.enlarge,
        device=device,
    )
    untagged = faces.without_attributes()
    if info.fingerprint not in (faces.fingerprint, untagged.fingerprint):
        raise CheckpointError(f"{run} was trained on other data than {data}; name its own (--data)")
    return faces


def judge_of_run(
    run: Path,
    info: RunInfo,
    faces: Faces,
    settings: TrainingSettings,
    console: Console,
    *,
    seed: int,
) -> Judge:
    """A judge of the run's data; it is kept beside the run, as that of the training is.

    Of an unconditional run it is one that knows the data's tags, where there are any.
    """
    folder, images = run.resolve().parent, settings.judge.images
    judge = prepare(faces, folder, images=images, console=console, seed=seed)
    return judge if info.attributes else judge.of_unconditional()

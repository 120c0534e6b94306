"""The training data of a run, and its judge."""

from pathlib import Path

from rich.console import Console

from train.checkpoint import CheckpointError, RunInfo
from train.data import DataError, Faces, load
from train.metrics.judge import Judge
from train.metrics.prepare import SECOND_SEED, prepare
from train.settings import TrainingSettings, TrainSettings


def faces_of_run(
    run: Path,
    info: RunInfo,
    settings: TrainSettings,
    device: str = "cpu",
    *,
    data_given: bool = False,
) -> Faces:
    """Loads the data of a run, from `settings.data` if that is given on the command line
    (`data_given`), or if the data was moved.

    Raises DataError, and CheckpointError if the data differs from that of the run.
    """
    trained_on = info.settings.get("data")
    data = Path(trained_on) if trained_on else None
    if settings.data is not None and (data_given or data is None or not data.exists()):
        data = settings.data
    if data is None or not data.exists():
        where = f", {data}, does not exist" if data else " is not known"
        raise DataError(f"the data of {run}{where}; give its path with --data")
    faces = load(
        data,
        info.image_size,
        skip_bad=settings.skip_bad or info.train_settings.skip_bad,
        enlarge=info.train_settings.enlarge,
        attributes=info.train_settings.attributes,
        device=device,
    )
    untagged = faces.without_attributes()
    if info.fingerprint not in (faces.fingerprint, untagged.fingerprint):
        raise CheckpointError(f"{run} was not trained on {data}; name its data with --data")
    return faces


def judge_of_run(
    run: Path,
    info: RunInfo,
    faces: Faces,
    settings: TrainingSettings,
    console: Console,
) -> Judge:
    """The second judge of a run's data, cached in the folder of the runs.

    For an unconditional run, it still predicts the attributes of tagged data.
    """
    folder, images = run.resolve().parent, settings.judge.images
    judge = prepare(faces, folder, images=images, console=console, seed=SECOND_SEED)
    return judge if info.attributes else judge.for_unconditional()

"""The judge of a run: of the data that it was trained on."""

from collections.abc import Callable
from pathlib import Path

from train.checkpoint import CheckpointError, RunInfo
from train.data import DataError, load
from train.judge.judge import Judge
from train.judge.prepare import prepare
from train.settings import TrainingSettings


def judge_of_run(
    run: Path,
    info: RunInfo,
    settings: TrainingSettings,
    report: Callable[[str], None],
    *,
    seed: int,
    device: str = "cpu",
) -> Judge:
    """A judge of the run's data, which the settings name where they are not where they were; it
    is kept beside the run, as that of the training is.

    Of an unconditional run it is one that knows the data's tags, where there are any. Raises
    DataError, and CheckpointError for other data.
    """
    trained_on = info.settings.get("data")
    data = settings.train.data or (Path(trained_on) if trained_on else None)
    if data is None or not data.exists():
        where = f", {data}, is not there" if data else " is not known"
        raise DataError(f"the data of {run}{where}: say where it is with --data")
    faces = load(
        data,
        info.image_size,
        skip_bad=settings.train.skip_bad,
        enlarge=info.train_settings.enlarge,
        device=device,
    )
    untagged = faces.without_attributes()
    if info.fingerprint not in (faces.fingerprint, untagged.fingerprint):
        raise CheckpointError(f"{run} was trained on other data than {data}; name its own (--data)")
    folder, images = run.resolve().parent, settings.judge.images
    judge = prepare(faces, folder, images=images, report=report, seed=seed)
    return judge if info.attributes else judge.of_unconditional()

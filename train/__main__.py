"""`python -m train`: trains a model; subcommands for runs and models."""

import sys
from collections.abc import Sequence

try:
    import torch  # noqa: F401
    from rich.console import Console
except ModuleNotFoundError as missing:
    sys.exit(f"training needs {missing.name}: pip install -e '.[train]'")

import config
from config.output import allow_any_encoding
from export.graph import ExportError
from export.manifest import ModelError
from train import checkpoint, judging, options, pipeline, recipes
from train.compare import command as compare
from train.crop import command as crop
from train.data import DataError, check
from train.directions import command as directions
from train.distributed import ShareError, WorkerLostError
from train.loop import DivergedError, Stopped
from train.machine import MachineError, MemoryShortError, memory_errors
from train.metrics import blind
from train.networks.features import FeatureNetworkError
from train.numbered_pages import MarksError
from train.scorer import command as defects
from train.show import command as show
from train.show.model import ShowError
from train.tag import command as tag
from train.tensorboard import TensorBoardError
from train.upscaler import command as upscaler

COMMANDS = {
    "check": check.main,
    "crop": crop.main,
    "tag": tag.main,
    "judge": judging.main,
    "compare": compare.main,
    "blind": blind.main,
    "defects": defects.main,
    "directions": directions.main,
    "show": show.main,
    "recipes": recipes.main,
    "settings": options.main,
    "upscaler": upscaler.main,
}


def main(given: Sequence[str] | None = None) -> None:
    allow_any_encoding()
    console = Console(soft_wrap=True)
    given = sys.argv[1:] if given is None else given
    command = COMMANDS.get(given[0]) if given else None
    try:
        with memory_errors(lambda error: f"out of memory: {str(error) or type(error).__name__}"):
            if command is not None:
                command(given[1:], console)
            else:
                pipeline.main(given, console)
    except KeyboardInterrupt:  # outside the training loop, which handles SIGINT itself
        console.print("interrupted")
        sys.exit(130)
    except Stopped as stopped:
        console.print(str(stopped), highlight=False)
        sys.exit(130)  # a script must not continue after an unfinished training
    except (
        config.SettingsError,
        DataError,
        blind.BlindError,
        checkpoint.CheckpointError,
        DivergedError,
        ExportError,
        FeatureNetworkError,
        MachineError,
        MarksError,
        MemoryShortError,
        ModelError,
        OSError,
        ShareError,
        ShowError,
        TensorBoardError,
        WorkerLostError,
    ) as error:
        if isinstance(error, MemoryShortError | WorkerLostError):
            console.quiet = False  # each process has its own message
        console.print(f"error: {error}", markup=False, highlight=False)
        sys.exit(2)


if __name__ == "__main__":
    main()

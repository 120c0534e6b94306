"""`python -m export`: registers trained runs as models, and selects the model in use."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import config
from config.output import allow_any_encoding
from export.figures import FD_RATIO, label, number
from export.manifest import ModelError, read_manifest
from export.registry import POINTER, Registry

USAGE = """\
python -m export RUN [--name NAME] [--upscaler RUN_OR_MODEL] [--about FILE]
                                            register a trained run as a model
       python -m export list                list the models, oldest first
       python -m export quantize NAME       add an int8 upscaler to a model
       python -m export use NAME            put a model in use
       python -m export rollback            return to the previous model"""


class Settings(config.Settings):
    models: config.ModelsSettings = config.ModelsSettings()


def main(arguments: Sequence[str] | None = None) -> int:
    allow_any_encoding()
    parser = argparse.ArgumentParser("python -m export", usage=USAGE)
    parser.add_argument(
        "what", nargs="+", help="a run's folder, or list, quantize NAME, use NAME, rollback"
    )
    parser.add_argument("--name", help="name of the model (default: data and thousands of images)")
    parser.add_argument(
        "--upscaler",
        type=Path,
        metavar="RUN_OR_MODEL",
        help="the folder of an upscaler's run, or of a model to copy the upscaler from"
        " (default: the model in use)",
    )
    parser.add_argument(
        "--about",
        type=Path,
        metavar="FILE",
        help="text for the model card, such as the origin of the images",
    )
    parser.add_argument("--models", type=Path, help="folder of the models (default: models.dir)")
    parser.add_argument("--config", type=Path, metavar="PATH", help="another config.toml")
    options = parser.parse_args(arguments)
    try:
        registry = Registry(options.models or config.read(Settings, options.config).models.dir)
        match options.what:
            case ["list"]:
                _list(registry)
            case ["use", name]:
                registry.use(name)
                print(f"{name} is in use")
            case ["rollback"]:
                print(f"{registry.rollback()} is in use again")
            case ["quantize", name]:
                return _quantize(name, registry)
            case [run] if run not in ("quantize", "use"):
                return _export(Path(run), registry, options)
            case _:
                parser.error(f"unknown command {' '.join(options.what)!r}")
    except (ModelError, OSError, config.SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _list(registry: Registry) -> None:
    try:
        current = registry.current()
    except (OSError, UnicodeDecodeError) as error:  # the models are listed nevertheless
        current = None
        print(f"{registry.root / POINTER} cannot be read: {error}", file=sys.stderr)
    names = registry.names()
    if not names:
        print(f"there are no models in {registry.root} yet")
    width = max(map(len, names), default=0)
    for name in names:
        mark = "*" if name == current else " "
        try:
            manifest = read_manifest(registry.folder(name))
        except ModelError as error:
            print(f"{mark} {name:{width}}  cannot be used: {error}")
            continue
        figure = next((name for name in (FD_RATIO, "q") if name in manifest.metrics), None)
        summary = f"  {label(figure)} {number(figure, manifest.metrics[figure])}" if figure else ""
        size = manifest.image_size
        print(f"{mark} {name:{width}}  {manifest.created:%Y-%m-%d %H:%M}  {size}×{size}{summary}")


def _quantize(name: str, registry: Registry) -> int:
    try:
        # Imported here because machines that only serve do not have onnx.
        from export.graph import ExportError
        from export.quantize import add_to_model
    except ModuleNotFoundError as error:
        print(f"quantizing needs {error.name}: pip install -e '.[train]'", file=sys.stderr)
        return 1
    try:
        print(f"added to {name}: {add_to_model(registry, name)}")
    except (ExportError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _export(run: Path, registry: Registry, options: argparse.Namespace) -> int:
    try:
        # Imported here because machines that only serve do not have PyTorch.
        from export.convert import export_run
        from export.graph import ExportError
        from train.checkpoint import CheckpointError
    except ModuleNotFoundError as error:
        print(f"exporting needs {error.name}: pip install -e '.[train]'", file=sys.stderr)
        return 1
    try:
        about = options.about.read_text("utf-8") if options.about else ""
        name = export_run(run, registry, options.name, options.upscaler, about)
    except (ExportError, CheckpointError, OSError, UnicodeDecodeError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"registered {registry.folder(name)}; `python -m export use {name}` puts it in use")
    return 0


if __name__ == "__main__":
    sys.exit(main())

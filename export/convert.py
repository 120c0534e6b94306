"""Converts trained runs from PyTorch to ONNX, and registers them as models."""

import json
import re
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from export import scorer as scorers
from export.card import CARD, SAMPLES, WEAKEST, draw_samples, draw_weakest, write_card
from export.graph import OPSET, TOLERANCE, ExportError, finished_model
from export.manifest import (
    GENERATOR,
    SCORER,
    UNROUNDED,
    UPSCALER,
    UPSCALER_INT8,
    WEIGHTS,
    Manifest,
    ModelError,
)
from export.quantize import generate_images, quantize_upscaler
from export.registry import Registry
from export.rounding import round_weights
from export.upscaler import read_upscaler, upscaler_in_use
from export.weights import write_weights
from train.checkpoint import JUDGED_FILE, RunInfo
from train.data import name_of_data
from train.models import load_generator
from train.scorer import Scorer, load_scorer

_BATCHES = (1, 3, 64)


class PixelGenerator(nn.Module):
    """A generator of values from 0 to 255, so that the graph contains all arithmetic on pixels."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, latent: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Latents [N, Z] and conditions [N, C], both float32, to RGB uint8 [N, S, S, 3], and to the
        same values before they are rounded, float32.
        """
        values: Tensor = ((self.generator(latent, condition) + 1) * 127.5).clamp(0, 255)
        unrounded = values.permute(0, 2, 3, 1)
        return unrounded.round().to(torch.uint8), unrounded


def export_run(
    run: Path,
    registry: Registry,
    name: str | None = None,
    upscaler: Path | None = None,
    about: str = "",
) -> str:
    """Registers the averaged generator of a judged run as a model; returns the name of the model.

    The default name has the data and the thousands of images shown. `upscaler` is the folder of an
    upscaler's run, or of a model with an upscaler; by default, the upscaler of the model in use is
    copied, if there is one. `about` is a text for the model card. The model in use does not change.
    Raises ExportError, and CheckpointError if a run cannot be read; then nothing is registered.
    """
    generator, info = load_generator(run)
    judged = _read_judged(run / JUDGED_FILE)
    judged.pop("bar", None)  # of earlier versions
    upscaler_graph = read_upscaler(upscaler) if upscaler else upscaler_in_use(registry)
    try:
        manifest = Manifest(
            name=name or default_name(registry, info),
            created=datetime.now(UTC).replace(microsecond=0),
            attributes=info.attributes,
            latent_dim=info.latent_dim,
            image_size=info.image_size,
            candidates=judged.pop("candidates"),
            metrics=judged.pop("figures"),
            training=_training(info)
            | {"judged": judged}
            | ({"about": about.strip()} if about.strip() else {})
            | ({"upscaler": upscaler_graph.training} if upscaler_graph else {}),
        )
    except ValidationError as error:
        reasons = "; ".join(
            f"{'.'.join(map(str, issue['loc']))}: {issue['msg']}" for issue in error.errors()
        )
        raise ExportError(f"{run} cannot be exported: {reasons}") from error
    scorer = load_scorer(run) if manifest.candidates > 1 else None

    def build(folder: Path) -> None:
        path = folder / GENERATOR
        round_weights(generator)
        model = to_onnx(generator, manifest.latent_dim, manifest.condition_dim)
        path.write_bytes(model.SerializeToString())
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        check(generator, session, manifest)
        write_weights(run, folder / WEIGHTS)
        if upscaler_graph:
            (folder / UPSCALER).write_bytes(upscaler_graph.content)
            _add_quantized_upscaler(folder, upscaler_graph.content, session, manifest)
        generate = partial(_generate, session)
        # 256 colors: a third of the size, and defects stay visible.
        draw_samples(generate, manifest).quantize(256).save(folder / SAMPLES, optimize=True)
        if scorer:
            scores = _add_scorer(folder, scorer, session, manifest)
            weakest = draw_weakest(generate, partial(_score, scores), manifest)
            weakest.quantize(256).save(folder / WEAKEST, optimize=True)
        (folder / CARD).write_text(write_card(manifest), "utf-8")

    try:
        return registry.add(manifest, build).name
    except ModelError as error:
        raise ExportError(str(error)) from error


def _add_quantized_upscaler(
    folder: Path, content: bytes, generator: onnxruntime.InferenceSession, manifest: Manifest
) -> None:
    """A failure causes only a warning: the model works without the quantized upscaler."""
    try:
        quantized = quantize_upscaler(content, generate_images(generator, manifest))
    except ExportError as error:
        print(f"warning: there is no {UPSCALER_INT8}: {error}")
        return
    (folder / UPSCALER_INT8).write_bytes(quantized.content)
    print(f"{UPSCALER_INT8}: {quantized}")


def _add_scorer(
    folder: Path, scorer: Scorer, generator: onnxruntime.InferenceSession, manifest: Manifest
) -> onnxruntime.InferenceSession:
    path = folder / SCORER
    model = scorers.to_onnx(scorer, manifest.image_size, manifest.condition_dim)
    path.write_bytes(model.SerializeToString())
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    latents, conditions = _probes(manifest, max(_BATCHES))
    scorers.check(scorer, session, _generate(generator, latents, conditions), conditions)
    return session


def to_onnx(generator: nn.Module, latent_dim: int, condition_dim: int) -> onnx.ModelProto:
    """The ONNX graph from `latent` and `condition` to `image` and `unrounded`, for any number of
    images.

    `generator` must be in eval mode on the CPU.
    """
    count = {0: torch.export.Dim.DYNAMIC}
    program = torch.onnx.export(
        PixelGenerator(generator).eval(),
        # Three images: the tracer treats a size of 0 or 1 as a constant.
        (torch.zeros(3, latent_dim), torch.zeros(3, condition_dim)),
        dynamo=True,
        opset_version=OPSET,
        input_names=["latent", "condition"],
        output_names=["image", UNROUNDED],
        dynamic_shapes={"latent": count, "condition": count},
        verbose=False,
    )
    return finished_model(program, "generator")


def check(generator: nn.Module, session: onnxruntime.InferenceSession, manifest: Manifest) -> None:
    """Compares the images of PyTorch and ONNX Runtime, for single and mixed conditions, in several
    batch sizes.

    Raises ExportError if any value differs by more than TOLERANCE.
    """
    size = manifest.image_size
    latents, conditions = _probes(manifest, max(_BATCHES))
    with torch.inference_mode():
        tensors = PixelGenerator(generator)(torch.from_numpy(latents), torch.from_numpy(conditions))
    expected = [tensor.numpy() for tensor in tensors]
    generated = {
        n: session.run(["image", UNROUNDED], {"latent": latents[:n], "condition": conditions[:n]})
        for n in _BATCHES
    }
    together = generated[max(_BATCHES)]
    for n, outputs in generated.items():
        for pictures, dtype in zip(outputs, ("uint8", "float32"), strict=True):
            if pictures.dtype != dtype or pictures.shape != (n, size, size, 3):
                raise ExportError(
                    f"the exported generator returns {pictures.dtype} {pictures.shape},"
                    f" not {dtype} {(n, size, size, 3)}"
                )
        for what, others in (
            ("PyTorch's", expected),
            (f"those of a batch of {max(_BATCHES)}", together),
        ):
            difference = max(
                np.abs(pictures.astype(float) - other[:n]).max()
                for pictures, other in zip(outputs, others, strict=True)
            )
            if not difference <= TOLERANCE:
                raise ExportError(
                    f"pictures of the exported generator, {n} at a time, differ from {what}"
                    f" by up to {difference:.3g} of 255, more than {TOLERANCE}:"
                    " nothing is registered"
                )


def _probes(manifest: Manifest, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Random latents [N, Z] and conditions [N, C]; every second condition is a mixture."""
    rng = np.random.RandomState(0)
    latents = rng.standard_normal((count, manifest.latent_dim)).astype(np.float32)
    conditions = np.zeros((2, count, manifest.condition_dim), np.float32)
    for half in conditions:
        for row in half:
            wish = {a.name: a.values[rng.randint(len(a.values))] for a in manifest.attributes}
            row[:] = manifest.encode(wish)
    conditions[1, ::2] = conditions[0, ::2]
    return latents, conditions.mean(axis=0)


def _generate(
    session: onnxruntime.InferenceSession, latents: np.ndarray, conditions: np.ndarray
) -> np.ndarray:
    images: np.ndarray = session.run(["image"], {"latent": latents, "condition": conditions})[0]
    return images


def _score(
    session: onnxruntime.InferenceSession, images: np.ndarray, conditions: np.ndarray
) -> np.ndarray:
    scores: np.ndarray = session.run(["score"], {"image": images, "condition": conditions})[0]
    return scores


def default_name(registry: Registry, info: RunInfo) -> str:
    """`<data>-<kimg>k`, with a number appended if this name exists."""
    base = f"{_plain(info)}-{round(info.images / 1000)}k"
    taken, number, name = registry.names(), 2, base
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    return name


def _plain(info: RunInfo) -> str:
    data = info.settings.get("data")
    name = name_of_data(Path(data)) if data else info.run
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:40] or "model"


def _training(info: RunInfo) -> dict[str, Any]:
    settings = dict(info.settings)
    settings.pop("runs", None)
    # Only names: models must not contain paths of this machine.
    if settings.get("data"):
        settings["data"] = Path(settings["data"]).name
    if settings.get("recipe"):  # of this package, or the path of a file
        settings["recipe"] = Path(settings["recipe"]).stem
    return {
        "run": info.run,
        "images": info.images,
        "fingerprint": info.fingerprint,
        "settings": settings,
    }


def _read_judged(path: Path) -> dict[str, Any]:
    try:
        judged = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ExportError(
            f"there is no {path}: the run is not judged; finish its training"
            f" (python -m train --resume {path.parent})"
        ) from None
    except ValueError as error:
        raise ExportError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(judged, dict) or not {"figures", "candidates"} <= set(judged):
        raise ExportError(
            f"{path} is of an earlier version: judge the run again"
            f" (python -m train judge {path.parent})"
        )
    return judged

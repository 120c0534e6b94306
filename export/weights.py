"""`weights.safetensors`: the networks of a run, from which another training can start.

Matrices and convolutions are stored in int8, everything else in float16: the file is for further
training, which restores what the lower precision loses. Files of earlier versions have a generator
in float16.
"""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from export.graph import ExportError
from export.manifest import WEIGHTS, Manifest
from export.rounding import dequantize, quantize
from train import checkpoint
from train.scorer import DEFECTS_FILE, load_defects

SCALE = ".scale"
PREFIXES = {
    "ema.": "generator.",
    "discriminator.": "discriminator.",
    "feature_discriminators.": "feature_discriminators.",
}
"""Prefixes of tensors in the checkpoint and in the file; the averaged generator is stored."""
DEFECTS = "defects.weight"
"""Weights of the scorer of marked images, if the model has one; float16 [P, C]."""


def write_weights(run: Path, file: Path) -> None:
    """Raises CheckpointError and OSError."""
    tensors: dict[str, Tensor] = {}
    for old, new in PREFIXES.items():
        for name, tensor in checkpoint.restore(run, old).items():
            key = new + name.removeprefix(old)
            if not tensor.is_floating_point():
                tensors[key] = tensor
            elif tensor.dim() < 2:
                tensors[key] = tensor.half()
            else:
                tensors[key], tensors[key + SCALE] = quantize(tensor)
    if (run / DEFECTS_FILE).is_file():
        tensors[DEFECTS] = load_defects(run / DEFECTS_FILE).half()
    # save_file would create a file that other users cannot read.
    file.write_bytes(save({name: tensor.contiguous() for name, tensor in tensors.items()}))


def read_weights(folder: Path, manifest: Manifest) -> dict[str, Tensor]:
    """Reads the tensors of `generator.`, `discriminator.` and `feature_discriminators.`, and
    `DEFECTS`, as float32.

    Raises ExportError if the model has no weights.
    """
    if WEIGHTS not in manifest.files:
        raise ExportError(
            f"model {manifest.name} has no {WEIGHTS}, like models of version 0.2: it can be "
            "served, but no training can start from it"
        )
    try:
        tensors = load_file(folder / WEIGHTS)
    except (SafetensorError, OSError) as error:
        raise ExportError(f"{folder / WEIGHTS} cannot be read: {error}") from None
    weights = {}
    for name, tensor in tensors.items():
        if name + SCALE in tensors:
            weights[name] = dequantize(tensor, tensors[name + SCALE])
        elif not name.endswith(SCALE):
            weights[name] = tensor.float() if tensor.is_floating_point() else tensor
    return weights

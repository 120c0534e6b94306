"""Models and runs as sources of generated images, for a person to look at."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from export.manifest import Attribute
from export.registry import Registry
from train import checkpoint, report
from train.data import one_hot
from train.metrics.results import GenerateFn
from train.models import load_generator
from train.promote import onnx_generator
from train.scorer import best_of, load_scorer

BATCH = 16
"""Number of images that a source generates at a time."""


@dataclass(frozen=True)
class Source:
    """A model or run that generates images."""

    name: str
    generate: GenerateFn
    latent_dim: int
    attributes: tuple[Attribute, ...]
    image_size: int

    def draw(self, rng: np.random.RandomState, count: int) -> tuple[Tensor, Tensor]:
        """Latents [N, Z], and conditions [N, C] with the frequencies of the data."""
        latents = rng.standard_normal((count, self.latent_dim)).astype(np.float32)
        columns = [
            rng.choice(len(a.values), count, p=np.array(a.frequencies) / sum(a.frequencies))
            for a in self.attributes
        ]
        labels = np.array(columns, np.int64).reshape(len(columns), count).T.copy()
        sizes = tuple(len(a.values) for a in self.attributes)
        return torch.from_numpy(latents), one_hot(torch.from_numpy(labels), sizes)


def find_source(name: str | None, registry: Registry, *, single: bool = False) -> Source:
    """Opens a run by its folder, or a model by its name; None is the model in use.

    It generates as the bot does, with the scorer of the model or of the judged run, or `single`
    images. Raises ModelError, CheckpointError.
    """
    if name is not None and (Path(name) / checkpoint.RUN_FILE).is_file():
        return _run_source(Path(name), single=single)
    folder, manifest = registry.load(name)
    generate, latent_dim = onnx_generator(folder, manifest, 1 if single else None)
    return Source(manifest.name, generate, latent_dim, manifest.attributes, manifest.image_size)


def _run_source(run: Path, *, single: bool) -> Source:
    generator, info = load_generator(run)
    candidates = 1

    def generate(latents: Tensor, conditions: Tensor) -> Tensor:
        return report.generate_images(generator, latents, conditions)

    if not single and (run / checkpoint.JUDGED_FILE).is_file():
        candidates = _read_candidates(run)
    chosen: GenerateFn = generate
    if candidates > 1:
        scorer = torch.inference_mode()(load_scorer(run))
        chosen = best_of(generate, scorer, candidates)
    z = candidates * info.latent_dim
    return Source(info.run, chosen, z, info.attributes, info.image_size)


def _read_candidates(run: Path) -> int:
    """The number of candidates of a judged run. Raises CheckpointError."""
    file = run / checkpoint.JUDGED_FILE
    try:
        return int(json.loads(file.read_text("utf-8"))["candidates"])
    except (ValueError, KeyError, TypeError) as error:
        raise checkpoint.CheckpointError(
            f"{file} is damaged, or of an earlier version: judge the run again "
            f"(python -m train judge {run}): {error!r}"
        ) from None

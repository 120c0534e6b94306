"""Reports of recipes whose generator has an encoder."""

from pathlib import Path

import torch

from train import report
from train.data import Faces, one_hot
from train.lineage.networks import autoencoder
from train.lineage.trainer import LineageTrainer
from train.metrics import Judge

RECONSTRUCTED = 8
"""Number of held-out images in the grid of reconstructions."""


class LineageReporter(report.SampleReporter):
    """For generators with an encoder, also saves held-out images and their reconstructions."""

    def __init__(self, trainer: LineageTrainer, held_out: Faces, judge: Judge | None) -> None:
        super().__init__(trainer, judge)
        self.held_out = held_out

    @torch.inference_mode()
    def __call__(self, folder: Path, images: int) -> dict[str, float]:
        generator, device = self.trainer.ema, self.trainer.device
        if isinstance(generator, autoencoder.AutoencoderGenerator):
            real = self.held_out.images[:RECONSTRUCTED].to(device)
            labels = self.held_out.labels[: len(real)].to(device)
            conditions = one_hot(labels, self.trainer.faces.sizes)
            decoded = generator.reconstruct(real.float() / 127.5 - 1, conditions)
            file = folder / report.sheet_name("reconstructed", images)
            report.save_grid(file, torch.cat([real, report.to_bytes(decoded)]), len(real))
        return super().__call__(folder, images)

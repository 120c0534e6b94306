"""`[train]`, `[judge]` and `[promote]` of `config.toml`."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from config import ModelsSettings, Section, Settings
from train.networks import check_size


class TrainSettings(Section):
    """One training. Everything that a checkpoint needs to go on is in here."""

    data: Path | None = None
    """Folder or zip of images."""
    runs: Path = Path("runs")
    name: str = Field("", pattern=r"^[A-Za-z0-9._-]*$")
    """Of the run; made from the data's name and the time where empty."""
    skip_bad: bool = False
    """Leave out bad images and lines with a warning, instead of stopping."""

    images: int = Field(2_000_000, ge=1)
    """How many real images are shown in all."""
    minutes: float | None = Field(None, gt=0)
    """Time to train for; takes the place of `images`."""
    resolution: int = 64
    batch: int = Field(16, ge=2)
    group: int = Field(2, ge=2)
    """Neighbours of one condition in a batch, whose likeness the discriminator sees."""
    width: int = Field(32, ge=2, multiple_of=2)
    latent_dim: int = Field(96, ge=1)

    loss: Literal["relativistic", "nonsaturating"] = "relativistic"
    class_weight: float = Field(0.5, ge=0)
    """Of the classification heads, for both players."""
    diversity_weight: float = Field(3.0, ge=0)
    """Of the generator's loss for fakes of one condition that are more alike than real faces."""
    penalty: float = Field(0.3, ge=0)
    """γ of R1 (and R2, with the relativistic loss)."""
    penalty_every: int = Field(8, ge=1)
    learning_rate: float = Field(4e-4, gt=0)
    anneal: float = Field(0.4, ge=0, le=1)
    """The last part of the training, over which the learning rate falls to a twentieth."""
    ema_images: int = Field(10_000, ge=1)
    """Half-life of the averaged generator, in images."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = Field(0, ge=0)
    """CPU threads; 0 = all cores."""
    seed: int = Field(0, ge=0)
    report_images: int = Field(20_000, ge=1)
    checkpoint_minutes: float = Field(4, gt=0)

    @model_validator(mode="after")
    def _fits(self) -> "TrainSettings":
        check_size(self.resolution)
        if self.batch % self.group:
            raise ValueError(f"batch ({self.batch}) must be a multiple of group ({self.group})")
        return self


class JudgeSettings(Section):
    images: int = Field(120_000, ge=1)
    """How many images the judge is trained on."""


class PromoteSettings(Section):
    margin: float = Field(0.02, ge=0)
    """How much worse, as a share, a figure may be and still count as not worse."""


class TrainingSettings(Settings):
    models: ModelsSettings = ModelsSettings()
    train: TrainSettings = TrainSettings()
    judge: JudgeSettings = JudgeSettings()
    promote: PromoteSettings = PromoteSettings()

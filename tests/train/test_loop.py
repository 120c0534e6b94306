"""Small trainings: they learn, resume exactly, and stop cleanly."""

import io
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from rich.console import Console

from export.manifest import Attribute
from train import checkpoint, loop
from train.adversarial import AdversarialTrainer
from train.data import Faces, load
from train.loop import DivergedError, Stopped
from train.metrics import Judge, prepare
from train.models import load_generator
from train.networks.base import SIZES
from train.networks.irodori import IrodoriDiscriminator, IrodoriGenerator
from train.report import SampleReporter, append_log, grid_labels, read_log, save_plot
from train.settings import FeatureSettings, NetworkSettings, OptimizerSettings, TrainSettings

TINY = TrainSettings(
    images=480,
    report_images=160,
    device="cpu",
    network=NetworkSettings(width=4, latent_dim=8, resolution=32),
    features=FeatureSettings(weight=0),
    optimizer=OptimizerSettings(batch=8),
)


def tiny(**changed: Any) -> TrainSettings:
    """TINY with changes to [train], to its network or its optimizer."""
    settings = TINY
    for section in ("network", "optimizer"):
        old = getattr(settings, section)
        new = {key: value for key, value in changed.items() if key in type(old).model_fields}
        settings = settings.model_copy(update={section: old.model_copy(update=new)})
        changed = {key: value for key, value in changed.items() if key not in new}
    return settings.model_copy(update=changed)


def train(
    run: Path, settings: TrainSettings, faces: Faces, judge: Judge, console: Console
) -> AdversarialTrainer:
    trainer = AdversarialTrainer(settings, faces)
    loop.train(run, settings, trainer, SampleReporter(trainer, judge), console)
    return trainer


@pytest.fixture(scope="module")
def faces(few_faces_zip: Path) -> Faces:
    return load(few_faces_zip, 32)


@pytest.fixture(scope="module")
def judge(faces: Faces, tmp_path_factory: pytest.TempPathFactory) -> Judge:
    return prepare(faces, tmp_path_factory.mktemp("judge"), images=320)


def start(run: Path, faces: Faces, settings: TrainSettings = TINY) -> Path:
    checkpoint.write_run(
        run,
        checkpoint.RunInfo(
            run=run.name,
            attributes=faces.attributes,
            latent_dim=settings.network.latent_dim,
            image_size=settings.network.resolution,
            fingerprint=faces.fingerprint,
            settings=settings.model_dump(mode="json"),
        ),
    )
    return run


def quiet() -> Console:
    return Console(file=io.StringIO())


def test_reports_are_written(tmp_path: Path, faces: Faces, judge: Judge) -> None:
    run = start(tmp_path / "run", faces)
    trainer = train(run, TINY, faces, judge, quiet())
    assert trainer.images == 480
    log = read_log(run)
    assert [line["images"] for line in log] == [160, 320, 480]
    assert all(line["images_per_second"] > 0 for line in log)
    assert {"generator", "discriminator", "penalty", "hair_as_asked", "eyes_as_asked"} <= set(
        log[0]
    )
    assert log[0]["learning_rate"] == TINY.optimizer.learning_rate
    assert log[-1]["learning_rate"] == pytest.approx(TINY.optimizer.learning_rate / 20), "annealed"
    grids = ["samples-000000k160.png", "samples-000000k320.png", "samples-000000k480.png"]
    assert sorted(file.name for file in run.glob("samples-*")) == grids
    with Image.open(run / grids[-1]) as grid:
        assert grid.size == (3 * 32, 4 * 32), "a row a hair color, a column an eye color"
    with Image.open(run / "losses.png") as plot:
        assert plot.size[0] > 400
    generator, info = load_generator(run)
    assert info.images == 480
    assert info.attributes == faces.attributes
    latent, condition = torch.randn(2, 8), torch.zeros(2, 7)
    # Except for the memory format, which changes the order of summation.
    assert torch.allclose(generator(latent, condition), trainer.ema(latent, condition), atol=1e-5)


def test_the_plot_has_shares_that_later_reports_measured(tmp_path: Path) -> None:
    heights = []
    for name in ("loss", "hair_as_asked"):
        run = tmp_path / name
        run.mkdir()
        append_log(run, {"images": 160, "generator": 1.0})
        append_log(run, {"images": 320, "generator": 1.0, name: 0.5})
        save_plot(run)
        with Image.open(run / "losses.png") as plot:
            heights.append(plot.size[1])
    assert heights == [300, 600], "a second panel"


def test_resume_is_exact_bit_for_bit(
    tmp_path: Path, faces: Faces, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(start(tmp_path / "whole", faces), TINY, faces, judge, quiet())

    run = start(tmp_path / "cut", faces)
    step = AdversarialTrainer.train_step

    def interrupted(self: AdversarialTrainer, progress: float) -> dict[str, torch.Tensor]:
        if self.step == 33:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(self, progress)

    monkeypatch.setattr(AdversarialTrainer, "train_step", interrupted)
    with pytest.raises(Stopped, match=r"SIGTERM at 272 images.*--resume"):
        train(run, TINY, faces, judge, quiet())
    monkeypatch.undo()
    resumed = train(run, TINY, faces, judge, quiet())

    assert resumed.step == whole.step
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name
    timeless = [
        [
            {k: v for k, v in line.items() if "second" not in k and "memory" not in k}
            for line in read_log(folder)
        ]
        for folder in (tmp_path / "whole", run)
    ]
    assert timeless[0] == timeless[1]


class IdleReporter:
    """Waits at the first report, as a training waits while other programs use the processor."""

    command = "python -m train"

    def __init__(self, seconds: float) -> None:
        self.seconds, self.count = seconds, 0

    def __call__(self, folder: Path, images: int) -> dict[str, float]:
        if not self.count:
            time.sleep(self.seconds)
        self.count += 1
        return {}


@pytest.mark.parametrize("clock", ["wall", "processor"])
def test_the_processor_clock_does_not_count_the_time_of_other_programs(
    clock: str, tmp_path: Path, faces: Faces
) -> None:
    reporter, seconds = IdleReporter(1.2), 1.0
    settings = tiny(minutes=seconds / 60, clock=clock, report_images=8)
    loop.train(tmp_path, settings, AdversarialTrainer(settings, faces), reporter, Console())
    assert checkpoint.read_progress(tmp_path).seconds >= seconds
    assert (reporter.count == 1) == (clock == "wall")


def test_error_for_the_processor_clock_on_a_gpu() -> None:
    with pytest.raises(ValueError, match="clock = processor needs device = cpu"):
        TrainSettings(clock="processor", device="cuda")


def test_lines_logged_after_the_checkpoint_are_dropped(
    tmp_path: Path, faces: Faces, judge: Judge
) -> None:
    """After SIGKILL, run and log continue from the last checkpoint."""
    run = start(tmp_path / "run", faces)
    train(run, tiny(images=160), faces, judge, quiet())
    (run / "log.jsonl").open("a").write('{"images": 320, "generator": 1.0}\n')
    train(run, TINY, faces, judge, quiet())
    assert [line["images"] for line in read_log(run)] == [160, 320, 480]


def test_a_run_killed_while_logging_resumes(tmp_path: Path, faces: Faces, judge: Judge) -> None:
    """Before the first checkpoint the run starts again."""
    run = start(tmp_path / "run", faces)
    (run / "log.jsonl").write_text('{"images": 160, "generator": 1.0}\n{"images": 320, "gen')
    train(run, TINY, faces, judge, quiet())
    assert [line["images"] for line in read_log(run)] == [160, 320, 480]


def test_ctrl_c_while_the_last_checkpoint_is_saved_stops(
    tmp_path: Path, faces: Faces, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = checkpoint.save

    def interrupted(*arguments: Any) -> None:
        save(*arguments)
        os.kill(os.getpid(), signal.SIGINT)

    run = start(tmp_path / "run", faces)
    monkeypatch.setattr(checkpoint, "save", interrupted)
    with pytest.raises(Stopped, match="SIGINT at 480 images"):
        train(run, TINY, faces, judge, quiet())
    assert checkpoint.read_run(run).images == 480


def test_weights_that_are_not_finite_are_not_saved(
    tmp_path: Path, faces: Faces, judge: Judge
) -> None:
    """The losses of a step are those before its update."""
    run = start(tmp_path / "run", faces)
    wild = tiny(learning_rate=1e39, anneal=0.0, images=8)
    with pytest.raises(DivergedError, match=r"diverged at 8 images: .* is not finite. A lower"):
        train(run, wild, faces, judge, quiet())
    assert not (run / "checkpoint.safetensors").exists()


def test_a_checkpoint_of_a_gpu_resumes_on_the_cpu(
    tmp_path: Path, faces: Faces, judge: Judge
) -> None:
    run = start(tmp_path / "run", faces)
    trainer = train(run, tiny(images=160), faces, judge, quiet())
    state = trainer.state_dict() | {
        "rng": torch.zeros(16, dtype=torch.uint8)
    }  # the length of a CUDA state
    checkpoint.save(run, state, checkpoint.read_progress(run))
    assert train(run, TINY, faces, judge, quiet()).images == 480


def test_error_for_a_checkpoint_of_other_networks(
    tmp_path: Path, faces: Faces, judge: Judge
) -> None:
    run = start(tmp_path / "run", faces)
    wide = tiny(images=8, width=8)
    train(run, wide, faces, judge, quiet())
    with pytest.raises(checkpoint.CheckpointError, match="of other networks"):
        train(run, TINY, faces, judge, quiet())
    with pytest.raises(checkpoint.CheckpointError, match="of other networks"):
        load_generator(run)


def test_a_second_divergence_ends_the_training_and_keeps_the_checkpoint(
    tmp_path: Path, faces: Faces, judge: Judge
) -> None:
    run = start(tmp_path / "run", faces)
    train(run, tiny(images=160), faces, judge, quiet())
    good = (run / "checkpoint.safetensors").read_bytes()
    output = io.StringIO()
    wild = tiny(learning_rate=1e12, images=4_000)
    with pytest.raises(DivergedError, match=r"diverged at .* images: .* loss is .*checkpoint"):
        train(run, wild, faces, judge, Console(file=output))
    assert output.getvalue().count("with half") == 1
    assert (run / "checkpoint.safetensors").read_bytes() == good
    found = checkpoint.read_divergence(run)
    assert found
    assert found.images == 8 * found.step > 160
    assert "loss is" in found.sign
    train(run, tiny(images=168), faces, judge, quiet())
    assert checkpoint.read_divergence(run) is None, "it was resumed"


def test_a_divergence_resumes_once_with_half_the_learning_rate(
    tmp_path: Path, faces: Faces, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(tmp_path / "run", faces)
    train(run, tiny(images=160, anneal=0), faces, judge, quiet())
    step = AdversarialTrainer.train_step
    interrupted_at: list[int] = []

    def spoil_once(self: AdversarialTrainer, progress: float) -> dict[str, torch.Tensor]:
        figures = step(self, progress)
        if self.step == 40 and not interrupted_at:
            interrupted_at.append(self.step)
            figures["feature_discriminator"] = torch.tensor(torch.nan)
        return figures

    monkeypatch.setattr(AdversarialTrainer, "train_step", spoil_once)
    trainer = train(run, tiny(anneal=0), faces, judge, quiet())
    assert trainer.images == 480
    assert interrupted_at == [40]
    rates = [line["learning_rate"] for line in read_log(run)]
    assert rates == pytest.approx([4e-4, 2e-4, 2e-4])
    progress = checkpoint.read_progress(run)
    assert (progress.rate_factor, progress.fallbacks) == (0.5, 1)


def test_error_for_a_damaged_or_missing_checkpoint(tmp_path: Path, faces: Faces) -> None:
    with pytest.raises(checkpoint.CheckpointError, match=r"is not a run: it has no run\.json"):
        load_generator(tmp_path)
    run = start(tmp_path / "run", faces)
    with pytest.raises(checkpoint.CheckpointError, match=r"has no checkpoint"):
        load_generator(run)
    (run / "checkpoint.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0nonsense")
    with pytest.raises(checkpoint.CheckpointError, match="damaged"):
        load_generator(run)


def test_colors_are_learned(faces: Faces, judge: Judge, tmp_path: Path) -> None:
    """With pink hair requested, images are more pink than with black hair."""
    settings = tiny(images=4_000, report_images=10**6, batch=16)
    run = start(tmp_path / "run", faces, settings)
    ema = train(run, settings, faces, judge, quiet()).ema
    latents = torch.randn(32, 8, generator=torch.Generator().manual_seed(1))
    condition = torch.zeros(32, 7)
    condition[:, 4] = 1
    black, pink = condition.clone(), condition.clone()
    black[:, 1], pink[:, 2] = 1, 1
    redness = [ema(latents, c)[:, 0].mean().item() for c in (black, pink)]
    assert redness[1] > redness[0] + 0.1


def test_untagged_images_train_unconditionally(faces: Faces, judge: Judge, tmp_path: Path) -> None:
    plain = replace(faces, labels=faces.labels[:, :0], attributes=())
    settings = tiny(images=80, report_images=80)
    judge_of_plain = prepare(plain, tmp_path, images=64)
    run = start(tmp_path / "run", plain, settings)
    trainer = train(run, settings, plain, judge_of_plain, quiet())
    assert trainer.ema(torch.randn(2, 8), torch.zeros(2, 0)).shape == (2, 3, 32, 32)
    with Image.open(run / "samples-000000k080.png") as grid:
        assert grid.size == (8 * 32, 8 * 32)


@pytest.mark.parametrize("size", SIZES)
def test_networks_support_all_sizes(size: int) -> None:
    generator = IrodoriGenerator(size, 8, (4, 3), width=4)
    pictures = generator(torch.randn(4, 8), torch.eye(7)[:4])
    assert pictures.shape == (4, 3, size, size)
    assert pictures.abs().max() <= 1
    score, logits = IrodoriDiscriminator(size, (4, 3), width=4)(pictures, torch.eye(7)[:4])
    assert score.shape == (4,)
    assert [head.shape for head in logits] == [(4, 4), (4, 3)]


def test_a_mixed_condition_lies_between() -> None:
    generator = IrodoriGenerator(32, 8, (2,), width=4).eval()
    latent = torch.randn(1, 8)
    whole = [generator.embedding(c) for c in torch.eye(2)]  # type: ignore[misc]
    mixed = generator.embedding(torch.tensor([0.5, 0.5]))  # type: ignore[misc]
    assert torch.allclose(mixed, (whole[0] + whole[1]) / 2, atol=1e-6)
    assert generator(latent, torch.tensor([[0.5, 0.5]])).shape == (1, 3, 32, 32)


def test_grid_is_limited_to_the_first_values() -> None:
    values = tuple(f"{n:03}" for n in range(200))
    many = Attribute(name="hat", values=values, frequencies=(1 / 200,) * 200)
    labels, columns = grid_labels((many, many))
    assert len(labels) == 16 * columns == 256


def test_grid_labels(faces: Faces) -> None:
    labels, columns = grid_labels(faces.attributes)
    assert columns == 3
    assert labels[:4].tolist() == [[0, 0], [0, 1], [0, 2], [1, 0]]
    assert len(labels) == 12

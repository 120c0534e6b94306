"""Measures the speed of the training loop, compared with a baseline implementation.

    python benchmarks/train.py [--data faces64.zip] [--batch 16] [--threads 2]

Four loops train the same networks with the same batch size and number of threads:

- this project's loop without feature discriminators, in float32, for comparison with the baseline;
- the baseline: a DataLoader with two workers that decodes files with PIL and augments them with
  torchvision, separate backward passes for the discriminator's loss, its penalty and the
  generator's loss, float32, the default memory format and Adam of PyTorch, and an EMA updated
  tensor by tensor;
- this project's loop without feature discriminators, in bfloat16;
- this project's loop with the default settings, including feature discriminators.

The loops run in separate processes, which alternate in blocks of steps; the table has medians over
blocks, so that other load on the machine affects all loops. Without --data the images are
synthetic.

The script also prints the share of time of each part of the loop, and its floating-point operations
per second relative to matrix products of the same shapes as the convolutions.
"""

import argparse
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that `train` is the package

from benchmarks.train_baseline import PlainTrainer
from export.manifest import Attribute
from train.adversarial import AdversarialTrainer
from train.data import Faces, load
from train.distributed import SINGLE_PROCESS
from train.machine import make_ready, multiplies_in_bfloat16
from train.networks.irodori import IrodoriDiscriminator
from train.settings import TrainSettings

SPOTS = 2048
"""Number of synthetic images without --data."""
MATMULS = 20
OURS, PLAIN = "ours, float32", "baseline, float32"


def synthetic_faces(size: int, device: str) -> Faces:
    """Random smooth images, which take about as long to decode as faces."""
    random = np.random.RandomState(0)
    spots = random.randint(0, 256, (SPOTS, 6, 6, 3), np.uint8)
    images = [
        np.asarray(Image.fromarray(spot).resize((size, size), Image.Resampling.BICUBIC))
        for spot in spots
    ]
    values = (12, 11)
    labels = np.stack([random.randint(0, n, SPOTS) for n in values], axis=1)
    attributes = tuple(
        Attribute(name=name, values=tuple(f"{i:02}" for i in range(n)), frequencies=(1 / n,) * n)
        for name, n in zip(("hair", "eyes"), values, strict=True)
    )
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()
    return Faces("soft", pixels.to(device), torch.from_numpy(labels).to(device), attributes)


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts floating-point operations; FlopCounterMode does not support autograd.grad."""

    total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func.overloadpacket)
        if formula is not None:
            self.total += formula(*args, **(kwargs or {}), out_val=result)
        return result


class BenchmarkProcess:
    """One of the loops in a separate process."""

    def __init__(self, connection: Connection, settings: TrainSettings, folder: Path, plain: bool):
        if plain:
            torch.set_num_threads(settings.threads)
            device = torch.device(settings.device)
        else:
            device = make_ready(settings.device, settings.threads, SINGLE_PROCESS)
        faces = torch.load(folder / "faces.pt", weights_only=False)
        faces = replace(faces, images=faces.images.to(device), labels=faces.labels.to(device))
        self.device, self.settings = device, settings
        self.trainer = (
            PlainTrainer(settings, faces, folder) if plain else AdversarialTrainer(settings, faces)
        )
        self.measurements = {
            "steps": self.seconds,
            "parts": self.parts,
            "work": self.work,
        }
        connection.send(self.seconds(2 * settings.objective.penalty_every))  # to warm up
        while (request := connection.recv()) is not None:
            name, steps = request
            connection.send(self.measurements[name](steps))

    def _step(self) -> None:
        if isinstance(self.trainer, AdversarialTrainer):
            self.trainer.train_step(0.0)
        else:
            self.trainer.train_step()

    def seconds(self, steps: int) -> float:
        synchronize(self.device)
        start = time.perf_counter()
        for _ in range(steps):
            self._step()
        synchronize(self.device)
        return time.perf_counter() - start

    def parts(self, steps: int) -> dict[str, float]:
        """Seconds for each part of the loop; the penalty is the extra time of penalty steps."""
        trainer, penalty = self.trainer, self.settings.objective.penalty
        assert isinstance(trainer, AdversarialTrainer)
        spent: defaultdict[str, float] = defaultdict(float)

        def timed(method: Callable[..., Any], part: str) -> Callable[..., Any]:
            def run(*arguments: Any) -> Any:
                synchronize(self.device)
                start = time.perf_counter()
                result = method(*arguments)
                synchronize(self.device)
                name = part
                if part == "update":  # the discriminators' are timed with their steps
                    name = "generator" if arguments[0] == "generator" else ""
                elif part == "discriminator" and trainer.is_penalty_step(penalty):
                    name = "penalized"
                spent[name] += time.perf_counter() - start
                return result

            return run

        for method, part in METHODS.items():
            setattr(trainer, method, timed(getattr(trainer, method), part))
        self.seconds(steps)
        for method in METHODS:
            delattr(trainer, method)
        every = self.settings.objective.penalty_every
        del spent[""]
        if every > 1:
            without_penalty = spent["discriminator"] / (every - 1)
            spent["penalty"] = spent.pop("penalized") - without_penalty
            spent["discriminator"] += without_penalty
        return dict(spent)

    def work(self, steps: int) -> tuple[float, float]:
        """Floating-point operations per step, and operations per second of matrix products of the
        same shapes as the convolutions.
        """
        counter = Operations()  # type: ignore[no-untyped-call]
        with torch.compiler.set_stance("force_eager"), counter:
            self.seconds(steps)
        operations = seconds = 0.0
        for m, k, n in self._shapes():
            a, b = (torch.randn(shape, device=self.device) for shape in ((m, k), (k, n)))
            times = []
            for _ in range(5):
                synchronize(self.device)
                start = time.perf_counter()
                for _ in range(MATMULS):
                    a @ b
                synchronize(self.device)
                times.append((time.perf_counter() - start) / MATMULS)
            operations += 2 * m * k * n
            seconds += statistics.median(times)
        return counter.total / steps, operations / seconds

    def _shapes(self) -> Iterator[tuple[int, int, int]]:
        """Dimensions of the matrix product of each convolution of the discriminator.

        Those of the generator are the same in reverse order.
        """
        side = self.settings.network.resolution
        discriminator = self.trainer.discriminator
        assert isinstance(discriminator, IrodoriDiscriminator)
        for layer in discriminator.downsample:
            assert isinstance(layer, nn.Conv2d)
            side //= 2
            yield (
                self.settings.optimizer.batch * side**2,
                16 * layer.in_channels,
                layer.out_channels,
            )


METHODS = {
    "draw_batch": "data",
    "generate": "generator",
    "_pixel_step": "discriminator",
    "_feature_step": "feature discriminators",
    "update": "update",
    "average_generator": "EMA",
}


def start(settings: TrainSettings, folder: Path, plain: bool) -> Connection:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=BenchmarkProcess, args=(theirs, settings, folder, plain))
    process.start()
    theirs.close()
    return ours


def ask(connection: Connection, name: str, steps: int) -> Any:
    connection.send((name, steps))
    return connection.recv()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder, zip file or tar file of images")
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--width", type=int, default=TrainSettings().network.width)
    parser.add_argument(
        "--threads", type=int, default=torch.get_num_threads(), help="threads of each loop"
    )
    parser.add_argument("--rounds", type=int, default=10, help="number of blocks of each loop")
    parser.add_argument("--steps", type=int, default=16, help="steps per block; a multiple of 8")
    arguments = parser.parse_args()
    for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
        measure(arguments, device)


def loops(arguments: argparse.Namespace, device: str) -> dict[str, TrainSettings]:
    """The settings of each loop, by its name."""

    def settings(precision: str, features: bool) -> TrainSettings:
        chosen = {"batch": arguments.batch, "width": arguments.width}
        given = chosen | {"resolution": arguments.resolution}
        given |= {"device": device, "threads": arguments.threads, "precision": precision}
        return TrainSettings(**given | ({} if features else {"features": {"weight": 0}}))

    fastest = "bfloat16" if multiplies_in_bfloat16("auto", torch.device(device)) else "float32"
    return {
        OURS: settings("float32", False),
        PLAIN: settings("float32", False),
        "ours, bfloat16": settings("bfloat16", False),
        f"ours with features, {fastest}": settings("auto", True),
    }


def measure(arguments: argparse.Namespace, device: str) -> None:
    chosen = loops(arguments, device)
    settings = chosen[OURS]
    resolution, batch = settings.network.resolution, settings.optimizer.batch
    every = settings.objective.penalty_every
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.data:
            faces = load(arguments.data, resolution, skip_bad=True)
        else:
            faces = synthetic_faces(resolution, "cpu")
        torch.save(faces, folder / "faces.pt")
        for number, pixels in enumerate(faces.images.permute(0, 2, 3, 1).contiguous().numpy()):
            Image.fromarray(pixels).save(folder / f"{number}.png")
        running = {name: start(s, folder, name == PLAIN) for name, s in chosen.items()}
        for connection in running.values():
            connection.recv()
        speeds: dict[str, list[float]] = {name: [] for name in running}
        for _ in range(arguments.rounds):
            for name, connection in running.items():
                seconds = ask(connection, "steps", arguments.steps)
                speeds[name].append(arguments.steps * batch / seconds)
        parts = ask(running[name], "parts", 4 * every)
        operations, rate = ask(running[OURS], "work", every)
        for connection in running.values():
            connection.send(None)
    print(f"{device}, {resolution} pixels, batch {batch}: images/s, and ratio to the baseline")
    for name, found in speeds.items():
        ratio = statistics.median(a / b for a, b in zip(found, speeds[PLAIN], strict=True))
        print(f"  {name:32}{statistics.median(found):8.1f}{ratio:8.2f}")
    whole = sum(parts.values())
    shares = ", ".join(f"{part} {seconds / whole:.0%}" for part, seconds in parts.items())
    print(f"  time of the last loop: {shares}")
    ours = operations * statistics.median(speeds[OURS]) / batch
    print(
        f"  {OURS}: {ours / 1e9:.0f} GFLOP/s, {ours / rate:.0%} of the {rate / 1e9:.0f} of "
        "float32 matrix products of the same shapes"
    )


if __name__ == "__main__":
    main()

"""Measures inference: latency of the model in use, and the engine compared with eager PyTorch.

    python benchmarks/serve.py [--run RUN] [--models DIR] [--seconds S] [--backend ray]

The first table is the latency of single pictures of the model in use: at each size, with one
candidate and with the number of the model, for 1 and for 64 concurrent clients.

The second table compares the float and the int8 upscaler of the model in use, if it has both: 64
concurrent clients at the largest size. The gain depends on the processor's instructions for int8
(VNNI).

The third table has pictures painted and encoded as PNG: as the bot does it, where the next batch is
painted meanwhile, and one after the other.

The last table compares the engine with eager PyTorch for one generator: that of a run, or one
with the architecture of the model in use and random weights.

With `--backend ray` the only table compares the engine in this process with replicas on a local
Ray cluster, one replica per core (extra "cluster").

Each client requests one picture at a time, without pauses. Contestants alternate in short rounds,
so that other load on the machine affects them equally.
"""

import argparse
import asyncio
import itertools
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import numpy as np
import onnxruntime
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that `train` is the package

from bot.errors import ModelUnavailable
from bot.inference.engine import Engine
from bot.inference.model import CUDA
from bot.inference.process_backend import ProcessBackend
from bot.settings import EngineSettings
from bot.studio.images import encode_png
from config.cores import usable_cores
from export.convert import PixelGenerator, to_onnx
from export.manifest import GENERATOR, UPSCALER_INT8, Manifest, ModelError
from export.registry import Registry
from train.checkpoint import CheckpointError, RunInfo
from train.models import build_generator, load_generator

CONCURRENT = (1, 8, 64)
ROUNDS = 5
HEAD = f"{'concurrent':>10}  {'':24}{'p50 ms':>9}{'p99 ms':>9}{'pictures/s':>12}"

Paint = Callable[[np.ndarray, np.ndarray], Awaitable[np.ndarray]]


@dataclass
class Contestant:
    name: str
    paint: Paint
    batch: bool = False  # one request for all clients together
    clients: int = 1
    latencies: list[float] = field(default_factory=list)  # seconds, of each request
    pictures: int = 0
    seconds: float = 0.0

    @property
    def throughput(self) -> float:
        return self.pictures / self.seconds

    def __str__(self) -> str:
        p50, p99 = np.percentile(self.latencies, (50, 99)) * 1000
        return f"{self.clients:10}  {self.name:24}{p50:9.1f}{p99:9.1f}{self.throughput:12.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--run", type=Path, help="a training run, such as runs/faces64")
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--backend", choices=("process", "ray"), default="process")
    parser.add_argument("--seconds", type=float, default=5, help="duration of each measurement")
    arguments = parser.parse_args()
    try:
        if arguments.backend == "ray":
            asyncio.run(compare_backends(Registry(arguments.models), arguments.seconds))
            return
        if arguments.run is not None:
            generator, info = load_generator(arguments.run)
        else:
            info = architecture_in_use(Registry(arguments.models))
            torch.manual_seed(0)
            generator = build_generator(info.train_settings, info.sizes).eval()
            asyncio.run(serve(Registry(arguments.models), arguments.seconds))
    except (CheckpointError, ModelError, ModelUnavailable) as error:
        sys.exit(f"{error}\n(--run takes a training run, --models a folder with a model in use)")
    asyncio.run(compare(generator, info, arguments.seconds))


def architecture_in_use(registry: Registry) -> RunInfo:
    """The architecture of the model in use. Raises ModelError."""
    _, manifest = registry.load()
    return RunInfo(
        run=manifest.name,
        attributes=manifest.attributes,
        latent_dim=manifest.latent_dim,
        image_size=manifest.image_size,
        fingerprint="",
        settings=manifest.training["settings"],
    )


async def serve(registry: Registry, seconds: float) -> None:
    """Measures the model in use: each size, with one candidate and with its own number."""
    engine = await Engine.open(registry, EngineSettings())
    model = engine.model
    lines = [
        Contestant(
            f"{size} pixels, best of {count}",
            rejection_sampling(engine, size, count),
            clients=clients,
        )
        for clients in (1, max(CONCURRENT))
        for size in model.sizes
        for count in sorted({1, model.candidates})
    ]
    latents, conditions = requests(model.manifest, max(CONCURRENT))
    print(f"{model.name}, {model.provider}, {usable_cores()} cores (load {load()})\n")
    print(HEAD)
    for line in lines:
        await line.paint(latents[: line.clients], conditions[: line.clients])
        await run_clients(line, latents, conditions, seconds)
    await engine.close()
    print(*lines, "", sep="\n")
    if UPSCALER_INT8 in model.manifest.files:
        await compare_upscalers(registry, latents, conditions, seconds)
    await compare_encoding(registry, latents, conditions, seconds)


async def compare_upscalers(
    registry: Registry, latents: np.ndarray, conditions: np.ndarray, seconds: float
) -> None:
    """The same requests with the float and the int8 upscaler, whichever the model would choose."""
    engines, lines = [], []
    for int8 in (False, True):
        with mock.patch("bot.inference.model.prefers_int8", lambda *_, int8=int8: int8):
            engine = await Engine.open(registry, EngineSettings())
        engines.append(engine)
        lines += [
            Contestant(
                f"{'int8' if int8 else 'float'}, best of {count}",
                rejection_sampling(engine, engine.model.sizes[-1], count),
                clients=max(CONCURRENT),
            )
            for count in sorted({1, engine.model.candidates})
        ]
    await rounds(lines, latents, conditions, seconds)
    for engine in engines:
        await engine.close()
    print(f"int8 instructions (VNNI): {vnni()}\n{HEAD}\n" + "\n".join(map(str, lines)))
    half = len(lines) // 2
    for full, quantized in zip(lines[:half], lines[half:], strict=True):
        print(f"  {quantized.name}: {quantized.throughput / full.throughput:.2f} x float")
    print()


async def compare_encoding(
    registry: Registry, latents: np.ndarray, conditions: np.ndarray, seconds: float
) -> None:
    """Painting and encoding at the same time, and one after the other."""
    backend = await ProcessBackend.open(registry, EngineSettings())
    engine = Engine(backend, EngineSettings())
    painted = rejection_sampling(engine, engine.model.sizes[-1], engine.model.candidates)

    def encoding(executor: ThreadPoolExecutor) -> Paint:
        async def paint(latents: np.ndarray, conditions: np.ndarray) -> np.ndarray:
            images = await painted(latents, conditions)
            loop = asyncio.get_running_loop()
            for image in images:
                await loop.run_in_executor(executor, encode_png, image)
            return images

        return paint

    with ThreadPoolExecutor() as threads:
        overlapping = Contestant("overlapping", encoding(threads), clients=max(CONCURRENT))
        # the backend's only thread cannot paint meanwhile
        sequential = Contestant("sequential", encoding(backend._worker), clients=max(CONCURRENT))
        await rounds([overlapping, sequential], latents, conditions, seconds)
    await engine.close()
    print(f"Painted and encoded\n{HEAD}", overlapping, sequential, sep="\n")
    ratio = overlapping.throughput / sequential.throughput
    print(f"  overlapping: {ratio:.2f} x sequential\n")


async def compare_backends(registry: Registry, seconds: float) -> None:
    """The model in use, painted in this process and by replicas of Ray Serve on this machine."""
    import ray
    from ray import serve

    from bot.inference.ray_backend import RayBackend
    from bot.inference.ray_replica import application

    cores = usable_cores()
    settings = EngineSettings(ray_min_replicas=cores, ray_max_replicas=cores)
    ray.init(num_cpus=cores, include_dashboard=False, log_to_driver=False)
    serve.start(proxy_location="Disabled")
    replicas = serve.run(application(registry.root, settings), route_prefix=None)
    engines = {
        "this process": await Engine.open(registry, settings),
        f"Ray, {cores} replicas": Engine(
            await RayBackend.open(registry, settings, replicas), settings
        ),
    }
    model = engines["this process"].model
    latents, conditions = requests(model.manifest, max(CONCURRENT))
    print(
        f"{model.name}, {model.provider}, {cores} cores (load {load()}), Ray {ray.__version__}, "
        f"best of {model.candidates}\n\n{HEAD}"
    )
    for size in (model.sizes[0], model.sizes[-1]):
        for clients in CONCURRENT:
            lines = [
                Contestant(
                    f"{name}, {size} pixels",
                    rejection_sampling(engine, size, model.candidates),
                    clients=clients,
                )
                for name, engine in engines.items()
            ]
            await rounds(lines, latents, conditions, seconds)
            print(*lines, "", sep="\n")
    for engine in engines.values():
        await engine.close()


def vnni() -> str:
    """Whether the processor has instructions for products of int8 vectors, as far as known."""
    try:
        flags = Path("/proc/cpuinfo").read_text("utf-8").split()
    except OSError:
        return "unknown"
    return "yes" if {"avx512_vnni", "avx_vnni"} & set(flags) else "no"


def rejection_sampling(engine: Engine, size: int, count: int) -> Paint:
    """Rejection sampling with `count` candidates; each request has a different user."""
    users = itertools.count()

    async def paint(latents: np.ndarray, conditions: np.ndarray) -> np.ndarray:
        candidates = np.stack([np.roll(latents, i, axis=1) for i in range(count)], axis=1)
        images, _ = await engine.paint_best(
            candidates, conditions, size=size, user=str(next(users))
        )
        return images

    return paint


async def compare(generator: torch.nn.Module, info: RunInfo, seconds: float) -> None:
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(exported(generator, info))
        manifest = engine.model.manifest
        network = PixelGenerator(generator).eval()
        device = "cuda" if engine.model.provider == CUDA else "cpu"
        network.to(device)
        cores = usable_cores()
        contestants = [
            Contestant("engine", engine.paint),
            Contestant("eager, one by one", eager(stack, network, device, 1, cores)),
            Contestant("eager, all in one batch", eager(stack, network, device, 1, cores), True),
        ]
        if device == "cpu" and cores > 1:
            one_core_each = eager(stack, network, device, cores, 1)
            contestants.insert(2, Contestant("eager, a core each", one_core_each))

        latents, conditions = requests(manifest, max(CONCURRENT))
        pictures = [await c.paint(latents, conditions) for c in contestants]
        difference = max(int(np.abs(p.astype(int) - pictures[0]).max()) for p in pictures)
        print(
            f"{info.run}: {manifest.image_size} x {manifest.image_size} pixels, "
            f"{sum(p.numel() for p in generator.parameters()) / 1e6:.1f} M parameters; "
            f"{engine.model.provider}, {cores} cores (load {load()})\n"
            f"PyTorch {torch.__version__}, ONNX Runtime {onnxruntime.__version__}; "
            f"their pictures differ by at most {difference} of 255\n"
        )
        print(HEAD)
        for concurrent in CONCURRENT:
            for c in contestants:
                c.clients = concurrent
            await rounds(contestants, latents, conditions, seconds)
            print(*contestants, "", sep="\n")
        engine_speed = contestants[0].throughput
        one_by_one = [c for c in contestants[1:] if not c.batch]
        print(f"At {concurrent} concurrent requests the engine is")
        for c in one_by_one:
            print(f"  {engine_speed / c.throughput:.1f} x as fast as {c.name}")


@asynccontextmanager
async def exported(generator: torch.nn.Module, info: RunInfo) -> AsyncIterator[Engine]:
    """An engine with this generator as the model in use."""
    manifest = Manifest(
        name="benchmark",
        created=datetime.now(UTC),
        attributes=info.attributes,
        latent_dim=info.latent_dim,
        image_size=info.image_size,
    )
    graph = to_onnx(generator, manifest.latent_dim, manifest.condition_dim).SerializeToString()

    def build(folder: Path) -> None:
        (folder / GENERATOR).write_bytes(graph)

    with tempfile.TemporaryDirectory() as folder:
        registry = Registry(Path(folder))
        registry.add(manifest, build)
        registry.use(manifest.name)
        engine = await Engine.open(registry, EngineSettings())
        try:
            yield engine
        finally:
            await engine.close()


def eager(
    stack: AsyncExitStack, network: torch.nn.Module, device: str, workers: int, threads: int
) -> Paint:
    """Baseline: a forward pass for each request in a thread pool."""
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(threads,))
    stack.callback(pool.shutdown)

    def forward(latents: np.ndarray, conditions: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            inputs = torch.from_numpy(latents), torch.from_numpy(conditions)
            images, _ = network(*(x.to(device) for x in inputs))
            return np.asarray(images.cpu())

    async def paint(latents: np.ndarray, conditions: np.ndarray) -> np.ndarray:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(pool, forward, latents, conditions)

    return paint


def requests(manifest: Manifest, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Random latents [count, Z] and conditions [count, C]."""
    random = np.random.RandomState(0)
    latents = random.standard_normal((count, manifest.latent_dim)).astype(np.float32)
    conditions = [
        manifest.encode({a.name: random.choice(a.values) for a in manifest.attributes})
        for _ in range(count)
    ]
    return latents, np.stack(conditions)


async def rounds(
    contestants: list[Contestant], latents: np.ndarray, conditions: np.ndarray, seconds: float
) -> None:
    """Measures each contestant for `seconds`, after a warm-up request."""
    for c in contestants:
        c.latencies, c.pictures, c.seconds = [], 0, 0.0
        await c.paint(latents[: c.clients], conditions[: c.clients])
    for _ in range(ROUNDS):
        for c in contestants:
            await run_clients(c, latents, conditions, seconds / ROUNDS)


async def run_clients(
    contestant: Contestant, latents: np.ndarray, conditions: np.ndarray, seconds: float
) -> None:
    """One round of a contestant with concurrent clients."""
    size = contestant.clients if contestant.batch else 1
    started = time.perf_counter()
    end = started + seconds

    async def client(number: int) -> None:
        own = slice(number * size, (number + 1) * size)
        while True:
            requested = time.perf_counter()
            if requested >= end:
                return
            await contestant.paint(latents[own], conditions[own])
            contestant.latencies.append(time.perf_counter() - requested)
            contestant.pictures += size

    await asyncio.gather(*(client(number) for number in range(contestant.clients // size)))
    contestant.seconds += time.perf_counter() - started


def load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


if __name__ == "__main__":
    main()

"""One loaded model: its ONNX Runtime sessions, which share a batch between CPU cores."""

import contextlib
import ctypes
import io
import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import Image

from bot.errors import ModelUnavailable
from bot.inference.model_info import ModelInfo
from bot.inference.upscaler_choice import prefers_int8
from bot.settings import EngineSettings
from config.cores import usable_cores
from export.directions import read_directions
from export.manifest import (
    GENERATOR,
    SCORER,
    UNROUNDED,
    UPSCALER,
    UPSCALER_INT8,
    Manifest,
    ModelError,
)
from export.registry import Registry

log = logging.getLogger(__name__)

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"
SCALE = 4  # factor of an upscaler
SLICE = 8  # pictures per run on one core; more exceed the cache and are not faster


class Model(ModelInfo):
    """Paints pictures. Thread-safe; every method blocks.

    On a CPU each core paints whole pictures, which is faster than splitting each layer between the
    cores. A single picture to upscale is split nevertheless: the upscaler has few, large layers.
    """

    def __init__(self, folder: Path, manifest: Manifest, settings: EngineSettings) -> None:
        def session(file: str, threads: int = 1) -> ort.InferenceSession | None:
            if file not in manifest.files:
                return None
            return _open_session(folder / file, settings.provider, threads)

        self._session = session
        self._generator = _open_session(folder / GENERATOR, settings.provider)
        self._scorer = session(SCORER)
        self._upscaler = session(UPSCALER)
        size = manifest.image_size
        provider: str = self._generator.get_providers()[0]
        self._threads = 1 if provider == CUDA else settings.threads or usable_cores()
        super().__init__(
            name=manifest.name,
            manifest=manifest,
            directions=read_directions(folder, manifest),
            provider=provider,
            sizes=(size, 2 * size, SCALE * size) if self._upscaler else (size,),
            has_scorer=self._scorer is not None,
            candidates=(settings.candidates or manifest.candidates) if self._scorer else 1,
            # Larger batches are not faster on a CPU, and delay other users.
            upscaled_at_once=settings.max_batch if provider == CUDA else 2 * self._threads,
        )
        self._upscaler_shared = (
            session(UPSCALER, self._threads) if self._threads > 1 else self._upscaler
        )
        self._outputs = _outputs(self._generator, self._upscaler)
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix=f"paint-{self.name}")
        self._run_options = ort.RunOptions()

    def paint(self, latents: np.ndarray, conditions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """float32 [n, Z] and [n, C] to uint8 [n, S, S, 3] RGB, and the same pictures for `upscale`:
        before they are rounded, float32, if the model's files have this.
        """

        def paint(latents: np.ndarray, conditions: np.ndarray) -> list[np.ndarray]:
            feed = {"latent": latents, "condition": conditions}
            return list(self._generator.run(self._outputs, feed, self._run_options))

        images, *unrounded = self._spread(paint, SLICE, latents, conditions)
        return images, unrounded[0] if unrounded else images

    def score(self, images: np.ndarray, conditions: np.ndarray) -> np.ndarray:
        """uint8 [n, S, S, 3] and float32 [n, C] to float32 [n], higher is better."""
        scorer = self._scorer
        assert scorer is not None, f"model {self.name} has no scorer"

        def score(images: np.ndarray, conditions: np.ndarray) -> list[np.ndarray]:
            feed = {"image": images, "condition": conditions}
            return list(scorer.run(None, feed, self._run_options))

        return _only(self._spread(score, SLICE, images, conditions))

    def upscale(self, images: np.ndarray, size: int) -> np.ndarray:
        """uint8 or float32 [n, S, S, 3], from 0 to 255, to uint8 [n, size, size, 3]; the size is
        one of `sizes`, and larger than S.
        """
        one_core, all_cores = self._upscaler, self._upscaler_shared
        assert size in self.sizes[1:], f"model {self.name} upscales to {self.sizes[1:]}, not {size}"
        assert one_core is not None
        assert all_cores is not None
        halve = size < self.sizes[-1]
        images = as_taken(images, one_core)

        def upscale(
            images: np.ndarray, session: ort.InferenceSession = one_core
        ) -> list[np.ndarray]:
            large = _only(session.run(None, {"image": images}, self._run_options))
            return [np.stack([_halve(image) for image in large]) if halve else large]

        if len(images) % self._threads != 1 or self._threads == 1:
            return self._spread(upscale, 1, images)[0]
        last = upscale(images[-1:], all_cores)
        if len(images) == 1:
            return last[0]
        return np.concatenate(self._spread(upscale, 1, images[:-1]) + last)

    def enlarge(self, image: np.ndarray, size: int) -> np.ndarray:
        """uint8 [S, S, 3] to [size, size, 3], which is larger: by the upscaler, as often as
        needed, and then scaled down. Interpolated without an upscaler that takes this size.
        """
        upscaler = self._upscaler
        while upscaler is not None and len(image) < size and _takes(upscaler, len(image)):
            feed = {"image": as_taken(image[None], upscaler)}
            image = _only(upscaler.run(None, feed, self._run_options))[0]
        if len(image) == size:
            return image
        filter = Image.Resampling.BOX if len(image) > size else Image.Resampling.LANCZOS
        return np.asarray(Image.fromarray(image).resize((size, size), filter))

    def _spread(
        self, run: Callable[..., list[np.ndarray]], most: int, *arrays: np.ndarray
    ) -> list[np.ndarray]:
        """The outputs of `run` for slices of at most `most` rows of the arrays, a core for each."""
        n = len(arrays[0])
        step = n if self.provider == CUDA else min(most, -(-n // self._threads))
        if step >= n:
            return run(*arrays)
        slices = [[array[i : i + step] for i in range(0, n, step)] for array in arrays]
        parts = self._pool.map(run, *slices)
        return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]

    def abort(self) -> None:
        """Ends the current runs, and all later ones, with an error: even a graph that loops for
        ever.
        """
        self._run_options.terminate = True

    def warm_up(self, max_batch: int) -> None:
        """Paints one picture and a full batch, so that no user waits for allocations.

        Raises ModelUnavailable if an output does not have the dtype and shape of the contract.
        """
        size, largest = self.manifest.image_size, self.sizes[-1]
        for n in (1, max_batch):
            conditions = np.zeros((n, self.manifest.condition_dim), np.float32)
            latents = np.zeros((n, self.manifest.latent_dim), np.float32)
            images, unrounded = self.paint(latents, conditions)
            self._expect(GENERATOR, images, np.uint8, (n, size, size, 3))
            if unrounded is not images:
                self._expect(GENERATOR, unrounded, np.float32, (n, size, size, 3))
            if self._scorer is not None:
                scores = self.score(images, conditions)
                self._expect(SCORER, scores, np.float32, (n,))
                if not np.isfinite(scores).all():
                    raise ModelUnavailable("model-not-finite", name=self.name, file=SCORER)
            if largest > size:
                n = min(n, self.upscaled_at_once)
                large = self.upscale(unrounded[:n], largest)
                self._expect(UPSCALER, large, np.uint8, (n, largest, largest, 3))

    def choose_upscaler(self) -> None:
        """Takes the int8 upscaler if the model has one that is faster on this machine."""
        if self._upscaler is None or UPSCALER_INT8 not in self.manifest.files:
            return
        rng = np.random.RandomState(0)
        latent = rng.standard_normal((1, self.manifest.latent_dim)).astype(np.float32)
        condition = self.manifest.encode({a.name: a.values[0] for a in self.manifest.attributes})
        _, image = self.paint(latent, condition[None])
        image = as_taken(image, self._upscaler)
        try:
            int8 = self._session(UPSCALER_INT8)
            assert int8 is not None
            if not prefers_int8(self._upscaler, int8, image, self._run_options):
                return
            shared = self._session(UPSCALER_INT8, self._threads) if self._threads > 1 else int8
        except Exception as error:  # ONNX Runtime's own errors have no common base
            log.warning("the int8 upscaler of %s is not used: %s", self.name, error)
            return
        self._upscaler, self._upscaler_shared = int8, shared

    def _expect(
        self, file: str, output: np.ndarray, dtype: type[np.generic], shape: tuple[int, ...]
    ) -> None:
        if output.dtype != dtype or output.shape != shape:
            raise ModelUnavailable(
                "model-wrong-output",
                name=self.name,
                file=file,
                made=f"{output.dtype} {list(output.shape)}",
                said=f"{np.dtype(dtype)} {list(shape)}",
            )


def _only(outputs: list[np.ndarray]) -> np.ndarray:
    (output,) = outputs  # its name differs between files
    return output


def as_taken(images: np.ndarray, upscaler: ort.InferenceSession) -> np.ndarray:
    """Images in the dtype that an upscaler takes: float32, or uint8 in earlier versions."""
    return images.astype(np.float32, copy=False) if _takes_floats(upscaler) else images


def _takes_floats(upscaler: ort.InferenceSession) -> bool:
    return bool(upscaler.get_inputs()[0].type == "tensor(float)")


def _outputs(generator: ort.InferenceSession, upscaler: ort.InferenceSession | None) -> list[str]:
    """The outputs of the generator that are used; models of earlier versions have only one."""
    names = [output.name for output in generator.get_outputs()]
    if upscaler is not None and _takes_floats(upscaler) and UNROUNDED in names:
        return [names[0], UNROUNDED]
    return names[:1]


def _takes(upscaler: ort.InferenceSession, size: int) -> bool:
    """Whether an upscaler takes pictures of this size, and not only of its generator's."""
    height = upscaler.get_inputs()[0].shape[1]
    return not isinstance(height, int) or height == size


def _halve(image: np.ndarray) -> np.ndarray:
    """uint8 [2S, 2S, 3] to [S, S, 3], each pixel the mean of four."""
    return np.asarray(Image.fromarray(image).reduce(2))


def load_model(registry: Registry, name: str | None, settings: EngineSettings) -> Model:
    """Loads a model of the registry, by default the one in use, verified and warmed up.

    Raises ModelUnavailable, at the latest after `load_seconds`.
    """
    loading = _Loading(registry, name, settings)
    # a daemon, because the process must be able to end while native code hangs
    threading.Thread(target=loading.run, name="load-model", daemon=True).start()
    if not loading.done.wait(settings.load_seconds):
        loading.abort()
        raise ModelUnavailable(
            "model-too-slow", name=name or "in use", seconds=round(settings.load_seconds)
        )
    if isinstance(loading.result, Model):
        return loading.result
    raise loading.result


class _Loading:
    """Loads a model on a thread of its own. `result` is set when `done` is."""

    def __init__(self, registry: Registry, name: str | None, settings: EngineSettings) -> None:
        self._registry = registry
        self._name = name
        self._settings = settings
        self._model: Model | None = None
        self._aborted = False
        self.done = threading.Event()
        self.result: Model | ModelUnavailable

    def run(self) -> None:
        try:
            self.result = self._load()
        except ModelError as error:
            self.result = ModelUnavailable("model-refused", why=str(error))
            self.result.__cause__ = error
        except ModelUnavailable as error:
            self.result = error
        except BaseException as error:  # ONNX Runtime's own errors have no common base
            name = self._name or "in use"
            self.result = ModelUnavailable("model-does-not-run", name=name, why=str(error))
            self.result.__cause__ = error
        self.done.set()

    def abort(self) -> None:
        self._aborted = True
        if self._model is not None:
            self._model.abort()

    def _load(self) -> Model:
        folder, manifest = self._registry.load(self._name)
        self._model = model = Model(folder, manifest, self._settings)
        if self._aborted:
            model.abort()
        if self._settings.upscaler == "auto":
            model.choose_upscaler()
        model.warm_up(self._settings.max_batch)
        log.info("model %s is loaded (%s)", model.name, model.provider)
        return model


def _open_session(file: Path, provider: str, threads: int = 1) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting threads sleep: spinning doubles the time where other processes need the cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    if provider == "cpu" or (provider == "auto" and not _has_nvidia_driver()):
        return ort.InferenceSession(file, options, providers=[CPU])
    # With TF32 a picture would depend on its batch. The heuristic finds algorithms as fast as
    # those of an exhaustive search for each batch size.
    cuda = {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}
    why = "this build of it has no CUDA"
    if CUDA in ort.get_available_providers():
        why = _preload_cuda()
        session = ort.InferenceSession(file, options, providers=[(CUDA, cuda), CPU])
        if session.get_providers()[0] == CUDA:
            return session
    if provider == "cuda":
        raise ModelUnavailable("model-no-cuda", why=why)
    log.warning(
        "there is an NVIDIA driver, but ONNX Runtime cannot use CUDA (%s); painting on the CPU. "
        "The extra 'cuda' installs what it needs.",
        why,
    )
    return ort.InferenceSession(file, options, providers=[CPU])


@cache
def _preload_cuda() -> str:
    """Loads the CUDA libraries of the extra "cuda"; one line on what is missing."""
    ort.set_default_logger_severity(4)  # the caller logs it
    messages = io.StringIO()
    with contextlib.redirect_stdout(messages):
        ort.preload_dlls()
    return messages.getvalue().partition("\n")[0] or "no CUDA device can be used"


def _has_nvidia_driver() -> bool:
    try:
        ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return False
    return True

"""One loaded model: ONNX Runtime sessions, and how a batch is spread over the machine."""

import contextlib
import ctypes
import io
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime as ort

from bot.errors import ModelUnavailable
from bot.settings import EngineSettings
from export.manifest import GENERATOR, Manifest, ModelError
from export.registry import Registry

log = logging.getLogger(__name__)

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"
SLICE = 8  # pictures that one core paints in one go; more do not pay, they only leave the cache


class Model:
    """Paints; safe to call from several threads, and blocks the one that calls.

    On a CPU each core paints whole pictures by itself: that is faster than to share the layers of
    one picture, where all cores wait for each other dozens of times.
    """

    def __init__(self, folder: Path, manifest: Manifest, settings: EngineSettings) -> None:
        self.name = manifest.name
        self.manifest = manifest
        self._session = _open_session(folder / GENERATOR, settings.provider)
        self.provider: str = self._session.get_providers()[0]
        self._threads = 1 if self.provider == CUDA else settings.threads or usable_cores()
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix=f"paint-{self.name}")

    def paint(self, latents: np.ndarray, conditions: np.ndarray) -> np.ndarray:
        """float32 [n, Z] and [n, C] to uint8 [n, S, S, 3] RGB."""
        n = len(latents)
        step = n if self._threads == 1 else min(SLICE, -(-n // self._threads))
        if step >= n:
            return self._run(latents, conditions)
        starts = range(0, n, step)
        return np.concatenate(
            list(
                self._pool.map(
                    self._run,
                    [latents[i : i + step] for i in starts],
                    [conditions[i : i + step] for i in starts],
                )
            )
        )

    def _run(self, latents: np.ndarray, conditions: np.ndarray) -> np.ndarray:
        images: np.ndarray
        (images,) = self._session.run(["image"], {"latent": latents, "condition": conditions})
        return images

    def warm_up(self, max_batch: int) -> None:
        """Paints one and a full batch, so that no member waits for the first allocations.

        Raises ModelUnavailable if the pictures are not what the manifest says.
        """
        size = self.manifest.image_size
        for n in (1, max_batch):
            images = self.paint(
                np.zeros((n, self.manifest.latent_dim), np.float32),
                np.zeros((n, self.manifest.condition_dim), np.float32),
            )
            if images.shape != (n, size, size, 3) or images.dtype != np.uint8:
                raise ModelUnavailable(
                    f"Model {self.name} paints {images.dtype} {list(images.shape)}, "
                    f"where its manifest says uint8 {[n, size, size, 3]}."
                )


def load_model(registry: Registry, name: str | None, settings: EngineSettings) -> Model:
    """A model of the registry (the one in use if no name is given), verified and warmed up.

    Raises ModelUnavailable.
    """
    try:
        folder, manifest = registry.load(name)
        model = Model(folder, manifest, settings)
        model.warm_up(settings.max_batch)
    except ModelError as error:
        raise ModelUnavailable(f"The model cannot be used: {error}.") from error
    except ModelUnavailable:
        raise
    except Exception as error:  # ONNX Runtime's own errors have no common base
        raise ModelUnavailable(f"Model {name or 'in use'} does not run: {error}") from error
    log.info("model %s is loaded (%s)", model.name, model.provider)
    return model


def usable_cores(quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """How many cores this process may use; `quota` is the file where a container's share stands."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows do not tell
        cores = os.cpu_count() or 1
    try:
        microseconds, period = map(int, quota.read_text().split())
    except (OSError, ValueError):  # no container, or "max": no limit
        return cores
    return max(1, min(cores, round(microseconds / period)))


def _open_session(file: Path, provider: str) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if provider == "cpu" or (provider == "auto" and not _has_nvidia_driver()):
        return ort.InferenceSession(file, options, providers=[CPU])
    # TF32 would let a picture differ by the batch that it is in. The heuristic search is as good
    # here as trying every algorithm anew for each size of batch.
    cuda = {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}
    why = "this build of it has no CUDA"
    if CUDA in ort.get_available_providers():
        why = _preload_cuda()
        session = ort.InferenceSession(file, options, providers=[(CUDA, cuda), CPU])
        if session.get_providers()[0] == CUDA:
            return session
    if provider == "cuda":
        raise ModelUnavailable(
            f"engine.provider is cuda, but ONNX Runtime cannot use CUDA ({why}): "
            "install the extra 'cuda', or set engine.provider to auto."
        )
    log.warning(
        "there is an NVIDIA driver, but ONNX Runtime cannot use CUDA (%s); painting on the CPU. "
        "The extra 'cuda' installs what it needs.",
        why,
    )
    return ort.InferenceSession(file, options, providers=[CPU])


@cache
def _preload_cuda() -> str:
    """Loads the CUDA libraries of the extra "cuda"; what is missing, in a line."""
    ort.set_default_logger_severity(4)  # the caller says it in words
    complaints = io.StringIO()
    with contextlib.redirect_stdout(complaints):
        ort.preload_dlls()
    return complaints.getvalue().partition("\n")[0] or "no CUDA device can be used"


def _has_nvidia_driver() -> bool:
    try:
        ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return False
    return True

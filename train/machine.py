"""Resources of the machine: device, threads, memory, compiler."""

import ctypes
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import torch

from config.cores import usable_cores
from train.distributed import Processes

MMAP_THRESHOLD, TRIM_THRESHOLD, TOP_PAD = -3, -1, -2
"""Parameters of glibc's mallopt(3)."""
BFLOAT16_FLAGS = {"amx_bf16", "avx512_bf16"}
"""CPU flags of instructions that multiply in bfloat16: matrix units (AMX), and AVX-512."""


class MachineError(Exception):
    """A requested device is not available."""


class MemoryShortError(Exception):
    """The memory of the device or of the machine does not suffice."""


def make_ready(
    device: Literal["auto", "cpu", "cuda"], threads: int, processes: Processes
) -> torch.device:
    """Chooses the device of this process, and configures PyTorch. Raises MachineError."""
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "cuda" and not gpus:
        raise MachineError(
            f"train.device is cuda, but PyTorch {torch.__version__} finds no CUDA device; "
            "auto uses a GPU if there is one"
        )
    if device == "cpu" or not gpus:
        # torchrun sets OMP_NUM_THREADS=1 unless it is set already.
        own = max(1, usable_cores() // processes.local_size)
        restricted = processes.world_size > 1 and os.environ.get("OMP_NUM_THREADS") == "1"
        # PyTorch does not know the CPU quota of a container.
        if threads or restricted or own < torch.get_num_threads():
            torch.set_num_threads(threads or own)
        _keep_freed_memory()
        return torch.device("cpu")
    if processes.local_size > gpus:
        raise MachineError(
            f"{processes.local_size} processes need as many GPUs, and this machine has {gpus}: "
            f"torchrun --nproc-per-node {gpus}, or --device cpu"
        )
    if threads:
        torch.set_num_threads(threads)
    torch.cuda.set_device(processes.local_rank)
    torch.backends.cudnn.benchmark = True  # all batches are of one shape
    torch.set_float32_matmul_precision("high")  # TensorFloat-32, as convolutions have anyway
    return torch.device("cuda", processes.local_rank)


def check_clock(clock: Literal["wall", "processor"], device: torch.device) -> None:
    """Raises MachineError for a clock that does not count the time of this device."""
    if clock == "processor" and device.type == "cuda":
        raise MachineError(
            "clock = processor needs device = cpu, since a GPU works beside the processor"
        )


def compiles(wish: Literal["auto", "on", "off"], device: torch.device) -> bool:
    """Whether to compile the networks; auto does so on GPUs that Triton supports."""
    if wish != "auto":
        return wish == "on"
    return (
        device.type == "cuda"
        and torch.cuda.get_device_capability(device) >= (7, 0)
        and importlib.util.find_spec("triton") is not None
    )


def multiplies_in_bfloat16(
    precision: Literal["auto", "float32", "bfloat16"], device: torch.device
) -> bool:
    """Whether forward passes run in bfloat16; auto does so if the hardware supports it.

    CPUs without instructions for products of bfloat16 are slower in it than in float32.
    """
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return not BFLOAT16_FLAGS.isdisjoint(_cpu_flags())


def _cpu_flags() -> set[str]:
    """The CPU flags that Linux lists; empty on other systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return set()
    return {flag for line in lines if line.startswith("flags") for flag in line.split()}


def is_out_of_memory(error: Exception) -> bool:
    """Whether the device or the machine ran out of memory."""
    kinds = (MemoryError, torch.OutOfMemoryError)
    return isinstance(error, kinds) or "DefaultCPUAllocator" in str(error)


@contextmanager
def memory_errors(message: Callable[[Exception], str]) -> Iterator[None]:
    """Raises MemoryShortError with a message for the error, if the memory does not suffice."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise MemoryShortError(message(error)) from None
        raise


def _keep_freed_memory() -> None:
    """Makes glibc keep the freed memory of large tensors.

    Otherwise it returns to the kernel and is mapped again: 7,000 page faults per step.
    """
    if sys.platform == "linux":
        with suppress(AttributeError):  # another C library
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(MMAP_THRESHOLD, 32 * 2**20)  # the largest value allowed
            mallopt(TRIM_THRESHOLD, 2**31 - 1)
            mallopt(TOP_PAD, 64 * 2**20)

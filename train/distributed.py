"""Data-parallel training: `torchrun --nproc-per-node N -m train`.

The result does not depend on the number of processes, except for rounding: each process draws the
random numbers of the whole batch and takes its rows, DistributedDataParallel averages gradients,
and batch norm uses statistics of the whole batch. Only rank 0 reads and writes runs.
"""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

TIMEOUT = timedelta(hours=2)
"""Limit for collectives: other ranks wait while rank 0 trains the judge."""

LOST_WORKER = "another process of this training died; its own message, if any, is above"

T = TypeVar("T")


class ShareError(Exception):
    """A batch or a training cannot be divided among the processes."""


class WorkerLostError(Exception):
    """Another process of this training died, so this one cannot continue."""


@dataclass(frozen=True)
class Processes:
    """The processes of a training, and the rank of this one."""

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0
    """Rank among the processes on this machine, and the index of its GPU."""
    local_size: int = 1

    @property
    def is_main(self) -> bool:
        return self.rank == 0

    def rows(self, batch: int, group: int) -> slice:
        """This process's rows of a batch, in whole groups.

        Raises ShareError if the batch cannot be divided equally.
        """
        multiple = group * self.world_size
        if batch % multiple:
            below = batch // multiple * multiple
            fitting = f"{below} or {below + multiple}" if below else str(multiple)
            raise ShareError(
                f"a batch of {batch} cannot be shared by {self.world_size} processes in whole "
                f"groups of {group}; use --batch {fitting}"
            )
        count = batch // self.world_size
        return slice(self.rank * count, (self.rank + 1) * count)

    def wrap(self, network: nn.Module) -> nn.Module:
        """Wraps a network in DistributedDataParallel, which averages gradients over processes."""
        if self.world_size == 1:
            return network
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of broadcast_buffers' new name
            # Buffers need no broadcast: batch statistics are the same in all processes.
            return DistributedDataParallel(network, broadcast_buffers=False)

    def mean(self, values: Tensor) -> Tensor:
        """Mean over all processes, with gradients as `wrap` expects them.

        The gradient of a loss f(mean) is f′ times the mean of the processes' gradients. Since
        `wrap` takes this mean, each process propagates f′ times its own gradient.
        """
        if self.world_size == 1:
            return values
        whole = values.detach().clone()
        distributed.all_reduce(whole)
        return values + (whole / self.world_size - values.detach())

    def maximum(self, *values: float) -> list[float]:
        """Maximum of each value over all processes, so that all make the same decision."""
        if self.world_size == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64)
        distributed.all_reduce(tensor, distributed.ReduceOp.MAX)
        return tensor.tolist()

    def on_main(self, work: Callable[[], T]) -> T:
        """Runs `work` on rank 0 only; returns its result, or raises its error, on every rank."""
        if self.world_size == 1:
            return work()
        outcome: list[Any] = [None, None]
        if self.is_main:
            try:
                outcome[0] = work()
            except Exception as error:
                outcome[1] = error
        distributed.broadcast_object_list(outcome)
        result: T = outcome[0]
        raised: Exception | None = outcome[1]
        if raised is not None:
            raise raised
        return result


SINGLE_PROCESS = Processes()


@contextmanager
def join() -> Iterator[Processes]:
    """Joins the processes that torchrun started; without torchrun, this process only.

    Raises WorkerLostError when another process no longer responds.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield SINGLE_PROCESS
        return
    cuda = torch.cuda.is_available()
    try:
        distributed.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo", timeout=TIMEOUT)
        yield Processes(
            distributed.get_rank(),
            size,
            int(os.environ.get("LOCAL_RANK", "0")),
            int(os.environ.get("LOCAL_WORLD_SIZE", "1")),
        )
    except RuntimeError as error:
        if is_lost_worker(error):
            raise WorkerLostError(LOST_WORKER) from None
        raise
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()


def is_lost_worker(error: Exception) -> bool:
    """Whether a collective operation failed; errors of gloo are plain RuntimeErrors."""
    return isinstance(error, distributed.DistError) or "gloo" in str(error)


class _Mean(torch.autograd.Function):
    """Mean over all processes, with averaged gradients."""

    @staticmethod
    def forward(_: Any, values: Tensor) -> Tensor:
        return _averaged(values)

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        return _mean(gradient)  # with gradients, which a gradient penalty needs


def _averaged(values: Tensor) -> Tensor:
    values = values.contiguous().clone()
    distributed.all_reduce(values)
    return values / distributed.get_world_size()


def _mean(values: Tensor) -> Tensor:
    mean: Tensor = _Mean.apply(values)
    return mean


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch norm over the batches of all processes, which have equal size.

    Same as nn.SyncBatchNorm, which supports CUDA only.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        # A decorator of `_mean` would import the compiler, which takes seconds, in every process.
        self.average: Callable[[Tensor], Tensor]
        self.average = torch.compiler.disable(_mean)  # type: ignore[no-untyped-call]

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        own = x.float()
        mean = self.average(own.mean(dim=(0, 2, 3)))
        centered = own - mean.view(1, -1, 1, 1)
        variance = self.average(centered.square().mean(dim=(0, 2, 3)))
        count = x.numel() // x.shape[1] * distributed.get_world_size()
        with torch.no_grad():
            assert self.running_mean is not None
            assert self.running_var is not None
            assert self.num_batches_tracked is not None
            assert self.momentum is not None
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
            self.num_batches_tracked += 1
        normed: Tensor = (centered * (variance + self.eps).rsqrt().view(1, -1, 1, 1)).to(x.dtype)
        if self.affine:
            normed = normed * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)
        return normed


def share_batch_norms(network: nn.Module) -> None:
    """Replaces every BatchNorm2d by a SharedBatchNorm with the same tensors: optimizers keep their
    parameters, and they stay on their device.
    """
    for name, child in network.named_children():
        if isinstance(child, nn.BatchNorm2d):
            norm = SharedBatchNorm(child.num_features, child.eps, child.momentum, child.affine)
            norm.weight, norm.bias = child.weight, child.bias
            norm.running_mean, norm.running_var = child.running_mean, child.running_var
            norm.num_batches_tracked = child.num_batches_tracked
            setattr(network, name, norm)
        else:
            share_batch_norms(child)

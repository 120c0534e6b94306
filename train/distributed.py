"""Several processes, each with its part of every batch: `torchrun --nproc-per-node N -m train`.

The same batch gives the same result, but for rounding, however many processes share it: each draws
the random numbers of the whole batch and takes its own rows, gradients are averaged by
DistributedDataParallel, and batch norm sees the whole batch. Process 0 alone reads and writes runs.
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

PATIENCE = timedelta(hours=2)
"""How long others wait for process 0: it trains the judge. The dead are noticed at once."""

T = TypeVar("T")


class ShareError(Exception):
    """A batch that so many processes cannot share."""


class WorkerLostError(Exception):
    """Another process of this training died, so that this one cannot go on."""


@dataclass(frozen=True)
class Team:
    """This process among those that train together; alone, all of this does nothing."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    """Among those on this machine: which GPU is this one's."""
    local_size: int = 1

    @property
    def first(self) -> bool:
        return self.rank == 0

    def part(self, batch: int, group: int) -> slice:
        """This process's rows of a batch, in whole groups of neighbours.

        Raises ShareError where the batch cannot be shared so.
        """
        whole = group * self.size
        if batch % whole:
            below = batch // whole * whole
            fitting = f"{below} or {below + whole}" if below else str(whole)
            raise ShareError(
                f"a batch of {batch} cannot be shared by {self.size} processes in whole groups of "
                f"{group}; --batch {fitting} can"
            )
        rows = batch // self.size
        return slice(self.rank * rows, (self.rank + 1) * rows)

    def share(self, network: nn.Module) -> nn.Module:
        """The same network, whose gradients are the mean over all processes' losses."""
        if self.size == 1:
            return network
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of broadcast_buffers' new name
            # Buffers are the same everywhere already, since batch statistics are.
            return DistributedDataParallel(network, broadcast_buffers=False)

    def mean(self, values: Tensor) -> Tensor:
        """Mean over all processes; gradients are as `share` expects them.

        A loss f(mean) must have the gradient f′ · mean of the processes' own gradients. Since the
        latter mean is taken by `share`, each passes on f′ times its own.
        """
        if self.size == 1:
            return values
        whole = values.detach().clone()
        distributed.all_reduce(whole)
        return values + (whole / self.size - values.detach())

    def most(self, *values: float) -> list[float]:
        """The largest of each over all processes, so that all decide alike."""
        if self.size == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64)
        distributed.all_reduce(tensor, distributed.ReduceOp.MAX)
        return tensor.tolist()

    def once(self, work: Callable[[], T]) -> T:
        """What `work` returns, or raises, in process 0, which alone does it: in every process."""
        if self.size == 1:
            return work()
        outcome: list[Any] = [None, None]
        if self.first:
            try:
                outcome[0] = work()
            except Exception as error:
                outcome[1] = error
        distributed.broadcast_object_list(outcome)
        result, raised = outcome
        if raised is not None:
            raise raised
        return result


ALONE = Team()


@contextmanager
def join() -> Iterator[Team]:
    """The team that torchrun has started; this process alone without it.

    Raises WorkerLostError in place of what is raised when another process answers no more.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield ALONE
        return
    cuda = torch.cuda.is_available()
    try:
        distributed.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo", timeout=PATIENCE)
        yield Team(
            distributed.get_rank(),
            size,
            int(os.environ.get("LOCAL_RANK", "0")),
            int(os.environ.get("LOCAL_WORLD_SIZE", "1")),
        )
    except RuntimeError as error:
        if is_of_a_lost_worker(error):
            raise WorkerLostError(
                "another process of this training died; its own words, if any, are above"
            ) from None
        raise
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()


def is_of_a_lost_worker(error: Exception) -> bool:
    """Whether a collective failed; gloo's errors have no type of their own."""
    return isinstance(error, distributed.DistError) or "gloo" in str(error)


class _Mean(torch.autograd.Function):
    """Mean over all processes, for values that every process's loss depends on."""

    @staticmethod
    def forward(_: Any, values: Tensor) -> Tensor:
        return _averaged(values)

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return _averaged(gradient)


def _averaged(values: Tensor) -> Tensor:
    values = values.contiguous().clone()
    distributed.all_reduce(values)
    return values / distributed.get_world_size()


@torch.compiler.disable
def _mean(values: Tensor) -> Tensor:
    return _Mean.apply(values)


class WholeBatchNorm(nn.BatchNorm2d):
    """Batch norm over all processes' equal parts of a batch.

    nn.SyncBatchNorm is the same, but on CUDA only.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        own = x.float()
        mean = _mean(own.mean(dim=(0, 2, 3)))
        centred = own - mean.view(1, -1, 1, 1)
        variance = _mean(centred.square().mean(dim=(0, 2, 3)))
        count = x.numel() // x.shape[1] * distributed.get_world_size()
        with torch.no_grad():
            assert self.running_mean is not None
            assert self.running_var is not None
            assert self.num_batches_tracked is not None
            assert self.momentum is not None
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
            self.num_batches_tracked += 1
        normed = (centred * (variance + self.eps).rsqrt().view(1, -1, 1, 1)).to(x.dtype)
        if not self.affine:
            return normed
        return normed * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)


def whole_batch_norms(network: nn.Module) -> None:
    """Puts a WholeBatchNorm, in the same state, in place of every BatchNorm2d."""
    for name, child in network.named_children():
        if isinstance(child, nn.BatchNorm2d):
            norm = WholeBatchNorm(child.num_features, child.eps, child.momentum, child.affine)
            norm.load_state_dict(child.state_dict())
            setattr(network, name, norm)
        else:
            whole_batch_norms(child)

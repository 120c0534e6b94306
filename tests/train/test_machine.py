"""Resources of a machine without a GPU."""

import pytest
import torch

from train.distributed import SINGLE_PROCESS, Processes
from train.machine import (
    MachineError,
    check_clock,
    compiles,
    is_out_of_memory,
    make_ready,
    multiplies_in_bfloat16,
)


@pytest.fixture(autouse=True)
def _without_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def test_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    requested: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", requested.append)
    monkeypatch.setattr("train.machine.usable_cores", lambda: 8)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # set by torchrun
    assert make_ready("auto", 0, SINGLE_PROCESS) == torch.device("cpu")
    assert requested == [], "all that PyTorch takes"
    make_ready("cpu", 3, SINGLE_PROCESS)
    make_ready("cpu", 0, Processes(rank=1, world_size=4, local_rank=1, local_size=2))
    assert requested == [3, 4]


def test_a_cpu_quota_limits_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    requested: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", requested.append)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    monkeypatch.setattr("train.machine.usable_cores", lambda: 2)
    make_ready("auto", 0, SINGLE_PROCESS)
    assert requested == [2]


def test_error_for_a_missing_gpu() -> None:
    with pytest.raises(MachineError, match="finds no CUDA device; auto uses a GPU if there is one"):
        make_ready("cuda", 0, SINGLE_PROCESS)


def test_a_cpu_compiles_only_if_asked_to() -> None:
    cpu = torch.device("cpu")
    assert [compiles(wish, cpu) for wish in ("auto", "on", "off")] == [False, True, False]


def test_a_gpu_that_emulates_bfloat16_trains_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation
    )
    gpu = torch.device("cuda")
    assert not multiplies_in_bfloat16("auto", gpu)
    assert multiplies_in_bfloat16("bfloat16", gpu)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [({"amx_bf16"}, True), ({"avx512_bf16"}, True), ({"avx512f"}, False), (set(), False)],
)
def test_cpus_that_multiply_in_bfloat16_train_in_it(
    flags: set[str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train.machine._cpu_flags", lambda: flags)
    cpu = torch.device("cpu")
    assert multiplies_in_bfloat16("auto", cpu) is expected
    assert not multiplies_in_bfloat16("float32", cpu)


def test_the_processor_clock_is_for_trainings_on_the_cpu() -> None:
    check_clock("processor", torch.device("cpu"))
    check_clock("wall", torch.device("cuda"))
    with pytest.raises(MachineError, match="clock = processor needs device = cpu"):
        check_clock("processor", torch.device("cuda"))


def test_out_of_memory_errors_are_recognized() -> None:
    with pytest.raises(RuntimeError) as refused:
        torch.empty(10**15)
    assert is_out_of_memory(refused.value)
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert not is_out_of_memory(RuntimeError("shapes differ"))

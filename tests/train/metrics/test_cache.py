import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from train.metrics.cache import Tensors, cached, find_cached

KEY = {"faces": "0123"}


def compute() -> Tensors:
    return {"one": torch.ones(3)}


def test_two_processes_may_cache_the_same_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [os.getpid() + 1]

    def save_while_another_process_does(tensors: Tensors, file: Path) -> None:
        save_file(tensors, file)
        if others:
            pid = others.pop()
            with monkeypatch.context() as patch:
                patch.setattr(os, "getpid", lambda: pid)
                assert torch.equal(cached(tmp_path, "features", KEY, compute)["one"], torch.ones(3))

    monkeypatch.setattr("train.metrics.cache.find_cached", lambda *_: None)
    monkeypatch.setattr("train.metrics.cache.save_file", save_while_another_process_does)
    cached(tmp_path, "features", KEY, compute)
    assert not others
    assert len(list(tmp_path.iterdir())) == 1, "no temporary file is left"
    found = find_cached(tmp_path, "features", KEY)
    assert found is not None
    assert torch.equal(found["one"], torch.ones(3))

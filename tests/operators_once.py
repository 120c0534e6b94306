"""Makes exports of tests faster: PyTorch collects the operators of ONNX once for all of them."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def operators_once() -> Iterator[None]:
    try:
        from torch.onnx._internal.exporter._registration import ONNXRegistry
    except ImportError:  # another version of PyTorch
        yield
        return
    collect = functools.cache(ONNXRegistry.from_torchlib)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ONNXRegistry, "from_torchlib", staticmethod(collect))
        yield

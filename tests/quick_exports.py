"""Makes exports of tests faster: PyTorch collects the operators of ONNX once for all of them, and
the scorer scores fewer images for the picture of the weakest ones.
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

SCORED = 24


@contextmanager
def quick_exports() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("export.card._SCORED", SCORED)
        try:
            from torch.onnx._internal.exporter._registration import ONNXRegistry
        except ImportError:  # another version of PyTorch
            pass
        else:
            collect = functools.cache(ONNXRegistry.from_torchlib)
            patch.setattr(ONNXRegistry, "from_torchlib", staticmethod(collect))
        yield

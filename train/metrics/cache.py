"""Files of what a judge has learned or computed, named by all that it depends on."""

import contextlib
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

Tensors = dict[str, Tensor]


def cached(
    folder: Path | None, kind: str, key: dict[str, Any], compute: Callable[[], Tensors]
) -> Tensors:
    """The tensors in `folder`, or computed and written there; without a folder they are not kept.

    `key` is the data's fingerprint and all settings that the result depends on. A file that cannot
    be read is computed anew.
    """
    if folder is None:
        return compute()
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    file = folder / f"judge-{kind}-{digest[:16]}.safetensors"
    with contextlib.suppress(FileNotFoundError, SafetensorError):
        return load_file(file)
    tensors = {name: tensor.cpu().contiguous() for name, tensor in compute().items()}
    folder.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}")
    save_file(tensors, beside)
    beside.replace(file)
    return tensors

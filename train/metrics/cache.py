"""Cache of a judge's classifier and features, in files named by a hash of their inputs."""

import contextlib
import hashlib
import json
import os
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
    """Returns the cached tensors, or computes and caches them; without a folder there is no cache.

    `key` holds the fingerprint of the data and all settings that the result depends on. A damaged
    file is replaced.
    """
    if folder is None:
        return compute()
    found = find_cached(folder, kind, key)
    if found is not None:
        return found
    file = _file(folder, kind, key)
    tensors = {name: tensor.cpu().contiguous() for name, tensor in compute().items()}
    folder.mkdir(parents=True, exist_ok=True)
    # The process id, because two processes may compute the same at the same time.
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        save_file(tensors, temporary)
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
    return tensors


def find_cached(folder: Path, kind: str, key: dict[str, Any]) -> Tensors | None:
    """Returns the cached tensors, or None if there are none."""
    with contextlib.suppress(FileNotFoundError, SafetensorError):
        return load_file(_file(folder, kind, key))
    return None


def _file(folder: Path, kind: str, key: dict[str, Any]) -> Path:
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return folder / f"judge-{kind}-{digest[:16]}.safetensors"

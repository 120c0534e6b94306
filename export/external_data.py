"""Finds the external data of an ONNX file: tensors whose values are in other files.

Plain Python, because the serving side has no `onnx` package. Reads the messages of `onnx.proto`
that contain tensors: https://protobuf.dev/programming-guides/encoding/
"""

import mmap
from collections.abc import Iterator
from pathlib import Path

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

# message -> number of a field -> message of the field
_FIELDS: dict[str, dict[int, str]] = {
    "Model": {7: "Graph", 20: "Training", 25: "Function"},
    "Training": {1: "Graph", 2: "Graph"},
    "Graph": {1: "Node", 5: "Tensor", 15: "Sparse"},
    "Function": {7: "Node", 11: "Attribute"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "Sparse", 23: "Sparse"},
    "Sparse": {1: "Tensor", 2: "Tensor"},
    "Tensor": {13: "Entry"},
    "Entry": {},
}
_DEEPEST = 100  # nested messages, as in protobuf


def external_files(path: Path) -> set[str]:
    """Locations of the files that an ONNX file reads; relative to its folder, if it is valid.

    The rest of an invalid file is skipped: ONNX Runtime refuses such a file. Raises OSError.
    """
    if path.stat().st_size == 0:
        return set()
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
        memoryview(mapped) as data,
    ):
        return set(_locations(data, 0, len(data), "Model", 0))


def _locations(data: memoryview, start: int, end: int, message: str, depth: int) -> Iterator[str]:
    known = _FIELDS[message]
    entry = {}
    for number, first, last in _fields(data, start, end):
        if message == "Entry":
            entry[number] = bytes(data[first:last])
        elif number in known and depth < _DEEPEST:
            yield from _locations(data, first, last, known[number], depth + 1)
    if entry.get(1) == b"location":
        yield entry.get(2, b"").decode("utf-8", "replace")


def _fields(data: memoryview, position: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Number, start and end of each field of the wire type bytes."""
    while position < end:
        tag, position = _varint(data, position, end)
        wire = tag & 7
        if wire == _BYTES:
            length, position = _varint(data, position, end)
            if position + length > end:
                return
            yield tag >> 3, position, position + length
            position += length
        elif wire == _VARINT:
            _, position = _varint(data, position, end)
        elif wire in (_FIXED32, _FIXED64):
            position += 4 if wire == _FIXED32 else 8
        # others begin or end a group, whose fields follow


def _varint(data: memoryview, position: int, end: int) -> tuple[int, int]:
    """The number and the position behind it."""
    value = shift = 0
    while position < end:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
    return value, position

"""A small handmade model whose pictures show their conditions.

The value of the first attribute colors the upper half, that of the second one the lower half, and
the latent adds shades. The upscaler repeats each pixel, and rounds it. The scorer prefers bright
pictures, or dark ones if the first attribute has its first value.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from export.directions import DIRECTIONS, Direction, Directions
from export.manifest import GENERATOR, SCORER, UNROUNDED, UPSCALER, Attribute, Manifest
from export.registry import Registry

LATENT_DIM = 8
IMAGE_SIZE = 64

COLORS = {
    "aqua": (80, 220, 230),
    "black": (30, 30, 30),
    "blonde": (240, 220, 130),
    "blue": (50, 80, 220),
    "brown": (120, 70, 40),
    "gray": (140, 140, 140),
    "green": (60, 170, 70),
    "orange": (250, 150, 40),
    "pink": (250, 150, 200),
    "purple": (140, 60, 190),
    "red": (210, 40, 40),
    "white": (245, 245, 245),
    "yellow": (250, 230, 60),
}


def attribute(name: str, values: str) -> Attribute:
    words = tuple(values.split())
    return Attribute(name=name, values=words, frequencies=(1 / len(words),) * len(words))


HAIR = attribute("hair", "aqua black blonde blue brown gray green orange pink purple red white")
EYES = attribute("eyes", "aqua black blue brown green orange pink purple red yellow")


def add_model(
    registry: Registry,
    name: str,
    attributes: tuple[Attribute, ...] = (HAIR, EYES),
    *,
    brightness: float = 0.0,
    upscaler: bool = False,
    candidates: int | None = None,
    directions: Sequence[str] = (),
    created: datetime = datetime(2026, 1, 1, tzinfo=UTC),
) -> Manifest:
    """Registers a tiny model, whose pictures show up to two attributes.

    `brightness`, in about [-1, 1], makes pictures of models differ. With `candidates` it has a
    scorer. `directions` are names, of the axes of the latent in order, with a range of 2."""
    manifest = Manifest(
        name=name,
        created=created,
        attributes=attributes,
        latent_dim=LATENT_DIM,
        image_size=IMAGE_SIZE,
        candidates=candidates or 1,
        metrics={"lite2_fd_ratio": 1.5},
    )

    def build(folder: Path) -> None:
        (folder / GENERATOR).write_bytes(_generator(attributes, brightness))
        if upscaler:
            (folder / UPSCALER).write_bytes(_upscaler())
        if candidates is not None:
            onnx.save(build_scorer(manifest.condition_dim), folder / SCORER)
        if directions:
            text = make_directions(directions).model_dump_json()
            (folder / DIRECTIONS).write_text(text, "utf-8")

    return registry.add(manifest, build)


def make_directions(names: Sequence[str]) -> Directions:
    axes = np.eye(LATENT_DIM).tolist()
    return Directions(
        directions=tuple(
            Direction(name=name, vector=tuple(axis), range=2, figures={"r2": 0.5})
            for name, axis in zip(names, axes, strict=False)
        )
    )


@cache
def _generator(attributes: tuple[Attribute, ...], brightness: float) -> bytes:
    return bytes(build_generator(attributes, brightness).SerializeToString())


@cache
def _upscaler() -> bytes:
    return bytes(build_upscaler().SerializeToString())


def build_generator(attributes: tuple[Attribute, ...], brightness: float = 0.0) -> onnx.ModelProto:
    s = IMAGE_SIZE
    condition_dim = sum(len(a.values) for a in attributes)
    paint = np.zeros((condition_dim, 3, 2), np.float32)
    row = 0
    for half, a in enumerate(attributes):
        for value in a.values:
            color = np.array(COLORS.get(value, (128, 128, 128)), np.float32) / 127.5 - 1
            paint[row, :, half : half + 1] = color[:, None]  # nothing from the third attribute on
            row += 1
    random = np.random.RandomState(0)
    constants: dict[str, npt.NDArray[Any]] = {
        "paint": paint.reshape(condition_dim, 3 * 2),
        "halves": np.array([-1, 3, 2, 1, 1]),
        "half": np.ones((1, 1, 1, s // 2, s), np.float32),
        "projection": random.standard_normal((LATENT_DIM, 4 * 64)).astype(np.float32),
        "coarse": np.array([-1, 4, 8, 8]),
        "kernel": 0.05 * random.standard_normal((4, 1, s // 8, s // 8)).astype(np.float32),
        "light": np.array(1 + brightness, np.float32),
        "scale": np.array(127.5, np.float32),
        "low": np.array(0, np.float32),
        "high": np.array(255, np.float32),
        "shape": np.array([-1, 3, s, s]),
    }
    nodes = [
        helper.make_node("MatMul", ["condition", "paint"], ["colors"]),
        helper.make_node("Reshape", ["colors", "halves"], ["small"]),
        helper.make_node("Mul", ["small", "half"], ["large"]),
        helper.make_node("Reshape", ["large", "shape"], ["colored"]),
        helper.make_node("MatMul", ["latent", "projection"], ["spots"]),
        helper.make_node("Reshape", ["spots", "coarse"], ["grid"]),
        helper.make_node("Tanh", ["grid"], ["tones"]),
        helper.make_node("ConvTranspose", ["tones", "kernel"], ["shades"], strides=[s // 8] * 2),
        helper.make_node("Add", ["colored", "shades"], ["shaded"]),
        helper.make_node("Add", ["shaded", "light"], ["lit"]),
        helper.make_node("Mul", ["lit", "scale"], ["scaled"]),
        helper.make_node("Clip", ["scaled", "low", "high"], ["clipped"]),
        helper.make_node("Transpose", ["clipped"], [UNROUNDED], perm=[0, 2, 3, 1]),
        helper.make_node("Round", [UNROUNDED], ["rounded"]),
        helper.make_node("Cast", ["rounded"], ["image"], to=TensorProto.UINT8),
    ]
    inputs = [
        helper.make_tensor_value_info("latent", TensorProto.FLOAT, ["n", LATENT_DIM]),
        helper.make_tensor_value_info("condition", TensorProto.FLOAT, ["n", condition_dim]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", s, s, 3])
    unrounded = helper.make_tensor_value_info(UNROUNDED, TensorProto.FLOAT, ["n", s, s, 3])
    return build("generator", nodes, inputs, [image, unrounded], constants)


def build_upscaler(scale: int = 4) -> onnx.ModelProto:
    s = IMAGE_SIZE
    nodes = [
        helper.make_node(
            "Resize",
            ["image", "", "scales"],
            ["large"],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        ),
        helper.make_node("Round", ["large"], ["rounded"]),
        helper.make_node("Cast", ["rounded"], ["upscaled"], to=TensorProto.UINT8),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", s, s, 3])
    upscaled = helper.make_tensor_value_info(
        "upscaled", TensorProto.UINT8, ["n", scale * s, scale * s, 3]
    )
    scales = np.array([1, scale, scale, 1], np.float32)
    return build("upscaler", nodes, [image], [upscaled], {"scales": scales})


def black_upscaler() -> bytes:
    """An upscaler whose pictures are black, unlike those of the other one."""
    model = build_upscaler()
    node = model.graph.node[-1]
    node.output[0] = "full"
    model.graph.node.append(helper.make_node("Sub", ["full", "full"], ["upscaled"]))
    return bytes(model.SerializeToString())


def fractions_upscaler() -> onnx.ModelProto:
    """An upscaler whose pictures show what rounding would remove: gray where that is nothing."""
    model = build_upscaler()
    model.graph.node[0].input[0] = "shades"
    nodes = [
        helper.make_node("Round", ["image"], ["whole"]),
        helper.make_node("Sub", ["image", "whole"], ["fractions"]),
        helper.make_node("Mul", ["fractions", "contrast"], ["amplified"]),
        helper.make_node("Add", ["amplified", "gray"], ["shades"]),
    ]
    nodes.extend(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    constants = {"contrast": np.array(200, np.float32), "gray": np.array(128, np.float32)}
    model.graph.initializer.extend(numpy_helper.from_array(v, k) for k, v in constants.items())
    return model


def with_uint8_input(upscaler: onnx.ModelProto) -> onnx.ModelProto:
    """The upscaler as of earlier versions, which took the rounded picture."""
    earlier = onnx.ModelProto()
    earlier.CopyFrom(upscaler)
    for node in earlier.graph.node:
        node.input[:] = ["floats" if name == "image" else name for name in node.input]
    cast = helper.make_node("Cast", ["image"], ["floats"], to=TensorProto.FLOAT)
    earlier.graph.node.insert(0, cast)
    earlier.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8
    return earlier


def build_scorer(condition_dim: int) -> onnx.ModelProto:
    s = IMAGE_SIZE
    weight_by_condition = np.ones(condition_dim, np.float32)
    weight_by_condition[:1] = -3  # outweighs the 1 of the other attribute
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels"], ["brightness"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("MatMul", ["condition", "weight_by_condition"], ["factor"]),
        helper.make_node("Mul", ["brightness", "factor"], ["score"]),
    ]
    inputs = [
        helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", s, s, 3]),
        helper.make_tensor_value_info("condition", TensorProto.FLOAT, ["n", condition_dim]),
    ]
    score = helper.make_tensor_value_info("score", TensorProto.FLOAT, ["n"])
    return build("scorer", nodes, inputs, [score], {"weight_by_condition": weight_by_condition})


def build(
    name: str,
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    constants: Mapping[str, npt.NDArray[Any]],
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        name,
        inputs,
        outputs,
        [numpy_helper.from_array(value, key) for key, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model

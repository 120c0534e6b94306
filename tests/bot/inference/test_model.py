from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper
from tiny_model import (
    EYES,
    HAIR,
    IMAGE_SIZE,
    add_model,
    build,
    build_generator,
    build_scorer,
    build_upscaler,
)

from bot.errors import ModelUnavailable
from bot.inference.model import Model, load_model
from bot.settings import EngineSettings
from export.manifest import GENERATOR, SCORER, UPSCALER
from export.registry import Registry


def load(registry: Registry, name: str, **settings: object) -> Model:
    return load_model(
        registry, name, EngineSettings(provider="cpu", threads=1).model_copy(update=settings)
    )


def pictures(n: int) -> npt.NDArray[np.uint8]:
    shape = (n, IMAGE_SIZE, IMAGE_SIZE, 3)
    return np.random.RandomState(0).randint(0, 256, shape).astype(np.uint8)


def test_a_model_with_only_a_generator_paints(registry: Registry) -> None:
    model = load(registry, "tiny", candidates=4)
    assert model.sizes == (64,)
    assert model.candidates == 1, "without a scorer there is nothing to choose by"


def test_the_settings_override_the_models_candidates(
    registry: Registry,
) -> None:
    add_model(registry, "with_scorer", candidates=4)
    assert load(registry, "with_scorer").candidates == 4
    assert load(registry, "with_scorer", candidates=2).candidates == 2
    assert load(registry, "with_scorer", candidates=1).candidates == 1


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 6])
def test_upscaling_keeps_the_order_of_pictures(registry: Registry, threads: int, n: int) -> None:
    add_model(registry, "large", upscaler=True)
    model = load(registry, "large", threads=threads)
    assert model.sizes == (64, 128, 256)
    images = pictures(n)
    np.testing.assert_array_equal(model.upscale(images, 256), images.repeat(4, 1).repeat(4, 2))
    np.testing.assert_array_equal(model.upscale(images, 128), images.repeat(2, 1).repeat(2, 2))


def test_the_largest_size_up_to_a_limit(registry: Registry) -> None:
    add_model(registry, "large", upscaler=True)
    model = load(registry, "large")
    found = {limit: model.size_up_to(limit) for limit in (32, 64, 127, 128, 1000)}
    assert found == {32: 64, 64: 64, 127: 64, 128: 128, 1000: 256}


def test_double_size_is_the_mean_of_four_pixels_each(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_model(registry, "large", upscaler=True)
    model = load(registry, "large")
    checkerboard = np.zeros((256, 256, 3), np.uint8)
    checkerboard[::2, ::2] = checkerboard[1::2, 1::2] = 255
    monkeypatch.setattr("bot.inference.model._only", lambda outputs: checkerboard[None])
    assert set(np.unique(model.upscale(pictures(1), 128))) <= {127, 128}


@pytest.mark.parametrize("threads", [1, 3])
def test_scores_keep_the_order_of_pictures(registry: Registry, threads: int) -> None:
    add_model(registry, "with_scorer", candidates=2)
    model = load(registry, "with_scorer", threads=threads)
    images = pictures(20) // np.arange(1, 21, dtype=np.uint8)[:, None, None, None]
    conditions = np.eye(22, dtype=np.float32)[np.arange(20)]
    factor = np.where(conditions[:, 0] > 0, -3, 1)
    expected = images.mean((1, 2, 3)) * factor
    np.testing.assert_allclose(model.score(images, conditions), expected, rtol=1e-4)


def wrong_scale() -> onnx.ModelProto:
    return build_upscaler(scale=2)


def scores_in_a_column() -> onnx.ModelProto:
    scorer = build_scorer(22)
    scorer.graph.node[-1].output[0] = "row"
    scorer.graph.node.append(helper.make_node("Unsqueeze", ["row", "axis"], ["score"]))
    scorer.graph.initializer.append(helper.make_tensor("axis", TensorProto.INT64, [1], [1]))
    del scorer.graph.output[0].type.tensor_type.shape.dim[:]
    scorer.graph.output[0].type.tensor_type.ClearField("shape")
    return scorer


def unrounded_in_half_precision() -> onnx.ModelProto:
    generator = build_generator((HAIR, EYES))
    del generator.graph.output[1]
    half = helper.make_tensor_value_info("unrounded", TensorProto.FLOAT16, ["n", 64, 64, 3])
    generator.graph.output.append(half)
    for node in generator.graph.node:
        for names in (node.input, node.output):
            names[:] = ["values" if name == "unrounded" else name for name in names]
    cast = helper.make_node("Cast", ["values"], ["unrounded"], to=TensorProto.FLOAT16)
    generator.graph.node.append(cast)
    return generator


def no_scores() -> onnx.ModelProto:
    scorer = build_scorer(22)
    scorer.graph.node[-1].output[0] = "number"
    scorer.graph.node.append(helper.make_node("Log", ["number"], ["logarithm"]))
    scorer.graph.node.append(helper.make_node("Neg", ["logarithm"], ["score"]))
    return scorer


def whole_numbers() -> onnx.ModelProto:
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", 64, 64, 3])
    large = helper.make_tensor_value_info("large", TensorProto.INT32, ["n", 256, 256, 3])
    nodes = [
        helper.make_node("Cast", ["image"], ["numbers"], to=TensorProto.INT32),
        helper.make_node("Tile", ["numbers", "times"], ["large"]),
    ]
    return build("upscaler", nodes, [image], [large], {"times": np.array([1, 4, 4, 1])})


@pytest.mark.parametrize(
    ("file", "graph", "message"),
    [
        (UPSCALER, wrong_scale, r"uint8 \[1, 128, 128, 3\].* uint8 \[1, 256, 256, 3\]"),
        (UPSCALER, whole_numbers, r"int32.* uint8"),
        (SCORER, scores_in_a_column, r"float32 \[1, 1\].* float32 \[1\]"),
        (SCORER, no_scores, "no finite scores"),
        (SCORER, wrong_scale, "does not run"),
        (GENERATOR, wrong_scale, "does not run"),
        (GENERATOR, unrounded_in_half_precision, r"float16 \[1, 64, 64, 3\].* float32 \[1, 64"),
    ],
)
def test_files_that_violate_the_contract_are_rejected(
    registry: Registry, file: str, graph: Callable[[], onnx.ModelProto], message: str
) -> None:
    manifest = registry.load("tiny")[1].model_copy(update={"name": "wrong"})

    def files(folder: Path) -> None:
        onnx.save(build_generator(manifest.attributes), folder / GENERATOR)
        onnx.save(build_upscaler(), folder / UPSCALER)
        onnx.save(graph(), folder / file)

    registry.add(manifest, files)
    with pytest.raises(ModelUnavailable, match=message) as error:
        load(registry, "wrong")
    assert "wrong" in str(error.value)


def test_cuda_without_a_gpu_is_an_error_and_auto_uses_the_cpu(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Provider "cuda" raises an error; "auto" uses the CPU and logs it."""
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(ModelUnavailable, match="extra 'cuda'"):
        load_model(registry, None, EngineSettings(provider="cuda"))
    monkeypatch.setattr("bot.inference.model._has_nvidia_driver", lambda: True)
    model = load_model(registry, None, EngineSettings(provider="auto"))
    assert model.provider == "CPUExecutionProvider"
    assert "painting on the CPU" in caplog.text

"""The choice between the float and the int8 upscaler."""

import logging
from types import SimpleNamespace

import numpy as np
import onnxruntime as ort
import pytest
from tiny_model import add_model, black_upscaler

from bot.inference import upscaler_choice
from bot.inference.model import Model, load_model
from bot.inference.upscaler_choice import prefers_int8
from bot.settings import EngineSettings
from export.manifest import UPSCALER_INT8
from export.registry import Registry

IMAGE = np.full((1, 4, 4, 3), 100, np.uint8)


class Clock:
    """Replaces the clock: only the runs of sessions take time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        clock = SimpleNamespace(perf_counter=lambda: self.now)
        monkeypatch.setattr(upscaler_choice, "time", clock)

    def session(self, seconds: float, output: np.ndarray) -> ort.InferenceSession:
        def run(*_: object) -> list[np.ndarray]:
            self.now += seconds
            return [output]

        session = ort.InferenceSession.__new__(ort.InferenceSession)
        session.run = run
        return session


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.mark.parametrize(
    ("seconds", "chosen"), [(0.5, True), (0.9, True), (0.95, False), (1.0, False), (2.0, False)]
)
def test_int8_is_used_where_it_is_faster(clock: Clock, seconds: float, chosen: bool) -> None:
    float32, int8 = clock.session(1.0, IMAGE), clock.session(seconds, IMAGE)
    assert prefers_int8(float32, int8, IMAGE, ort.RunOptions()) is chosen


@pytest.mark.parametrize(
    ("output", "chosen"),
    [(IMAGE + np.uint8(1), True), (IMAGE + np.uint8(2), False), (IMAGE[:, :2], False)],
)
def test_int8_is_used_where_it_is_close(
    clock: Clock, output: np.ndarray, chosen: bool, caplog: pytest.LogCaptureFixture
) -> None:
    float32, int8 = clock.session(1.0, IMAGE), clock.session(0.1, output)
    assert prefers_int8(float32, int8, IMAGE, ort.RunOptions()) is chosen
    assert ("the int8 upscaler is not used" in caplog.text) is not chosen


def load_with_int8(registry: Registry, content: bytes, threads: int = 1) -> Model:
    add_model(registry, "large", upscaler=True)
    registry.add_file("large", UPSCALER_INT8, content)
    return load_model(registry, "large", EngineSettings(provider="cpu", threads=threads))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("faster", [True, False])
def test_a_model_upscales_with_the_chosen_file(
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    faster: bool,
    threads: int,
) -> None:
    monkeypatch.setattr("bot.inference.model.prefers_int8", lambda *_: faster)
    model = load_with_int8(registry, black_upscaler(), threads)
    images = np.full((1, 64, 64, 3), 200, np.uint8)
    for n in (1, 2, 3):
        assert (model.upscale(images.repeat(n, 0), 256) == (0 if faster else 200)).all()


def test_an_int8_upscaler_that_differs_is_not_used(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        model = load_with_int8(registry, black_upscaler())
    assert model.upscale(np.full((1, 64, 64, 3), 200, np.uint8), 256).min() == 200
    assert "its mean error is" in caplog.text


def test_a_damaged_int8_upscaler_is_not_used(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    model = load_with_int8(registry, b"no graph")
    assert model.sizes == (64, 128, 256)
    assert "the int8 upscaler of large is not used" in caplog.text

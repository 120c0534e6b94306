"""The choice between the float and the int8 upscaler of a model, by measurement."""

import logging
import time

import numpy as np
import onnxruntime as ort

from export.manifest import MAX_INT8_ERROR

ROUNDS = 5
MIN_GAIN = 1.1  # below it, noise would decide, and restarts would change the pictures

log = logging.getLogger(__name__)


def prefers_int8(
    float32: ort.InferenceSession,
    int8: ort.InferenceSession,
    image: np.ndarray,
    run_options: ort.RunOptions,
) -> bool:
    """Whether the int8 upscaler is faster on this machine, and close to the float one. Measured
    with `image` [1, S, S, 3], alternately, so that other load affects both.
    """
    seconds: dict[ort.InferenceSession, list[float]] = {float32: [], int8: []}
    outputs = {}
    for _ in range(1 + ROUNDS):  # the first one warms up
        for session, measured in seconds.items():
            started = time.perf_counter()
            [outputs[session]] = session.run(None, {"image": image}, run_options)
            measured.append(time.perf_counter() - started)
    expected, output = outputs[float32], outputs[int8]
    if output.dtype != expected.dtype or output.shape != expected.shape:
        log.warning("the int8 upscaler is not used: its output is not that of the float one")
        return False
    error = float(np.abs(output.astype(int) - expected).mean())
    if error > MAX_INT8_ERROR:  # the int8 sums overflow on this machine
        log.warning("the int8 upscaler is not used: its mean error is %.1f of 255", error)
        return False
    times = [1000 * min(measured[1:]) for measured in seconds.values()]
    gain = times[0] / times[1]
    chosen = "int8" if gain >= MIN_GAIN else "float"
    log.info("upscaler: float %.1f ms, int8 %.1f ms; %s is used", *times, chosen)
    return gain >= MIN_GAIN

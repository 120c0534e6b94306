"""Quantizes the generator and the scorer of a model, and compares them with the float networks.

    python benchmarks/int8.py [--models DIR]

All convolutions get int8 weights per channel and uint8 activations, calibrated with 64 images, as
in `export.quantize`. Printed are the milliseconds per image on one core, in batches of 8, the mean
difference of the generator's images in 8-bit steps, and the share of pairs of candidates of which
the int8 scorer chooses the same.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

sys.path.insert(0, str(Path(__file__).parents[1]))

from config import ModelsSettings
from export.candidates import best_candidate
from export.manifest import GENERATOR, MAX_INT8_ERROR, SCORER, Manifest, ModelError
from export.quantize import quantize_convolutions
from export.registry import Registry

IMAGES, BATCH, ROUNDS = 64, 8, 20

Feed = dict[str, np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", type=Path, default=ModelsSettings().dir)
    arguments = parser.parse_args()
    try:
        folder, manifest = Registry(arguments.models).load()
    except ModelError as error:
        sys.exit(str(error))
    rng = np.random.RandomState(0)
    calibration, test = draw_inputs(manifest, rng), draw_inputs(manifest, rng)
    print(f"{'':12}{'float ms':>10}{'int8 ms':>10}")

    generator, quantized = open_both(folder / GENERATOR, calibration)
    images, images_int8 = run(generator, test), run(quantized, test)
    print_times("generator", (generator, quantized), test)
    difference = float(np.abs(images.astype(int) - images_int8).mean())
    print(f"{'':12}mean error {difference:.2f} of 255; at most {MAX_INT8_ERROR:g} would be used")
    if SCORER not in manifest.files:
        print("the model has no scorer")
        return

    def scorer_inputs(inputs: Feed) -> Feed:
        return {"image": run(generator, inputs), "condition": inputs["condition"]}

    scorer, quantized = open_both(folder / SCORER, scorer_inputs(calibration))
    scored = scorer_inputs(test)
    print_times("scorer", (scorer, quantized), scored)
    pairs = [run(session, scored).reshape(-1, 2) for session in (scorer, quantized)]
    same = [best_candidate(a) == best_candidate(b) for a, b in zip(*pairs, strict=True)]
    print(f"{'':12}the same of two candidates in {np.mean(same):.0%}")


def draw_inputs(manifest: Manifest, rng: np.random.RandomState) -> Feed:
    """The generator's inputs for IMAGES random images."""
    wishes = [{a.name: rng.choice(a.values) for a in manifest.attributes} for _ in range(IMAGES)]
    return {
        "latent": rng.standard_normal((IMAGES, manifest.latent_dim)).astype(np.float32),
        "condition": np.stack([manifest.encode(wish) for wish in wishes]),
    }


def open_both(file: Path, calibration: Feed) -> tuple[ort.InferenceSession, ort.InferenceSession]:
    """The float and the int8 network, each on one core."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    quantized = quantize_convolutions(onnx.load(file), batches(calibration), with_ends=True)
    contents = file.read_bytes(), quantized.SerializeToString()
    full, int8 = (
        ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        for content in contents
    )
    return full, int8


def batches(inputs: Feed) -> list[Feed]:
    starts = range(0, IMAGES, BATCH)
    return [{name: rows[i : i + BATCH] for name, rows in inputs.items()} for i in starts]


def run(session: ort.InferenceSession, inputs: Feed) -> np.ndarray:
    return np.concatenate([session.run(None, batch)[0] for batch in batches(inputs)])


def print_times(name: str, sessions: Sequence[ort.InferenceSession], inputs: Feed) -> None:
    """Prints the shortest times per image, measured alternately."""
    batch, *_ = batches(inputs)
    times: list[list[float]] = [[] for _ in sessions]
    for _ in range(ROUNDS):
        for session, measured in zip(sessions, times, strict=True):
            start = time.perf_counter()
            session.run(None, batch)
            measured.append((time.perf_counter() - start) / BATCH)
    print(f"{name:12}" + "".join(f"{1000 * min(measured):10.2f}" for measured in times))


if __name__ == "__main__":
    main()

"""`critic.onnx`: scores candidates for rejection sampling in the bot."""

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from export.graph import OPSET, ExportError, finished_model
from train.scorer import Scorer

SCORE_TOLERANCE = 0.02
"""Tolerance of scores; smaller differences are not meaningful."""
_BATCHES = (1, 3, 64)


class Uint8Scorer(nn.Module):
    """A scorer for images in the format of the generator's graph."""

    def __init__(self, scorer: Scorer) -> None:
        super().__init__()
        self.scorer = scorer

    def forward(self, image: Tensor, condition: Tensor) -> Tensor:
        """RGB uint8 [N, S, S, 3] and conditions float32 [N, C] to scores float32 [N]."""
        score: Tensor = self.scorer(image.permute(0, 3, 1, 2), condition)
        return score


def to_onnx(scorer: Scorer, image_size: int, condition_dim: int) -> onnx.ModelProto:
    """The ONNX graph from `image` and `condition` to `score`, for any number of images."""
    count = {0: torch.export.Dim.DYNAMIC}
    program = torch.onnx.export(
        Uint8Scorer(scorer).eval(),
        (
            torch.zeros(3, image_size, image_size, 3, dtype=torch.uint8),
            torch.zeros(3, condition_dim),
        ),
        dynamo=True,
        opset_version=OPSET,
        input_names=["image", "condition"],
        output_names=["score"],
        dynamic_shapes={"image": count, "condition": count},
        verbose=False,
    )
    return finished_model(program, "scorer")


def check(
    scorer: Scorer,
    session: onnxruntime.InferenceSession,
    images: np.ndarray,
    conditions: np.ndarray,
) -> None:
    """Compares the scores of PyTorch and ONNX Runtime for `images` uint8 [N, S, S, 3], in several
    batch sizes.

    Raises ExportError if any score differs by more than SCORE_TOLERANCE.
    """
    with torch.inference_mode():
        expected = Uint8Scorer(scorer)(
            torch.from_numpy(images), torch.from_numpy(conditions)
        ).numpy()
    for n in _BATCHES:
        [scores] = session.run(None, {"image": images[:n], "condition": conditions[:n]})
        if scores.dtype != np.float32 or scores.shape != (n,):
            raise ExportError(
                f"the exported scorer returns {scores.dtype} {scores.shape}, not float32 {(n,)}"
            )
        difference = float(np.abs(scores - expected[:n]).max())
        if not difference <= SCORE_TOLERANCE:
            raise ExportError(
                f"scores of the exported scorer, {n} at a time, differ from PyTorch's by up to"
                f" {difference:.3g}, more than {SCORE_TOLERANCE}: nothing is registered"
            )

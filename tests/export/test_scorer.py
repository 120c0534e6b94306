from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from small_models import make_manifest
from torch import Tensor, nn

from export.graph import ExportError
from export.manifest import SCORER
from export.registry import Registry
from export.scorer import Uint8Scorer, check, to_onnx
from train.scorer import MarkedScorer, Scorer, UnusualScorer, load_scorer


@pytest.fixture(scope="module")
def session(exported: Registry) -> onnxruntime.InferenceSession:
    file = exported.folder("small") / SCORER
    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])


@pytest.fixture
def scorer(run: Path) -> Scorer:
    return load_scorer(run)


@pytest.fixture
def images() -> np.ndarray:
    return np.random.RandomState(0).randint(0, 256, (64, 32, 32, 3)).astype(np.uint8)


@pytest.fixture
def conditions() -> np.ndarray:
    """Conditions; every second one is a mixture of two hair colors."""
    manifest = make_manifest()
    pink = manifest.encode({"hair": "pink", "eyes": "blue"})
    red = manifest.encode({"hair": "red", "eyes": "orange"})
    return np.stack([pink, (pink + red) / 2] * 32).astype(np.float32)


@pytest.mark.parametrize("count", [1, 3, 64])
def test_computes_the_scores_of_pytorch(
    session: onnxruntime.InferenceSession,
    scorer: Scorer,
    images: np.ndarray,
    conditions: np.ndarray,
    count: int,
) -> None:
    given = {"image": images[:count], "condition": conditions[:count]}
    [scores] = session.run(["score"], given)
    assert scores.shape == (count,)
    assert scores.dtype == np.float32
    pictures = torch.from_numpy(images[:count]).permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = scorer(pictures, torch.from_numpy(conditions[:count]))
    assert np.abs(scores - expected.numpy()).max() < 0.01
    assert count == 1 or scores.std() > 0.01


class Other(nn.Module):
    def forward(self, image: Tensor, condition: Tensor) -> Tensor:
        return image.float().mean(dim=(1, 2, 3))


def test_check_rejects_another_scorer(
    session: onnxruntime.InferenceSession,
    scorer: Scorer,
    images: np.ndarray,
    conditions: np.ndarray,
) -> None:
    check(scorer, session, images, conditions)
    with pytest.raises(ExportError, match=r"differ from PyTorch's by up to \d+, more than 0\.02"):
        check(Other(), session, images, conditions)  # type: ignore[arg-type]


def test_a_scorer_without_attributes_scores_images() -> None:
    scorer = UnusualScorer(condition_dim=0)
    session = onnxruntime.InferenceSession(
        to_onnx(scorer, 32, 0).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    images = np.random.RandomState(0).randint(0, 256, (3, 32, 32, 3)).astype(np.uint8)
    [scores] = session.run(None, {"image": images, "condition": np.zeros((3, 0), np.float32)})
    expected = Uint8Scorer(scorer)(torch.from_numpy(images), torch.zeros(3, 0))
    assert np.abs(scores - expected.numpy()).max() < 0.01


def test_a_scorer_of_marked_images_scores_images(images: np.ndarray) -> None:
    scorer = MarkedScorer(condition_dim=2)
    scorer.weight.copy_(
        torch.randn(scorer.weight.shape, generator=torch.Generator().manual_seed(0))
    )
    scorer.weight.mul_(0.003)
    scorer.usual.copy_(torch.tensor([3.0, 5.0]))
    session = onnxruntime.InferenceSession(
        to_onnx(scorer, 32, 2).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    conditions = np.random.RandomState(1).rand(64, 2).astype(np.float32)
    check(scorer, session, images, conditions)
    [scores] = session.run(None, {"image": images, "condition": conditions})
    assert (scores < 0).any()
    assert scores.std() > 0.01

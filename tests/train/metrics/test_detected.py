"""Figures of the face detector, of faces that the model in the repository paints."""

import numpy as np
import pytest
import torch
from painted_faces import paint_faces

from benchmarks.judge import shuffled_quarters
from train.data import Faces
from train.metrics.detected import DetectedFaces


@pytest.fixture(scope="module")
def detected() -> DetectedFaces:
    pixels = np.stack([np.asarray(painted.image) for painted in paint_faces(120)])
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()
    none = torch.zeros(len(images), 0, dtype=torch.int64)
    return DetectedFaces(Faces(name="painted", images=images, labels=none, attributes=()))


def test_faces_are_found_and_their_parts_in_disorder_are_not(detected: DetectedFaces) -> None:
    faces = detected.held_out.images
    whole = detected.figures(faces)
    assert whole["detector_faces"] == whole["detector_faces_real"] > 0.9
    assert whole["detector_fd_ratio"] == pytest.approx(1, rel=1e-3)
    disordered = detected.figures(shuffled_quarters(faces, 1))
    assert disordered["detector_faces"] < 0.5
    assert disordered["detector_fd_ratio"] > 10
    noise = torch.randint(0, 256, faces.shape, generator=torch.Generator().manual_seed(0))
    assert detected.figures(noise.to(torch.uint8))["detector_faces"] == 0


def test_larger_images_are_scaled(detected: DetectedFaces) -> None:
    large = detected.held_out.images.repeat_interleave(2, 2).repeat_interleave(2, 3)
    found, features = detected.detect(large)
    assert found.float().mean() > 0.9
    assert features.shape == (len(large), 96)

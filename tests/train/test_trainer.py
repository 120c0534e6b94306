"""One step of the game, beside the same game played plainly."""

import copy
from dataclasses import replace

import pytest
import team_training
import torch
from torch import Tensor
from torch.nn import functional as F

from train.losses import likeness
from train.sampler import unseen_conditions
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


def test_what_no_image_shows_is_asked_for_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its fakes teach the generator which values they lack, and the discriminator nothing."""
    monkeypatch.setattr("train.trainer.flip_and_shift", lambda images, *_: images)
    settings = team_training.SETTINGS.model_copy(update={"class_weight": 2.0})
    faces = team_training.faces()
    trainer = Trainer(settings, faces)
    assert trainer.unseen.tolist() == [[0, 0]]
    trainer.train_step(4e-4)  # every second one asks for them
    generator, discriminator = copy.deepcopy((trainer.generator, trainer.discriminator))
    given: list[tuple[Tensor, ...]] = []
    for network in (trainer.generator, trainer.discriminator):
        network.register_forward_pre_hook(
            lambda _, inputs: given.append(tuple(tensor.detach().clone() for tensor in inputs))
        )
    trainer.train_step(4e-4)
    (latent, condition), (real, own), (fake, _), (unseen, theirs) = given

    assert torch.equal(condition, torch.cat([own, theirs]))
    assert theirs.tolist() == [[1, 0, 0, 0, 1, 0, 0]] * settings.batch
    painted = generator(latent, condition)
    assert torch.equal(painted, torch.cat([fake, unseen]))
    labels = torch.stack([block.argmax(dim=1) for block in own.split(faces.sizes, 1)], dim=1)
    real_score, real_logits = discriminator(real, own)
    fake_score, _ = discriminator(fake, own)
    telling = F.softplus(fake_score - real_score).mean()
    (telling + settings.class_weight * classes(real_logits, labels)).backward()
    judged = copy.deepcopy(discriminator).requires_grad_(False)
    score, logits = judged(painted[: settings.batch], own)
    painting = F.softplus(real_score.detach() - score).mean()
    naming = classes(logits, labels) + classes(
        judged(painted[settings.batch :], theirs)[1], torch.zeros_like(labels)
    )
    alike = likeness(real, painted[: settings.batch], settings.group)
    (painting + settings.class_weight * naming + settings.diversity_weight * alike).backward()
    for ours, plain in ((trainer.generator, generator), (trainer.discriminator, discriminator)):
        for (name, one), other in zip(ours.named_parameters(), plain.parameters(), strict=True):
            assert one.grad is not None
            assert other.grad is not None
            assert torch.allclose(one.grad, other.grad, rtol=1e-3, atol=1e-6), name


def test_unseen_conditions_are_those_of_no_image() -> None:
    faces = team_training.faces()
    shown = {tuple(row) for row in faces.labels.tolist()}
    every = {(hair, eyes) for hair in range(4) for eyes in range(3)}
    assert {tuple(row) for row in unseen_conditions(faces).tolist()} == every - shown
    plain = replace(faces, labels=faces.labels[:, :0], attributes=())
    assert len(unseen_conditions(plain)) == 0


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

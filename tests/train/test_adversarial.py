"""The default step, compared with a straightforward implementation."""

import copy
from dataclasses import replace

import pytest
import shared_training
import torch
from torch import Tensor
from torch.nn import functional as F

from train.adversarial import AdversarialTrainer
from train.losses import diversity, norm_ratio
from train.sampler import unseen_conditions


def classes(logits: list[Tensor], labels: Tensor) -> Tensor:
    return sum(F.cross_entropy(head, labels[:, i]) for i, head in enumerate(logits))  # type: ignore[return-value]


def test_discriminator_runs_forward_once_per_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Gradients equal those of separate passes for loss, R1 and R2."""
    monkeypatch.setattr("train.trainer.flip_and_shift", lambda images, *_: images)
    settings = shared_training.SETTINGS
    objective = settings.objective
    faces = shared_training.faces()
    trainer = AdversarialTrainer(settings, faces)
    generator, discriminator = copy.deepcopy((trainer.generator, trainer.discriminator))
    given: list[tuple[Tensor, ...]] = []
    for network in (trainer.generator, trainer.discriminator):
        network.register_forward_pre_hook(
            lambda _, inputs: given.append(tuple(tensor.detach().clone() for tensor in inputs))
        )
    figures = trainer.train_step(0.0)
    (latent, condition), (real, _), (fake, _) = given

    labels = torch.stack(
        [block.argmax(dim=1) for block in torch.split(condition, list(faces.sizes), 1)], dim=1
    )
    real_score, real_logits = discriminator(real, condition)
    fake_score, _ = discriminator(fake, condition)
    loss = F.softplus(fake_score - real_score).mean()
    (loss + objective.class_weight * classes(real_logits, labels)).backward()  # type: ignore[no-untyped-call]
    for images in (real, fake):
        images.requires_grad_()
        score, _ = discriminator(images, condition)
        (gradient,) = torch.autograd.grad(score.sum(), images, create_graph=True)
        penalty = gradient.square().sum(dim=(1, 2, 3)).mean()
        (objective.penalty / 2 * objective.penalty_every * penalty).backward()  # type: ignore[no-untyped-call]

    generated = generator(latent, condition)
    assert torch.equal(generated, fake)
    judged = copy.deepcopy(discriminator).requires_grad_(False)
    score, logits = judged(generated, condition)
    generator_loss = F.softplus(real_score.detach() - score).mean()
    missing_diversity = diversity(real.detach(), generated, settings.optimizer.group)
    whole = generator_loss + objective.class_weight * classes(logits, labels)
    (whole + objective.diversity_weight * missing_diversity).backward()  # type: ignore[no-untyped-call]

    assert figures["generator"].item() == pytest.approx(generator_loss.item(), rel=1e-5)
    assert figures["discriminator"].item() == pytest.approx(loss.item(), rel=1e-5)
    for ours, plain in ((trainer.generator, generator), (trainer.discriminator, discriminator)):
        for (name, one), other in zip(ours.named_parameters(), plain.parameters(), strict=True):
            assert one.grad is not None
            assert other.grad is not None
            assert torch.allclose(one.grad, other.grad, rtol=1e-3, atol=1e-6), name


def test_unseen_conditions_update_only_the_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their fakes have a classification loss for the generator, and none for the discriminator."""
    monkeypatch.setattr("train.trainer.flip_and_shift", lambda images, *_: images)
    objective = shared_training.SETTINGS.objective.model_copy(update={"class_weight": 2.0})
    settings = shared_training.SETTINGS.model_copy(update={"objective": objective})
    batch = settings.optimizer.batch
    faces = shared_training.faces()
    trainer = AdversarialTrainer(settings, faces)
    assert trainer.draw_unseen.conditions.tolist() == [[0, 0]]
    trainer.train_step(0.0)  # unseen conditions are drawn at every second step
    generator, discriminator = copy.deepcopy((trainer.generator, trainer.discriminator))
    given: list[tuple[Tensor, ...]] = []
    for network in (trainer.generator, trainer.discriminator):
        network.register_forward_pre_hook(
            lambda _, inputs: given.append(tuple(tensor.detach().clone() for tensor in inputs))
        )
    trainer.train_step(0.0)
    (latent, condition), (unseen, theirs), (real, own), (fake, _) = given

    assert torch.equal(condition, torch.cat([own, theirs]))
    assert theirs.tolist() == [[1, 0, 0, 0, 1, 0, 0]] * batch
    generated = generator(latent, condition)
    assert torch.equal(generated, torch.cat([fake, unseen]))
    labels = torch.stack(
        [block.argmax(dim=1) for block in torch.split(own, list(faces.sizes), 1)], dim=1
    )
    real_score, real_logits = discriminator(real, own)
    fake_score, _ = discriminator(fake, own)
    loss = F.softplus(fake_score - real_score).mean()
    (loss + objective.class_weight * classes(real_logits, labels)).backward()  # type: ignore[no-untyped-call]
    judged = copy.deepcopy(discriminator).requires_grad_(False)
    score, logits = judged(generated[:batch], own)
    generator_loss = F.softplus(real_score.detach() - score).mean()
    classification = classes(logits, labels) + classes(
        judged(generated[batch:], theirs)[1], torch.zeros_like(labels)
    )
    missing_diversity = diversity(real, generated[:batch], settings.optimizer.group)
    whole = generator_loss + objective.class_weight * classification
    (whole + objective.diversity_weight * missing_diversity).backward()  # type: ignore[no-untyped-call]
    for ours, plain in ((trainer.generator, generator), (trainer.discriminator, discriminator)):
        for (name, one), other in zip(ours.named_parameters(), plain.parameters(), strict=True):
            assert one.grad is not None
            assert other.grad is not None
            assert torch.allclose(one.grad, other.grad, rtol=1e-3, atol=1e-6), name


def test_unseen_conditions_occur_in_no_image() -> None:
    faces = shared_training.faces()
    shown = {tuple(row) for row in faces.labels.tolist()}
    every = {(hair, eyes) for hair in range(4) for eyes in range(3)}
    assert {tuple(row) for row in unseen_conditions(faces).tolist()} == every - shown
    plain = replace(faces, labels=faces.labels[:, :0], attributes=())
    assert len(unseen_conditions(plain)) == 0


def test_diversity_loss_is_the_missing_share_of_the_deviation() -> None:
    """Compared with the standard deviation of PyTorch."""
    rng = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 6, 3, 8, 8, generator=rng)
    fake = 0.5 * fake

    def deviation(images: Tensor) -> Tensor:
        return images.view(2, 3, -1).var(dim=1, unbiased=False).mean(dim=1).sqrt().mean()

    expected = 1 - deviation(fake) / deviation(real)
    assert diversity(real, fake, 3).item() == pytest.approx(expected.item(), rel=1e-5)
    assert diversity(fake, real, 3) == 0


def test_norm_ratio_follows_the_moving_averages_of_both_norms() -> None:
    norms = torch.zeros(2)
    ones = torch.ones(4, 4)
    assert norm_ratio(ones, 2 * ones, norms, lambda x: x).item() == pytest.approx(0.5)
    assert norms.tolist() == pytest.approx([4.0, 8.0])
    ratio = norm_ratio(ones, 4 * ones, norms, lambda x: x).item()
    assert norms.tolist() == pytest.approx([4.0, 0.98 * 8 + 0.02 * 16])
    assert ratio == pytest.approx(norms[0].item() / norms[1].item())


def test_the_generator_learns_from_feature_discriminators_after_the_warm_up() -> None:
    faces, settings = shared_training.faces(), shared_training.WITH_FEATURES
    plain = AdversarialTrainer(shared_training.SETTINGS, faces)
    featured = AdversarialTrainer(settings, faces)

    def weights(trainer: AdversarialTrainer) -> Tensor:
        return torch.cat([p.detach().flatten() for p in trainer.generator.parameters()])

    for step in range(settings.features.warmup_steps + 1):
        assert torch.equal(weights(plain), weights(featured)), step
        plain.train_step(0.0)
        featured.train_step(0.0)
    assert not torch.allclose(weights(plain), weights(featured))


def test_feature_discriminators_learn_to_separate_real_and_fake() -> None:
    trainer = AdversarialTrainer(shared_training.WITH_FEATURES, shared_training.faces())
    losses = [trainer.train_step(0.0)["feature_discriminator"].item() for _ in range(24)]
    assert sum(losses[-4:]) / 4 < 0.8 * losses[0]


def test_state_with_feature_discriminators_resumes_exactly() -> None:
    faces = shared_training.faces()
    whole, resumed = (AdversarialTrainer(shared_training.WITH_FEATURES, faces) for _ in range(2))
    for _ in range(3):
        whole.train_step(0.0)
    resumed.load_state_dict({n: t.clone() for n, t in whole.state_dict().items()}, 3)
    for trainer in (whole, resumed):
        for _ in range(3):
            trainer.train_step(0.0)
    others = resumed.state_dict()
    assert whole.state_dict().keys() == others.keys()
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, others[name]), name


def test_real_images_are_flipped_until_a_share_of_the_training() -> None:
    optimizer = shared_training.SETTINGS.optimizer.model_copy(update={"flip_until": 0.75})
    settings = shared_training.SETTINGS.model_copy(update={"optimizer": optimizer})
    faces = shared_training.faces()
    images = faces.images.clone()
    images[..., : images.shape[-1] // 2] = 0
    trainer = AdversarialTrainer(settings, replace(faces, images=images))

    def dark_sides(progress: float) -> set[str]:
        trainer.set_schedule(progress)
        real = torch.cat([trainer.draw_batch()[0] for _ in range(8)])
        return {"left" if (image[..., 0] == -1).all() else "right" for image in real}

    assert dark_sides(0.74) == {"left", "right"}
    assert dark_sides(0.75) == {"left"}

import pytest
import torch
from torch import Tensor

from train.critic import REJECTED_SHARE, Critic, best_of, fit_critic
from train.networks.irodori import IrodoriDiscriminator


@pytest.fixture
def discriminator() -> IrodoriDiscriminator:
    torch.manual_seed(0)
    discriminator = IrodoriDiscriminator(32, (2, 3), width=4)
    with torch.no_grad():
        for downsample in discriminator.downsample:
            downsample.get_parameter("weight").mul_(8)
    return discriminator.eval()


def noise(latents: Tensor, conditions: Tensor) -> Tensor:
    """A uniform image for each latent [N, 1]."""
    level = ((latents + 3) * 40).clamp(0, 255).to(torch.uint8)
    return level.view(-1, 1, 1, 1).expand(-1, 3, 32, 32)


def one_condition(count: int) -> Tensor:
    return torch.tensor([[1.0, 0, 0, 1, 0]]).repeat(count, 1)


def test_scores_do_not_depend_on_the_batch(discriminator: IrodoriDiscriminator) -> None:
    critic = Critic(discriminator, threshold=100.0)
    images = torch.randint(0, 256, (5, 3, 32, 32), dtype=torch.uint8)
    together = critic(images, one_condition(5))
    alone = torch.cat([critic(image[None], one_condition(1)) for image in images])
    assert torch.allclose(together, alone, atol=1e-5)
    assert together.std() > 0


def test_scores_are_capped_at_the_threshold(discriminator: IrodoriDiscriminator) -> None:
    latents = torch.randn(200, 1)
    critic = fit_critic(discriminator, noise, latents, one_condition(200))
    realness, _ = critic.components(noise(latents, one_condition(200)), one_condition(200))
    assert (realness < critic.threshold).float().mean() == pytest.approx(REJECTED_SHARE, abs=0.03)
    assert (
        critic(noise(latents, one_condition(200)), one_condition(200)) <= critic.threshold
    ).all()


def test_score_depends_on_the_requested_values(discriminator: IrodoriDiscriminator) -> None:
    critic = Critic(discriminator, threshold=-100.0)
    image = torch.randint(0, 256, (1, 3, 32, 32), dtype=torch.uint8)
    conditions = torch.eye(2)[[0, 1]], torch.eye(3)[[2, 2]]
    _, log_probability = critic.components(image.repeat(2, 1, 1, 1), torch.cat(conditions, dim=1))
    assert log_probability[0] != log_probability[1]
    assert (log_probability < 0).all()


def test_best_of_keeps_the_first_of_equal_scores() -> None:
    def generate(latents: Tensor, conditions: Tensor) -> Tensor:
        assert latents.shape[1] == 2
        return latents[:, :1].view(-1, 1, 1, 1)

    def critic(pictures: Tensor, conditions: Tensor) -> Tensor:
        return pictures.flatten().clamp(max=3) + conditions[:, 0] * 1e-4

    choose = best_of(generate, critic, 3)
    latents = torch.tensor([[1.0, 0, 5, 0, 4, 0], [2.0, 0, 1, 0, 2, 0], [4.0, 0, 9, 0, 9, 0]])
    assert choose(latents, torch.rand(3, 5)).flatten().tolist() == [5, 2, 4]
    assert best_of(generate, critic, 1) is generate

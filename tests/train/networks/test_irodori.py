import torch

from train.networks.irodori import IrodoriGenerator


def test_added_refinement_blocks_change_no_image_before_they_are_trained() -> None:
    plain = IrodoriGenerator(32, 8, (2,), width=4)
    refined = IrodoriGenerator(32, 8, (2,), width=4, depth=2)
    missing, unexpected = refined.load_state_dict(plain.state_dict(), strict=False)
    assert missing
    assert not unexpected
    latents, conditions = torch.randn(6, 8), torch.eye(2).repeat(3, 1)
    plain.eval()
    refined.eval()
    with torch.inference_mode():
        assert torch.equal(plain(latents, conditions), refined(latents, conditions))


def test_refinement_blocks_learn_from_the_first_step() -> None:
    generator = IrodoriGenerator(32, 8, (2,), width=4, depth=1)
    images = generator(torch.randn(6, 8), torch.eye(2).repeat(3, 1))
    images.square().mean().backward()
    for stage in generator.refine:
        gradient = stage.get_parameter("0.convolutions.1.weight").grad
        assert gradient is not None
        assert gradient.abs().max() > 0

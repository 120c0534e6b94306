"""Training of the recipes: all parameters learn, all combinations run, and states resume."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from small_recipes import faces, small, steps
from torch import nn

from train import checkpoint, recipes
from train.__main__ import main
from train.distributed import Processes, SharedBatchNorm, ShareError, share_batch_norms
from train.models import build_trainer
from train.trainer import Trainer


@pytest.mark.parametrize("name", recipes.NAMES)
def test_each_recipe_trains_all_its_parameters(name: str) -> None:
    recipe = recipes.read(name)
    assert recipe.about
    assert recipe.source
    assert set(recipes.EXPERIMENT) - {"lineage"} <= set(recipe.settings), (
        "whatever config.toml says"
    )
    trainer = build_trainer(settings := small(name), faces(settings.network.resolution))
    before = {
        network: [parameter.clone() for parameter in module.parameters()]
        for network, module in trainer.networks.items()
    }
    for step in range(6):
        trainer.train_step(step / 6)
    for network, parameters in before.items():
        pairs = zip(parameters, trainer.networks[network].parameters(), strict=True)
        moved = [not torch.equal(old, new) for old, new in pairs if new.grad is not None]
        # Some do not change: biases common to all scores, maxout pieces that are never the largest.
        assert sum(moved) > 0.7 * len(moved), network
    # All parameters of the discriminator are trained; StackGAN trains its stages one by one.
    trained = [p.grad is not None for p in trainer.discriminator.parameters()]
    assert all(trained) or name == "stackgan"
    latent = torch.randn(3, settings.network.latent_dim)
    condition = torch.eye(sum(trainer.faces.sizes))[:3] if trainer.faces.sizes else None
    with torch.inference_mode():
        pictures = trainer.ema(latent, torch.zeros(3, 0) if condition is None else condition)
    assert pictures.shape == (3, 3, settings.network.resolution, settings.network.resolution)
    if name != "r3gan":  # which has no tanh
        assert pictures.abs().max() <= 1


@pytest.mark.parametrize("loss", ["relativistic", "minimax", "nonsaturating", "wasserstein"])
@pytest.mark.parametrize("network", ["mlp", "dcgan", "srresnet", "r3gan"])
def test_any_loss_runs_with_any_network(loss: str, network: str) -> None:
    """Also with all conditionings, penalties, heads and augmentations."""
    number = ["mlp", "dcgan", "srresnet", "r3gan"].index(network)
    choice = (number + len(loss)) % 4  # covers most combinations for each network
    steps(
        "dcgan",
        2,
        generator=network,
        discriminator=network,
        discriminator_norm="none",
        width=20 if network == "mlp" else 4,
        loss=loss,
        conditioning=["input", "auxiliary", "projection", "none"][choice],
        heads=["linear", "deep", "network", "none"][(choice + number) % 4]
        if choice != 1
        else "deep",
        class_weight=1,
        penalty=1,
        penalty_kind=["zero-centered", "wgan-gp", "dragan"][number % 3],
        augmentation=["flip", "flip-and-shift", "flip-and-rotate", "none"][choice],
    )


@pytest.mark.parametrize("name", ["wgan", "ebgan", "stackgan", "aegan-wgan-gp", "gan"])
def test_a_restored_state_resumes_exactly(name: str) -> None:
    settings = small(name)
    data = faces(settings.network.resolution)
    whole, cut, resumed = (build_trainer(settings, data) for _ in range(3))

    def go(trainer: Trainer, start: int, end: int) -> None:
        for step in range(start, end):
            trainer.train_step(step / 8)

    go(whole, 0, 8)
    go(cut, 0, 6)
    resumed.load_state_dict({n: t.clone() for n, t in cut.state_dict().items()}, 6)
    go(resumed, 6, 8)
    others = resumed.state_dict()
    assert whole.state_dict().keys() == others.keys()
    for key, tensor in whole.state_dict().items():
        assert torch.equal(tensor, others[key]), key


def test_without_ema_the_average_is_the_generator_itself() -> None:
    trainer = steps("dcgan", 3)
    for one, other in zip(
        trainer.ema.state_dict().values(), trainer.generator.state_dict().values(), strict=True
    ):
        if one.is_floating_point():
            assert torch.equal(one, other)


@pytest.mark.parametrize("name", ["aegan", "stackgan"])
def test_error_for_networks_that_need_a_single_process(name: str) -> None:
    settings = small(name)
    with pytest.raises(ShareError, match="needs a single process"):
        build_trainer(settings, faces(settings.network.resolution), Processes(0, 2))


def test_shared_batch_norms_keep_their_weights() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.BatchNorm2d(4, affine=False))
    nn.init.normal_(network[1].get_parameter("weight"))
    image = torch.randn(2, 3, 8, 8)
    expected = network.eval()(image)
    share_batch_norms(network)
    assert [type(layer) for layer in network[1:]] == [SharedBatchNorm] * 2
    assert torch.equal(network.eval()(image), expected)


def test_an_unconditional_recipe_ignores_tags() -> None:
    assert steps("dcgan", 1).faces.attributes == ()
    assert steps("cgan", 1).faces.sizes == (4, 3)


def test_gray_images_of_28_pixels_are_trained_with_one_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As those of MNIST, in a folder for each digit."""
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (90, 28, 28), np.uint8)
    for number, digit in enumerate(pixels):
        file = Path(f"digits/{number % 3}/{number}.png")
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(digit).save(file)
    command = ["--data", "digits", "--recipe", "acgan-dcgan", "--resolution", "32", "--width", "4"]
    command += ["--batch", "16", "--images", "64", "--device", "cpu", "--no-export", "--name", "d"]
    with pytest.raises(SystemExit):
        main(command)
    assert "use --enlarge, or larger images" in " ".join(capsys.readouterr().out.split())
    main([*command, "--enlarge"])
    info = checkpoint.read_run(Path("runs/d"))
    assert (info.images, info.sizes) == (64, [3])

"""Recipes: what is in each, which settings win, and what a few steps of each show of what defines
it.
"""

import math
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import team_training
import torch
from torch import Tensor, nn

import config
from train import recipes
from train.__main__ import _parser, _settings, main
from train.data import Faces
from train.distributed import ShareError, Team, WholeBatchNorm, whole_batch_norms
from train.networks.autoencoder import Generator as Autoencoder
from train.networks.stackgan import Generator as StackGenerator
from train.settings import TrainSettings
from train.trainer import Trainer

SMALL = {"batch": 4, "width": 8, "blocks": 2}
SIZES = {"resolution": 32}
"""But for those recipes that are about a size."""


def cook(name: str, **changed: Any) -> TrainSettings:
    """A recipe in small."""
    settings = recipes.read(name).settings
    small = SMALL | ({} if settings["resolution"] != 64 else SIZES)
    return TrainSettings(**{**settings, **small, **changed})


def faces(size: int = 32) -> Faces:
    noise = team_training.faces()
    images = nn.functional.interpolate(noise.images.float(), size=size).to(torch.uint8)
    return replace(noise, images=images)


def steps(name: str, count: int, **changed: Any) -> Trainer:
    settings = cook(name, **changed)
    trainer = Trainer(settings, faces(settings.resolution))
    for step in range(count):
        trainer.done = step / count
        figures = trainer.train_step(settings.learning_rate)
        assert all(value.isfinite() for value in figures.values()), figures
    return trainer


def modules(network: nn.Module, *kinds: type[nn.Module]) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, kinds)]


@pytest.mark.parametrize("name", recipes.NAMES)
def test_each_says_all_of_an_experiment_and_trains(name: str) -> None:
    recipe = recipes.read(name)
    assert recipe.about
    assert recipe.source
    assert set(recipe.settings) == set(recipes.EXPERIMENT), "nothing is left to config.toml"
    trainer = Trainer(settings := cook(name), faces(settings.resolution))
    before = {
        player: [parameter.clone() for parameter in network.parameters()]
        for player, network in (
            ("generator", trainer.generator),
            ("discriminator", trainer.discriminator),
        )
    }
    for step in range(6):
        trainer.done = step / 6
        trainer.train_step(settings.learning_rate)
    for player, parameters in before.items():
        pairs = zip(parameters, getattr(trainer, player).parameters(), strict=True)
        moved = [not torch.equal(old, new) for old, new in pairs if new.grad is not None]
        # Some may stay: a bias that all scores share, a maxout piece that is never the largest.
        assert sum(moved) > 0.7 * len(moved), player
    # Nothing is left that never learns, but what has no part in a picture of its own.
    trained = [p.grad is not None for p in trainer.discriminator.parameters()]
    assert all(trained) or name == "stackgan"
    latent = torch.randn(3, settings.latent_dim)
    condition = torch.eye(sum(trainer.faces.sizes))[:3] if trainer.faces.sizes else None
    with torch.inference_mode():
        pictures = trainer.ema(latent, torch.zeros(3, 0) if condition is None else condition)
    assert pictures.shape == (3, 3, settings.resolution, settings.resolution)
    if name != "r3gan":  # which has no tanh
        assert pictures.abs().max() <= 1


def test_all_files_are_listed() -> None:
    assert {file.stem for file in recipes.FOLDER.glob("*.toml")} == set(recipes.NAMES)
    built = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    assert "*.toml" in built["tool"]["setuptools"]["package-data"]["train.recipes"]


def test_the_default_is_a_recipe() -> None:
    ours = TrainSettings().model_dump()
    assert {key: ours[key] for key in recipes.EXPERIMENT} == recipes.read("irodori").settings


# Which settings win


def settle(*arguments: str) -> TrainSettings:
    return _settings(_parser().parse_args(arguments)).train


def test_file_then_recipe_then_environment_then_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.toml").write_text(
        '[train]\nbatch = 4\nlearning_rate = 1.0\nseed = 5\nclip = 3.0\nloss = "minimax"\n'
    )
    assert (settle().batch, settle().loss) == (4, "minimax")
    wgan = settle("--recipe", "wgan")
    assert (wgan.batch, wgan.learning_rate, wgan.clip, wgan.loss) == (64, 5e-5, 0.01, "wasserstein")
    assert (wgan.seed, wgan.recipe) == (5, "wgan"), "what no recipe says is the file's"
    monkeypatch.setenv("IRODORI_TRAIN__BATCH", "8")
    monkeypatch.setenv("IRODORI_TRAIN__WIDTH", "16")
    changed = settle("--recipe", "wgan", "--width", "32")
    assert (changed.batch, changed.width, changed.clip) == (8, 32, 0.01)
    Path("config.toml").write_text('[train]\nrecipe = "ebgan"\nmargin = 1.0\n')
    assert settle().margin == 20
    assert settle("--margin", "10").margin == 10
    assert settle("--recipe", "gan").loss == "nonsaturating"


def test_an_own_recipe_says_what_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.toml").write_text("[train]\nbatch = 4\n")
    Path("mine.toml").write_text("[train]\nwidth = 48\n")
    mine = settle("--recipe", "mine.toml")
    assert (mine.width, mine.batch) == (48, 4)


@pytest.mark.parametrize(
    ("arguments", "content", "message"),
    [
        (["--recipe", "dcgna"], "", r"no recipe 'dcgna'; the nearest: dcgan"),
        (["--recipe", "none.toml"], "", r"no recipe none\.toml"),
        (
            ["--recipe", "r.toml"],
            "[train]\nlearningrate = 1",
            "has no 'learningrate'; the nearest: learning_rate",
        ),
        (["--recipe", "r.toml"], "[trian]\nwidth = 1", "unknown key 'trian'"),
        (["--recipe", "r.toml"], "[train", "not valid TOML"),
        (["--recipe", "wgan", "--generator", "dcgna"], "", "train.generator: Input should be"),
    ],
)
def test_what_is_not_known_is_named_with_the_nearest(
    arguments: list[str],
    content: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("r.toml").write_text(content)
    with pytest.raises(config.SettingsError, match=message):
        settle(*arguments)


def test_a_wrong_key_in_the_settings_file_is_told_with_the_nearest(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("[train]\nlearn_rate = 1\n")
    with pytest.raises(config.SettingsError, match=r"train\.learn_rate.*nearest: learning_rate"):
        settle("--config", str(file))


def test_a_flag_that_is_none_is_told_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--recipes", "dcgan"])
    assert "there is no --recipes; the nearest: --recipe" in capsys.readouterr().err


def test_recipes_are_listed_with_their_sources(capsys: pytest.CaptureFixture[str]) -> None:
    main(["recipes"])
    listed = capsys.readouterr().out
    for name in recipes.NAMES:
        assert f"{name} " in listed
        assert recipes.read(name).source in " ".join(listed.split())


@pytest.mark.parametrize(
    ("recipe", "changed", "reason"),
    [
        ("wgan-gp", {"discriminator_norm": "batch"}, "batch norm"),
        ("r3gan", {"discriminator_norm": "layer"}, "r3gan discriminator has no norm"),
        ("wgan", {"clip": 0}, "no bound without clip or penalty"),
        ("dcgan", {"loss": "energy"}, "discriminator must be autoencoder"),
        ("ebgan", {"loss": "minimax", "margin": 0, "pulling_away": 0}, "never above 0"),
        ("ebgan", {"conditioning": "projection"}, "no inner product"),
        ("dcgan", {"margin": 1}, "belong to the energy loss"),
        ("acgan-dcgan", {"heads": "none"}, "heads must be"),
        ("irodori", {"group": 1}, "group must be 2"),
        ("dcgan", {"generator": "stackgan"}, "must both be stackgan"),
        ("stackgan", {"resolution": 64}, "resolution must be 128"),
        ("stackgan", {"reconstruction_weight": 1}, "no encoder"),
    ],
)
def test_pairs_that_make_no_sense_are_named(
    recipe: str, changed: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        TrainSettings(**{**recipes.read(recipe).settings, **changed})


@pytest.mark.parametrize("loss", ["relativistic", "minimax", "nonsaturating", "wasserstein"])
@pytest.mark.parametrize("network", ["irodori", "mlp", "dcgan", "srresnet", "r3gan"])
def test_any_loss_runs_with_any_network(loss: str, network: str) -> None:
    """And any way of conditioning, of penalising, of naming and of taking turns."""
    number = ["irodori", "mlp", "dcgan", "srresnet", "r3gan"].index(network)
    turn = (number + len(loss)) % 4  # so that each network meets most of them
    steps(
        "dcgan",
        2,
        generator=network,
        discriminator=network,
        discriminator_norm="none",
        width=20 if network == "mlp" else 4,
        loss=loss,
        conditioning=["input", "auxiliary", "projection", "none"][turn],
        heads=["linear", "deep", "network", "none"][(turn + number) % 4] if turn != 1 else "deep",
        class_weight=1,
        penalty=1,
        penalty_kind=["zero-centred", "wgan-gp", "dragan"][number % 3],
        updates=["simultaneous", "alternating"][number % 2],
        augmentation=["flip", "flip-and-shift", "flip-and-rotate", "none"][turn],
        unseen_every=2,
    )


# What defines each


def updates(trainer: Trainer) -> dict[str, int]:
    """Steps that each player has taken."""
    return {
        player: max(int(state["step"]) for state in optimiser.state.values())
        for player, optimiser in trainer.optimisers.items()
    }


@pytest.mark.parametrize(
    ("name", "generator"), [("dcgan", 10), ("wgan", 2), ("wgan-gp", 2), ("dcgan-96", 2)]
)
def test_the_schedule_of_steps(name: str, generator: int) -> None:
    trainer = steps(name, 10)
    assert updates(trainer) == {"generator": generator, "discriminator": 10}
    assert trainer.images == 40


def test_gan_may_be_trained_as_by_its_authors() -> None:
    trainer = steps("gan", 4, optimiser="sgd", learning_rate=0.1, discriminator_steps=2)
    sgd = trainer.optimisers["discriminator"]
    assert isinstance(sgd, torch.optim.SGD)
    assert sgd.param_groups[0]["momentum"] == 0.5
    before = [p.clone() for p in trainer.discriminator.parameters()]
    trainer.train_step(0.1)
    after = trainer.discriminator.parameters()
    assert any(not torch.equal(*pair) for pair in zip(before, after, strict=True))


def test_wgan_clips_every_weight() -> None:
    trainer = steps("wgan", 2)
    largest = [p.abs().max().item() for p in trainer.discriminator.parameters()]
    assert max(largest) == pytest.approx(0.01)
    assert isinstance(trainer.optimisers["discriminator"], torch.optim.RMSprop)
    assert max(p.abs().max().item() for p in trainer.generator.parameters()) > 0.02


def test_dcgan_is_as_in_the_paper() -> None:
    settings = recipes.read("dcgan").settings
    trainer = Trainer(TrainSettings(**settings | {"width": 32}), faces(64))
    generator, discriminator = trainer.generator, trainer.discriminator
    strided = modules(generator, nn.ConvTranspose2d)
    assert [layer.out_channels for layer in strided] == [256, 128, 64, 32, 3]
    assert [layer.stride for layer in strided] == [(1, 1), *[(2, 2)] * 4]
    assert len(modules(generator, nn.BatchNorm2d)) == 4, "none at the end"
    assert len(modules(discriminator, nn.Conv2d)) == 4
    assert len(modules(discriminator, nn.BatchNorm2d)) == 3, "none at the start"
    assert not modules(generator, nn.Linear, nn.MaxPool2d, nn.AvgPool2d)
    weights = torch.cat([layer.weight.flatten() for layer in strided])
    assert weights.std().item() == pytest.approx(0.02, rel=0.02)
    assert weights.mean().abs() < 1e-3
    adam = trainer.optimisers["generator"].param_groups[0]
    assert (adam["lr"], adam["betas"]) == (2e-4, (0.5, 0.999))
    assert settings["width"] * 8 == 1024


def test_dcgan_96_has_kernel_5_and_stride_3_at_the_ends() -> None:
    trainer = Trainer(cook("dcgan-96"), faces(96))
    end = modules(trainer.generator, nn.ConvTranspose2d)[-1]
    start = modules(trainer.discriminator, nn.Conv2d)[0]
    for layer in (end, start):
        assert (layer.kernel_size, layer.stride) == ((5, 5), (3, 3))
    assert recipes.read("dcgan-96").settings["batch"] == 256
    sides: list[int] = []
    for layer in modules(trainer.generator, nn.ConvTranspose2d):
        layer.register_forward_hook(lambda _m, _i, output: sides.append(output.shape[-1]))
    trainer.generator(torch.randn(2, 100), torch.zeros(2, 0))
    assert sides == [4, 8, 16, 32, 96]


def test_tricks_narrow_the_latents_and_turn_the_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = recipes.read("dcgan-tricks").settings
    sigma = math.exp(-1 / math.pi)
    assert settings["latent_deviation"] == pytest.approx(sigma, abs=1e-6)
    trainer = Trainer(cook("dcgan-tricks", batch=64), faces())
    seen: list[Tensor] = []
    first = modules(trainer.generator, nn.ConvTranspose2d)[0]
    first.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    trainer.train_step(2e-4)
    assert torch.cat(seen).std().item() == pytest.approx(sigma, rel=0.03)
    assert trainer.ema.spread.item() == pytest.approx(sigma), "the model draws as it learnt to"
    assert settings["augmentation"] == "flip-and-rotate"


def test_the_condition_is_joined_to_both_inputs_in_cgan() -> None:
    trainer = Trainer(cook("cgan"), faces())
    assert modules(trainer.generator, nn.ConvTranspose2d)[0].in_channels == 100 + 7
    assert modules(trainer.discriminator, nn.Conv2d)[0].in_channels == 3 + 7
    image = torch.randn(2, 3, 32, 32)
    discriminator = trainer.discriminator.eval()
    scores = [discriminator(image, torch.eye(7)[[n, n]])[0] for n in (0, 1)]
    assert not torch.allclose(*scores)


@pytest.mark.parametrize("name", [n for n in recipes.NAMES if "acgan" in n or n == "stackgan"])
def test_acgan_names_what_it_is_not_told(name: str) -> None:
    trainer = Trainer(cook(name), faces(cook(name).resolution))
    image = torch.randn(2, 3, cook(name).resolution, cook(name).resolution)
    told = [trainer.discriminator.eval()(image, torch.eye(7)[[n, n]])[0] for n in (0, 1)]
    assert torch.equal(*told), "realness is judged without the condition"
    _, logits = trainer.discriminator(image, torch.eye(7)[:2])
    assert [head.shape for head in logits] == [(2, 4), (2, 3)]
    naming = trainer.train_step(1e-9)["discriminator_naming"].item()
    assert naming == pytest.approx(math.log(4) + math.log(3), rel=0.25), "by chance, at first"


def test_the_heads_of_each_acgan() -> None:
    coupled, decoupled, two = (
        Trainer(cook(name), faces()).discriminator
        for name in ("acgan-srresnet", "acgan-decoupled", "acgan-two-nets")
    )
    assert [type(head) for head in coupled.heads] == [nn.Linear] * 2
    for head in (decoupled.realness, *decoupled.heads):
        assert len(modules(head, nn.Linear)) == 3
    assert recipes.read("acgan-decoupled").settings["class_weight"] == 5

    def reached(discriminator: nn.Module, what: Callable[[Any], Tensor]) -> set[str]:
        """Convolutions that a loss reaches."""
        discriminator.zero_grad()
        what(discriminator(torch.randn(2, 3, 32, 32), torch.eye(7)[:2])).sum().backward()
        return {
            name
            for name, parameter in discriminator.named_parameters()
            if parameter.grad is not None and parameter.dim() == 4
        }

    for discriminator, shared in ((coupled, True), (decoupled, True), (two, False)):
        realness = reached(discriminator, lambda given: given[0])
        naming = reached(discriminator, lambda given: given[1][0])
        assert (realness == naming) == shared
        assert bool(realness & naming) == shared


def test_makegirlsmoe_has_16_blocks_pixel_shuffles_and_no_batch_norm_in_its_discriminator() -> None:
    settings = recipes.read("acgan-srresnet").settings
    trainer = Trainer(TrainSettings(**settings | {"width": 8}), faces(64))
    assert len(trainer.generator.blocks) == 16
    assert len(modules(trainer.generator, nn.PixelShuffle)) == 2
    assert not modules(trainer.discriminator, nn.BatchNorm2d, nn.GroupNorm)
    assert (settings["penalty_kind"], settings["loss"]) == ("dragan", "nonsaturating")


def test_r3gan_has_no_norm_and_learns_from_both_penalties() -> None:
    trainer = Trainer(cook("r3gan"), faces())
    for network in (trainer.generator, trainer.discriminator):
        assert not modules(network, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)
    x = torch.randn(8, 16, 8, 8)
    stage = trainer.discriminator.stages[-1]
    assert torch.equal(stage(x), x), "a block adds nothing at first"
    assert trainer.train_step(2e-4)["penalty"] > 0


def test_ebgan_has_an_energy_that_is_its_distance_to_what_it_draws_again() -> None:
    discriminator = Trainer(cook("ebgan"), faces()).discriminator.eval()
    image = torch.rand(2, 3, 32, 32) * 2 - 1
    score, _ = discriminator(image, torch.zeros(2, 0))
    again = discriminator.decoder(discriminator.encoder(image))
    assert again.shape == image.shape
    expected = -torch.linalg.vector_norm((again - image).flatten(1), dim=1)
    assert torch.allclose(score, expected, atol=1e-4)


@pytest.mark.parametrize("name", ["aegan", "aegan-dcgan", "aegan-wgan-gp"])
def test_aegan_draws_new_faces_and_given_ones(name: str) -> None:
    few = faces()
    settings = cook(name, batch=8, learning_rate=2e-3, discriminator_steps=1)
    trainer = Trainer(settings, few)
    none = torch.zeros(8, 0)
    real = few.images[:8].float() / 127.5 - 1
    generator = trainer.generator
    assert isinstance(generator, Autoencoder)
    first = (generator.reconstruct(real, none) - real).abs().mean().item()
    for _ in range(20):
        figures = trainer.train_step(settings.learning_rate)
    last = (generator.reconstruct(real, none) - real).abs().mean().item()
    assert last < 0.95 * first
    assert figures["reconstruction"] > 0
    code = generator.encode(real)
    assert torch.allclose(code.square().mean(dim=1), torch.ones(8), atol=1e-4), "as long as drawn"
    assert generator(torch.randn(2, settings.latent_dim), none[:2]).shape == (2, 3, 32, 32)


def test_stackgan_refines_what_its_first_stage_has_learnt() -> None:
    settings = cook("stackgan")
    trainer = Trainer(settings, faces(128))
    generator = trainer.generator
    assert isinstance(generator, StackGenerator)
    latent, condition = torch.randn(2, 100), torch.eye(7)[:2]
    trainer.train_step(2e-4)
    assert generator.second.to_rgb.weight.abs().max() == 0, "the first stage alone"
    generator.eval()
    rough, whole = generator.first(latent, condition), generator(latent, condition)
    enlarged = nn.functional.interpolate(rough, scale_factor=2.0, mode="bilinear")
    assert (whole - enlarged).abs().mean() < 0.05
    generator.train()
    first = generator.first.layers[0].weight.clone()
    trainer.done = 0.6
    trainer.train_step(2e-4)
    assert torch.equal(first, generator.first.layers[0].weight)
    assert generator.second.to_rgb.weight.abs().max() > 0
    trainer.done = 0.1  # it was given more images
    trainer.train_step(2e-4)
    assert torch.equal(first, generator.first.layers[0].weight), "there is no way back"


@pytest.mark.parametrize("name", ["wgan", "ebgan", "stackgan", "aegan-wgan-gp", "gan"])
def test_a_restored_state_goes_on_exactly(name: str) -> None:
    settings = cook(name)
    data = faces(settings.resolution)
    whole, cut, resumed = (Trainer(settings, data) for _ in range(3))

    def go(trainer: Trainer, start: int, end: int) -> None:
        for step in range(start, end):
            trainer.done = step / 8
            trainer.train_step(settings.learning_rate)

    go(whole, 0, 8)
    go(cut, 0, 6)
    resumed.restore({n: t.clone() for n, t in cut.state().items()}, 6)
    go(resumed, 6, 8)
    others = resumed.state()
    assert whole.state().keys() == others.keys()
    for key, tensor in whole.state().items():
        assert torch.equal(tensor, others[key]), key


def test_the_average_is_the_generator_itself_where_there_is_none() -> None:
    trainer = steps("dcgan", 3)
    for one, other in zip(
        trainer.ema.state_dict().values(), trainer.generator.state_dict().values(), strict=True
    ):
        if one.is_floating_point():
            assert torch.equal(one, other)


@pytest.mark.parametrize("name", ["aegan", "stackgan"])
def test_what_cannot_be_shared_is_named(name: str) -> None:
    settings = cook(name)
    with pytest.raises(ShareError, match="by one process"):
        Trainer(settings, faces(settings.resolution), Team(0, 2))


def test_norms_over_all_processes_keep_their_weights() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.BatchNorm2d(4, affine=False))
    nn.init.normal_(network[1].weight)
    image = torch.randn(2, 3, 8, 8)
    expected = network.eval()(image)
    whole_batch_norms(network)
    assert [type(layer) for layer in network[1:]] == [WholeBatchNorm] * 2
    assert torch.equal(network.eval()(image), expected)


def test_tags_are_not_used_where_there_is_no_condition() -> None:
    assert steps("dcgan", 1).faces.attributes == ()
    assert steps("cgan", 1).faces.sizes == (4, 3)

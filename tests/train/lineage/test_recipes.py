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
import shared_training
import torch
from torch import Tensor, nn

import config
from train import recipes
from train.__main__ import main
from train.data import Faces
from train.distributed import Processes, SharedBatchNorm, ShareError, share_batch_norms
from train.lineage.networks.autoencoder import Generator as Autoencoder
from train.lineage.networks.stackgan import Generator as StackGenerator
from train.models import build_trainer
from train.pipeline import build_parser, read_settings
from train.settings import LineageSettings, TrainSettings, deep_update, nested_section
from train.trainer import Trainer

CLASSICAL = [name for name in recipes.NAMES if name != "irodori"]


def change(settings: dict[str, Any], **changed: Any) -> TrainSettings:
    """A recipe's settings with some changed, whatever their section; later sections win."""
    for key, value in changed.items():
        for section, field in TrainSettings.model_fields.items():
            nested = nested_section(field.annotation)
            if nested is not None and key in nested.model_fields and section in settings:
                settings = deep_update(settings, {section: {key: value}})
    return TrainSettings(**settings)


def small(name: str, **changed: Any) -> TrainSettings:
    """A recipe with small networks and batches; those that are about a size keep theirs."""
    settings = recipes.read(name).settings
    size = {"resolution": 32} if settings["network"]["resolution"] == 64 else {}
    if name == "irodori":  # a feature network has a width and weight of its own
        settings = deep_update(settings, {"features": {"weight": 0.0}})
    else:
        changed = {"blocks": 2} | changed
    return change(settings, **{"batch": 4, "width": 8} | size | changed)


def faces(size: int = 32) -> Faces:
    noise = shared_training.faces()
    images = nn.functional.interpolate(noise.images.float(), size=size).to(torch.uint8)
    return replace(noise, images=images)


def steps(name: str, count: int, **changed: Any) -> Trainer:
    settings = small(name, **changed)
    trainer = build_trainer(settings, faces(settings.network.resolution))
    for step in range(count):
        figures = trainer.train_step(step / count)
        assert all(value.isfinite() for value in figures.values()), figures
    return trainer


def modules(network: nn.Module, *kinds: type[nn.Module]) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, kinds)]


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
        # Some may stay: a bias that all scores share, a maxout piece that is never the largest.
        assert sum(moved) > 0.7 * len(moved), network
    # Nothing is left that never learns, but what has no part in a picture of its own.
    trained = [p.grad is not None for p in trainer.discriminator.parameters()]
    assert all(trained) or name == "stackgan"
    latent = torch.randn(3, settings.network.latent_dim)
    condition = torch.eye(sum(trainer.faces.sizes))[:3] if trainer.faces.sizes else None
    with torch.inference_mode():
        pictures = trainer.ema(latent, torch.zeros(3, 0) if condition is None else condition)
    assert pictures.shape == (3, 3, settings.network.resolution, settings.network.resolution)
    if name != "r3gan":  # which has no tanh
        assert pictures.abs().max() <= 1


def test_all_files_are_listed() -> None:
    assert {file.stem for file in recipes.FOLDER.glob("*.toml")} == set(recipes.NAMES)
    built = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8"))
    assert "*.toml" in built["tool"]["setuptools"]["package-data"]["train.recipes"]


def test_the_default_is_a_recipe() -> None:
    assert TrainSettings(**recipes.read("irodori").settings) == TrainSettings()


def test_a_recipe_states_only_what_differs() -> None:
    for name in CLASSICAL:
        table = tomllib.loads((recipes.FOLDER / f"{name}.toml").read_text("utf-8"))
        below = recipes.read(table["extends"]).settings if "extends" in table else None
        base = below or TrainSettings().model_dump(mode="json")
        for section, keys in table["train"].items():
            if not isinstance(keys, dict):
                continue
            for key, value in keys.items():
                said = (base.get(section) or {}).get(key)
                assert said != value or (name == "dcgan" and section == "lineage"), (name, key)


# Which settings win


def settings_of(*arguments: str) -> TrainSettings:
    return read_settings(build_parser().parse_args(arguments)).train


def test_file_then_recipe_then_environment_then_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.toml").write_text(
        "[train]\nseed = 5\n[train.optimizer]\nbatch = 4\nlearning_rate = 1.0\n"
        "[train.features]\nweight = 1.0\n"
    )
    assert (settings_of().optimizer.batch, settings_of().features.weight) == (4, 1.0)
    wgan = settings_of("--recipe", "wgan")
    assert wgan.lineage is not None
    assert (wgan.optimizer.batch, wgan.optimizer.learning_rate) == (64, 5e-5)
    assert (wgan.lineage.clip, wgan.lineage.loss) == (0.01, "wasserstein")
    assert (wgan.seed, wgan.recipe) == (5, "wgan"), "what no recipe says is the file's"
    monkeypatch.setenv("IRODORI_TRAIN__OPTIMIZER__BATCH", "8")
    monkeypatch.setenv("IRODORI_TRAIN__WIDTH", "16")  # as version 0.2 called it
    changed = settings_of("--recipe", "wgan", "--width", "32")
    assert changed.lineage is not None
    assert (changed.optimizer.batch, changed.network.width) == (8, 32)
    assert settings_of("--recipe", "wgan").network.width == 16
    Path("config.toml").write_text('[train]\nrecipe = "ebgan"\n')
    assert lineage_of().margin == 20
    assert lineage_of("--margin", "10").margin == 10
    assert lineage_of("--recipe", "gan").loss == "nonsaturating"


def lineage_of(*arguments: str) -> LineageSettings:
    lineage = settings_of(*arguments).lineage
    assert lineage is not None
    return lineage


def test_the_flat_settings_of_version_0_2_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.toml").write_text(
        '[train]\ngenerator = "irodori"\nloss = "relativistic"\npenalty_kind = "zero-centred"\n'
        'optimiser = "adam"\nbatch = 4\nwidth = 48\nema_images = 5\nseed = 3\n'
    )
    settings = settings_of("--batch", "6")
    assert settings.lineage is None
    assert (settings.optimizer.batch, settings.optimizer.ema_images) == (6, 5)
    assert (settings.network.width, settings.seed) == (48, 3)
    Path("config.toml").write_text('[train]\ngenerator = "dcgan"\nclip = 0.5\n')
    with pytest.raises(config.SettingsError, match="classical recipes"):
        settings_of()
    assert lineage_of("--recipe", "wgan").clip == 0.01


def test_an_own_recipe_says_what_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.toml").write_text("[train.optimizer]\nbatch = 4\n")
    Path("mine.toml").write_text("[train.network]\nwidth = 48\n")
    mine = settings_of("--recipe", "mine.toml")
    assert (mine.network.width, mine.optimizer.batch) == (48, 4)
    Path("other.toml").write_text('extends = "dcgan"\n[train.network]\nwidth = 8\n')
    other = settings_of("--recipe", "other.toml")
    assert (other.network.width, other.optimizer.batch) == (8, 128)


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
        (["--recipe", "r.toml"], 'extends = "dcgna"', "no recipe 'dcgna' to extend"),
        (["--recipe", "wgan", "--generator", "x"], "", "lineage.generator: Input should be"),
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
        settings_of(*arguments)


def test_a_wrong_key_in_the_settings_file_is_told_with_the_nearest(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("[train]\nlearn_rate = 1\n")
    with pytest.raises(config.SettingsError, match=r"train\.learn_rate.*nearest: learning_rate"):
        settings_of("--config", str(file))


def test_an_unknown_flag_is_named_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--recipies", "dcgan"])
    assert "there is no --recipies; the nearest: --recipe" in capsys.readouterr().err


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
        ("dcgan", {"margin": 1}, "for the energy loss only"),
        ("acgan-dcgan", {"heads": "none"}, "heads must be"),
        ("irodori", {"group": 1}, "group must be 2"),
        ("dcgan", {"diversity_weight": 1.0, "group": 2}, "classical recipes"),
        ("dcgan", {"generator": "stackgan"}, "must both be stackgan"),
        ("stackgan", {"resolution": 64}, "resolution must be 128"),
        ("stackgan", {"reconstruction_weight": 1}, "no encoder"),
    ],
)
def test_pairs_that_make_no_sense_are_named(
    recipe: str, changed: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        change(recipes.read(recipe).settings, **changed)


@pytest.mark.parametrize("loss", ["relativistic", "minimax", "nonsaturating", "wasserstein"])
@pytest.mark.parametrize("network", ["mlp", "dcgan", "srresnet", "r3gan"])
def test_any_loss_runs_with_any_network(loss: str, network: str) -> None:
    """And any conditioning, penalty, head and augmentation."""
    number = ["mlp", "dcgan", "srresnet", "r3gan"].index(network)
    choice = (number + len(loss)) % 4  # so that each network meets most of them
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


# What defines each


def updates(trainer: Trainer) -> dict[str, int]:
    """Steps that each network has taken."""
    return {
        network: max(int(state["step"]) for state in optimizer.state.values())
        for network, optimizer in trainer.optimizers.items()
    }


@pytest.mark.parametrize(
    ("name", "generator"), [("dcgan", 10), ("wgan", 2), ("wgan-gp", 2), ("dcgan-96", 2)]
)
def test_the_schedule_of_steps(name: str, generator: int) -> None:
    trainer = steps(name, 10)
    assert updates(trainer) == {"generator": generator, "discriminator": 10}
    assert trainer.images == 40


def test_gan_may_be_trained_as_by_its_authors() -> None:
    trainer = steps("gan", 4, optimizer="sgd", learning_rate=0.1, discriminator_steps=2)
    sgd = trainer.optimizers["discriminator"]
    assert isinstance(sgd, torch.optim.SGD)
    assert sgd.param_groups[0]["momentum"] == 0.5
    before = [p.clone() for p in trainer.discriminator.parameters()]
    trainer.train_step(0.0)
    after = trainer.discriminator.parameters()
    assert any(not torch.equal(*pair) for pair in zip(before, after, strict=True))


def test_wgan_clips_every_weight() -> None:
    trainer = steps("wgan", 2)
    largest = [p.abs().max().item() for p in trainer.discriminator.parameters()]
    assert max(largest) == pytest.approx(0.01)
    assert isinstance(trainer.optimizers["discriminator"], torch.optim.RMSprop)
    assert max(p.abs().max().item() for p in trainer.generator.parameters()) > 0.02


def test_dcgan_is_as_in_the_paper() -> None:
    settings = recipes.read("dcgan").settings
    trainer = build_trainer(change(settings, width=32), faces(64))
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
    adam = trainer.optimizers["generator"].param_groups[0]
    assert (adam["lr"], adam["betas"]) == (2e-4, (0.5, 0.999))
    assert settings["network"]["width"] * 8 == 1024


def test_dcgan_96_has_kernel_5_and_stride_3_at_the_ends() -> None:
    trainer = build_trainer(small("dcgan-96"), faces(96))
    end = modules(trainer.generator, nn.ConvTranspose2d)[-1]
    start = modules(trainer.discriminator, nn.Conv2d)[0]
    for layer in (end, start):
        assert (layer.kernel_size, layer.stride) == ((5, 5), (3, 3))
    assert recipes.read("dcgan-96").settings["optimizer"]["batch"] == 256
    sides: list[int] = []
    for layer in modules(trainer.generator, nn.ConvTranspose2d):
        layer.register_forward_hook(lambda _m, _i, output: sides.append(output.shape[-1]))
    trainer.generator(torch.randn(2, 100), torch.zeros(2, 0))
    assert sides == [4, 8, 16, 32, 96]


def test_tricks_narrow_the_latents_and_rotate_the_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = recipes.read("dcgan-tricks").settings["lineage"]
    sigma = math.exp(-1 / math.pi)
    assert settings["latent_deviation"] == pytest.approx(sigma, abs=1e-6)
    trainer = build_trainer(small("dcgan-tricks", batch=64), faces())
    seen: list[Tensor] = []
    first = modules(trainer.generator, nn.ConvTranspose2d)[0]
    first.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    trainer.train_step(0.0)
    assert torch.cat(seen).std().item() == pytest.approx(sigma, rel=0.03)
    assert trainer.ema.latent_scale.item() == pytest.approx(sigma), (
        "the model draws as it learnt to"
    )
    assert settings["augmentation"] == "flip-and-rotate"


def test_the_condition_is_joined_to_both_inputs_in_cgan() -> None:
    trainer = build_trainer(small("cgan"), faces())
    assert modules(trainer.generator, nn.ConvTranspose2d)[0].in_channels == 100 + 7
    assert modules(trainer.discriminator, nn.Conv2d)[0].in_channels == 3 + 7
    image = torch.randn(2, 3, 32, 32)
    discriminator = trainer.discriminator.eval()
    scores = [discriminator(image, torch.eye(7)[[n, n]])[0] for n in (0, 1)]
    assert not torch.allclose(*scores)


@pytest.mark.parametrize("name", [n for n in recipes.NAMES if "acgan" in n or n == "stackgan"])
def test_acgan_classifies_what_conditions_it_otherwise(name: str) -> None:
    trainer = build_trainer(small(name), faces(small(name).network.resolution))
    image = torch.randn(2, 3, small(name).network.resolution, small(name).network.resolution)
    reported = [trainer.discriminator.eval()(image, torch.eye(7)[[n, n]])[0] for n in (0, 1)]
    assert torch.equal(*reported), "images are scored without the condition"
    _, logits = trainer.discriminator(image, torch.eye(7)[:2])
    assert [head.shape for head in logits] == [(2, 4), (2, 3)]
    trainer.rate_factor = 1e-9
    loss = trainer.train_step(0.0)["discriminator_classes"].item()
    assert loss == pytest.approx(math.log(4) + math.log(3), rel=0.25), "by chance, at first"


def test_the_heads_of_each_acgan() -> None:
    coupled, decoupled, two = (
        build_trainer(small(name), faces()).discriminator
        for name in ("acgan-srresnet", "acgan-decoupled", "acgan-two-nets")
    )
    assert [type(head) for head in coupled.heads] == [nn.Linear] * 2
    for head in (decoupled.score_head, *decoupled.heads):
        assert len(modules(head, nn.Linear)) == 3
    assert recipes.read("acgan-decoupled").settings["objective"]["class_weight"] == 5

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
    trainer = build_trainer(change(settings, width=8), faces(64))
    settings = settings["lineage"]
    assert len(trainer.generator.blocks) == 16
    assert len(modules(trainer.generator, nn.PixelShuffle)) == 2
    assert not modules(trainer.discriminator, nn.BatchNorm2d, nn.GroupNorm)
    assert (settings["penalty_kind"], settings["loss"]) == ("dragan", "nonsaturating")


def test_r3gan_has_no_norm_and_learns_from_both_penalties() -> None:
    trainer = build_trainer(small("r3gan"), faces())
    for network in (trainer.generator, trainer.discriminator):
        assert not modules(network, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)
    x = torch.randn(8, 16, 8, 8)
    stage = trainer.discriminator.stages[-1]
    assert torch.equal(stage(x), x), "a block adds nothing at first"
    assert trainer.train_step(0.0)["penalty"] > 0


def test_ebgan_energy_is_its_reconstruction_error() -> None:
    discriminator = build_trainer(small("ebgan"), faces()).discriminator.eval()
    image = torch.rand(2, 3, 32, 32) * 2 - 1
    score, _ = discriminator(image, torch.zeros(2, 0))
    again = discriminator.decoder(discriminator.encoder(image))
    assert again.shape == image.shape
    expected = -torch.linalg.vector_norm((again - image).flatten(1), dim=1)
    assert torch.allclose(score, expected, atol=1e-4)


@pytest.mark.parametrize("name", ["aegan", "aegan-dcgan", "aegan-wgan-gp"])
def test_aegan_generates_new_faces_and_reconstructs_given_ones(name: str) -> None:
    few = faces()
    settings = small(name, batch=8, learning_rate=2e-3, discriminator_steps=1)
    trainer = build_trainer(settings, few)
    none = torch.zeros(8, 0)
    real = few.images[:8].float() / 127.5 - 1
    generator = trainer.generator
    assert isinstance(generator, Autoencoder)
    first = (generator.reconstruct(real, none) - real).abs().mean().item()
    for _ in range(20):
        figures = trainer.train_step(0.0)
    last = (generator.reconstruct(real, none) - real).abs().mean().item()
    assert last < 0.95 * first
    assert figures["reconstruction"] > 0
    code = generator.encode(real)
    assert torch.allclose(code.square().mean(dim=1), torch.ones(8), atol=1e-4), "as long as drawn"
    assert generator(torch.randn(2, settings.network.latent_dim), none[:2]).shape == (2, 3, 32, 32)


def test_stackgan_refines_its_first_stage() -> None:
    settings = small("stackgan")
    trainer = build_trainer(settings, faces(128))
    generator = trainer.generator
    assert isinstance(generator, StackGenerator)
    latent, condition = torch.randn(2, 100), torch.eye(7)[:2]
    trainer.train_step(0.0)
    assert generator.second.to_rgb.weight.abs().max() == 0, "the first stage alone"
    generator.eval()
    rough, whole = generator.first(latent, condition), generator(latent, condition)
    enlarged = nn.functional.interpolate(rough, scale_factor=2.0, mode="bilinear")
    assert (whole - enlarged).abs().mean() < 0.05
    generator.train()
    first = generator.first.layers[0].weight.clone()
    trainer.train_step(0.6)
    assert torch.equal(first, generator.first.layers[0].weight)
    assert generator.second.to_rgb.weight.abs().max() > 0
    trainer.train_step(0.1)  # it was given more images
    assert torch.equal(first, generator.first.layers[0].weight), "there is no way back"


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
def test_networks_that_cannot_be_shared_are_named(name: str) -> None:
    settings = small(name)
    with pytest.raises(ShareError, match="by one process"):
        build_trainer(settings, faces(settings.network.resolution), Processes(0, 2))


def test_shared_batch_norms_keep_their_weights() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.BatchNorm2d(4, affine=False))
    nn.init.normal_(network[1].weight)
    image = torch.randn(2, 3, 8, 8)
    expected = network.eval()(image)
    share_batch_norms(network)
    assert [type(layer) for layer in network[1:]] == [SharedBatchNorm] * 2
    assert torch.equal(network.eval()(image), expected)


def test_an_unconditional_recipe_ignores_tags() -> None:
    assert steps("dcgan", 1).faces.attributes == ()
    assert steps("cgan", 1).faces.sizes == (4, 3)

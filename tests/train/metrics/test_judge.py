import json
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest
import torch
from external_data import REAL_FACES

from benchmarks.judge import DAMAGE, FACIAL, blur, checkerboard, noise
from export.figures import FD_RATIO
from export.manifest import Attribute
from train.data import DataError, Faces, load, one_hot
from train.metrics import Classifier, Fidelity, Judge, prepare
from train.metrics.diversity import layouts

Damage = Callable[[torch.Tensor, float], torch.Tensor]


def test_classifier_is_accurate_on_held_out_faces(judge: Judge) -> None:
    hair, eyes = judge.as_asked(judge.held_out.images, judge.held_out.labels)
    assert hair >= 0.95
    assert eyes >= 0.9


def test_held_out_faces_have_the_figures_of_real_faces(judge: Judge) -> None:
    figures = judge.compare(judge.held_out.images, judge.held_out.labels)
    assert figures[FD_RATIO] == pytest.approx(1)
    assert figures["diversity"] == pytest.approx(1)
    for name, value in figures.items():
        if not name.endswith("_real"):
            assert figures[f"{name}_real"] == pytest.approx(value)


def fd_ratios(
    fidelity: Fidelity, images: torch.Tensor, damage: Damage, strengths: Sequence[float]
) -> list[float]:
    damaged = (damage(images, strength) for strength in strengths)
    return [fidelity.ratios(fidelity.figures(images))[FD_RATIO] for images in damaged]


@pytest.mark.parametrize(
    "damage", [d for d in DAMAGE if d not in FACIAL], ids=lambda damage: damage.__name__
)
def test_fd_ratio_increases_with_damage(damage: Damage, judge: Judge) -> None:
    # For 120 held-out flat drawings of 32 pixels, slight damage is below the floor.
    stronger: dict[Damage, tuple[float, ...]] = {noise: (40, 60, 90), checkerboard: (8, 16, 32)}
    strengths = stronger.get(damage, DAMAGE[damage])
    ratios = [1.0, *fd_ratios(judge.fidelity, judge.held_out.images, damage, strengths)]
    assert ratios == sorted(ratios), "the stronger the more"
    assert ratios[-1] > 1.5


@pytest.fixture(scope="module")
def fidelity_of_real_faces(tmp_path_factory: pytest.TempPathFactory) -> Fidelity:
    """Of so many faces that damage of small parts of the face shows. Reading all takes longer."""
    few = tmp_path_factory.mktemp("real") / "faces.zip"
    with ZipFile(REAL_FACES) as every, ZipFile(few, "w") as some:
        tags = random.Random(0).sample(every.read("tags.csv").decode().splitlines(), 2000)
        for line in tags:
            image = f"images/{line.partition(',')[0]}.jpg"
            some.writestr(image, every.read(image))
        some.writestr("tags.csv", "\n".join(tags))
    return Fidelity(load(few, 64))


@pytest.mark.external_data(REAL_FACES)
@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_damage_of_real_faces_increases_the_fd_ratio(
    damage: Damage, fidelity_of_real_faces: Fidelity
) -> None:
    """The slightest damage, or the strongest of small parts of the face."""
    strength = DAMAGE[damage][-1 if damage in FACIAL else 0]
    images = fidelity_of_real_faces.held_out.images
    [ratio] = fd_ratios(fidelity_of_real_faces, images, damage, [strength])
    assert ratio > 1.02  # an eye of another face increases it least


def test_one_face_per_condition_has_no_diversity(judge: Judge) -> None:
    """One real face for each condition has realistic images, but no diversity."""
    held = judge.held_out
    first = {
        tuple(row): image for row, image in zip(held.labels.tolist(), held.images, strict=True)
    }
    images = torch.stack([first[tuple(row)] for row in held.labels.tolist()])
    figures = judge.compare(images, held.labels)
    assert figures["near_duplicates"] == 1
    assert figures["near_duplicates_real"] <= 0.1
    assert figures["diversity"] == pytest.approx(0, abs=1e-3)


def test_sharpness_decreases_with_blur_and_increases_with_noise(judge: Judge) -> None:
    held = judge.held_out
    assert judge.compare(held.images, held.labels)["sharpness"] == pytest.approx(1)
    assert judge.compare(blur(held.images, 1.5), held.labels)["sharpness"] < 0.5
    assert judge.compare(noise(held.images, 25), held.labels)["sharpness"] > 1.5


def test_fewer_images_than_held_out_raise(judge: Judge) -> None:
    """Their distances would not be comparable with the floors."""
    few = judge.held_out.images[:100]
    with pytest.raises(ValueError, match="100 pictures are fewer than the 120 real ones"):
        judge.compare(few, judge.held_out.labels[:100])


def test_wrong_colors_lower_the_share_as_asked(judge: Judge) -> None:
    held = judge.held_out
    figures = judge.compare(held.images.flip(1), held.labels)
    assert figures["eyes_as_asked"] < 0.7


def test_measure_generates_the_held_out_conditions(judge: Judge) -> None:
    requested: list[torch.Tensor] = []

    def generate(latents: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        assert latents.shape[1] == 5
        requested.append(conditions)
        return judge.held_out.images[: len(latents)]

    judge.measure(generate, latent_dim=5)
    conditions = torch.cat(requested)
    assert conditions.shape == (len(judge.held_out), 7)
    assert torch.equal(conditions[:, :4].argmax(dim=1), judge.held_out.labels[:, 0])


def test_evaluate_uses_the_frequencies_of_the_data(judge: Judge) -> None:
    requested: list[torch.Tensor] = []

    def generate(latents: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        requested.append(conditions)
        return torch.zeros(len(latents), 3, 32, 32, dtype=torch.uint8)

    found = judge.evaluate(generate, latent_dim=5, fakes=300)
    conditions = torch.cat(requested)
    assert found.fakes == len(conditions) == 300
    shares = one_hot(judge.training_set.labels, judge.training_set.sizes).mean(dim=0)
    assert torch.allclose(conditions.mean(dim=0), shares, atol=0.08)
    assert [v.value for v in found.values["eyes"]] == ["blue", "green", "orange"]
    assert sum(v.painted for v in found.values["eyes"]) == 300
    assert sum(v.real for v in found.values["eyes"]) == len(judge.held_out)
    for name, values in found.values.items():
        right = sum(v.painted * v.as_asked for v in values if v.as_asked is not None)
        assert right / 300 == pytest.approx(found.figures[f"{name}_as_asked"], abs=0.01)
    assert found.unseen == []
    assert not [name for name in found.figures if name.endswith("_unseen")]
    assert judge.evaluate(generate, latent_dim=5, fakes=1).fakes == len(judge.held_out)


@pytest.mark.parametrize(("images", "fakes"), [(100, 1_000), (300, 1_200), (2_500, 10_000)])
def test_the_default_number_of_generated_images_fits_the_data(
    images: int, fakes: int, judge: Judge
) -> None:
    rows = torch.arange(images) % len(judge.faces)
    faces = replace(judge.faces, images=judge.faces.images[rows], labels=judge.faces.labels[rows])
    fitted = Judge(judge.classifier, faces, judge.fidelity)
    assert fitted.count_fakes(0) == fakes
    assert fitted.count_fakes(500) == 500


def test_figures_do_not_depend_on_the_number_of_images(judge: Judge) -> None:
    """A larger sample must not lower the FD ratio or increase the share of near-duplicates."""
    training_set = judge.training_set
    figures = judge.compare(training_set.images, training_set.labels)
    assert figures[FD_RATIO] < 1
    assert figures["near_duplicates"] <= 0.01
    assert figures["diversity"] == pytest.approx(1, abs=0.05)
    part = slice(len(judge.held_out))
    one = judge.compare(training_set.images[part], training_set.labels[part])
    assert figures[FD_RATIO] == pytest.approx(one[FD_RATIO], rel=0.25)


def test_unseen_pairs_are_evaluated(faces_zip: Path, tmp_path: Path) -> None:
    faces = load(faces_zip, 32)
    both = (faces.labels[:, 0] == 2) & (faces.labels[:, 1] == 0)
    without = replace(faces, images=faces.images[~both], labels=faces.labels[~both])
    judge = prepare(without, tmp_path, images=4_000)
    pictures = {tuple(k.tolist()): i for k, i in zip(faces.labels, faces.images, strict=True)}

    def generate(latents: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        """Pairs as requested, except that pink hair with blue eyes gets orange eyes."""
        hair, eyes = conditions[:, :4].argmax(dim=1), conditions[:, 4:].argmax(dim=1)
        eyes[(hair == 2) & (eyes == 0)] = 2
        return torch.stack([pictures[k] for k in zip(hair.tolist(), eyes.tolist(), strict=True)])

    found = judge.evaluate(generate, latent_dim=1, fakes=200)
    (pair,) = found.unseen
    assert pair.conditions == {"hair": "pink", "eyes": "blue"}
    assert pair.as_asked["hair"] > 0.9
    assert pair.as_asked["eyes"] < 0.1
    assert found.figures["eyes_as_asked_unseen"] == pair.as_asked["eyes"]


def test_generator_of_one_condition_drops_the_others(judge: Judge) -> None:
    faces = judge.training_set.images[(judge.training_set.labels == 0).all(dim=1)]

    def generate(latents: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        return faces[torch.arange(len(latents)) % len(faces)]

    found = judge.evaluate(generate, latent_dim=1, fakes=240)
    assert found.figures["dropped_conditions"] == pytest.approx(11 / 12, abs=0.01)
    assert found.figures["dropped_conditions_real"] == 0
    named = [(mode.conditions["hair"], mode.conditions["eyes"]) for mode in found.dropped]
    assert len(set(named)) == 11
    assert ("aqua", "blue") not in named
    assert all(mode.painted == 0 for mode in found.dropped)
    assert found.figures["all_as_asked"] == pytest.approx(1 / 12, abs=0.03)
    assert found.figures["dropped_clusters"] > 0.5 > found.figures["dropped_clusters_real"]
    # Relative to real faces, since drawn faces of several colors are neighbors in the features.
    figures = found.figures
    assert figures["lite2_coverage"] < figures["lite2_coverage_real"] / 2
    assert figures["lite2_recall"] < 0.2 < figures["lite2_recall_real"]
    assert figures["lite2_precision"] > 0.8 * figures["lite2_precision_real"]

    # Images of the worst clusters: training images, and the fakes nearest to them.
    assert found.worst.shape == (5, 2, 8, 3, 32, 32)
    assert [mode.painted for mode in found.clusters] == [0] * 5
    real, fake = found.worst[0]
    assert (real[0] == judge.training_set.images).all(dim=(1, 2, 3)).any()
    assert (fake[0] == faces).all(dim=(1, 2, 3)).any()
    json.dumps(found.to_dict(), allow_nan=False)


def test_unconditional_generator_is_judged_by_predicted_conditions(judge: Judge) -> None:
    blind = judge.for_unconditional()
    black = judge.training_set.images[judge.training_set.labels[:, 0] == 1]

    def generate(latents: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        assert conditions.shape == (len(latents), 0)
        return black[torch.randint(len(black), (len(latents),))]

    found = blind.evaluate(generate, latent_dim=1, fakes=240)
    assert not [name for name in found.figures if "as_asked" in name]
    assert found.values == {}
    assert found.figures["dropped_conditions"] == pytest.approx(9 / 12, abs=0.1)
    assert {mode.conditions["hair"] for mode in found.dropped} == {"aqua", "pink", "red"}


def test_many_attributes_can_be_judged(faces_zip: Path, tmp_path: Path) -> None:
    """As many as CelebA has: 2⁴⁰ combinations, of which few occur."""
    faces = load(faces_zip, 32)
    attributes = tuple(
        Attribute(name=f"a{number}", values=("no", "yes"), frequencies=(0.5, 0.5))
        for number in range(40)
    )
    labels = (faces.labels[:, :1] >= 2).long().repeat(1, 40)
    labels[:, -1] = faces.labels[:, 1] == 0  # so the last attribute is not a copy of the first
    judge = prepare(replace(faces, labels=labels, attributes=attributes), tmp_path, images=4_000)
    light = judge.training_set.images[judge.training_set.labels[:, 0] == 1]

    def generate(latents: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        return light[torch.arange(len(latents)) % len(light)]

    found = judge.evaluate(generate, latent_dim=1, fakes=240)
    assert found.figures["dropped_conditions_real"] == 0
    assert found.figures["dropped_conditions"] == pytest.approx(0.5, abs=0.2)
    assert {mode.conditions["a0"] for mode in found.dropped} == {"no"}
    assert [tuple(mode.conditions) for mode in found.dropped] == [
        tuple(attribute.name for attribute in attributes)
    ] * len(found.dropped)


def test_layouts_are_computed_of_no_more_images_than_are_held_out(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are the largest features: of all training images they would fill the memory."""
    counts: list[int] = []

    def counted(classifier: Classifier, images: torch.Tensor, device: torch.device) -> torch.Tensor:
        counts.append(len(images))
        return layouts(classifier, images, device)

    monkeypatch.setattr("train.metrics.judge.layouts", counted)
    fresh = Judge(judge.classifier, judge.faces, judge.fidelity)
    figures = fresh.compare(judge.training_set.images, judge.training_set.labels)
    assert figures == judge.compare(judge.training_set.images, judge.training_set.labels)
    assert max(counts) == len(judge.held_out)
    assert sum(counts) > 2 * len(judge.training_set)


def test_blur_lowers_precision_and_held_out_faces_are_covered(judge: Judge) -> None:
    held = judge.held_out
    real = judge.compare(held.images, held.labels)
    blurred = judge.compare(blur(held.images, 1.2), held.labels)
    assert real["lite2_precision"] == real["lite2_precision_real"] > 0.6
    assert real["lite2_coverage"] > 0.8
    assert blurred["lite2_precision"] < real["lite2_precision"]
    assert blurred["lite2_density"] < real["lite2_density"]


def test_seeds_give_different_judges(faces_zip: Path, tmp_path: Path) -> None:
    faces = load(faces_zip, 32)
    one, other = (prepare(faces, tmp_path, images=64, seed=seed) for seed in (0, 1))
    assert len(list(tmp_path.iterdir())) == 2
    pictures = faces.images[:8]
    outputs = (judge.classify(pictures).features["features"] for judge in (one, other))
    assert not torch.equal(*outputs)


def test_without_attributes_the_classifier_learns_rotations(
    faces_zip: Path, tmp_path: Path
) -> None:
    tagged = load(faces_zip, 32)
    faces = type(tagged)("faces", tagged.images, tagged.labels[:, :0], ())
    judge = prepare(faces, tmp_path, images=2_000)
    figures = judge.compare(judge.held_out.images.flip(2), judge.held_out.labels)
    assert figures[FD_RATIO] > 1.5, "upside down"
    assert not [name for name in figures if "as_asked" in name]


def some_of(faces: Faces, count: int) -> Faces:
    return replace(faces, images=faces.images[:count], labels=faces.labels[:count])


def assert_can_be_judged(faces: Faces, folder: Path) -> None:
    judge = prepare(faces, folder, images=64)
    figures = judge.measure(lambda z, c: torch.zeros(len(z), 3, 32, 32, dtype=torch.uint8), 4)
    assert all(math.isfinite(value) for value in figures.values()), figures


def test_forty_faces_can_be_judged(faces_zip: Path, tmp_path: Path) -> None:
    """No two of the few held-out faces have the same condition."""
    assert_can_be_judged(some_of(load(faces_zip, 32), 40), tmp_path)


def test_sixteen_faces_without_tags_can_be_judged(faces_zip: Path, tmp_path: Path) -> None:
    faces = some_of(load(faces_zip, 32), 16)
    assert_can_be_judged(replace(faces, labels=faces.labels[:, :0], attributes=()), tmp_path)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_error_for_a_value_with_few_images(count: int, faces_zip: Path, tmp_path: Path) -> None:
    faces = load(faces_zip, 32)
    red = (faces.labels[:, 0] == 3).nonzero().flatten()
    rest = (faces.labels[:, 0] != 3).nonzero().flatten()
    rows = torch.cat([red[:count], rest])
    faces = replace(faces, images=faces.images[rows], labels=faces.labels[rows])
    with pytest.raises(DataError, match=rf"hair 'red' has {count}\. The judge needs 8 or more"):
        prepare(faces, tmp_path, images=64)
    assert list(tmp_path.iterdir()) == []


def test_judge_of_faces_with_distinct_conditions(faces_zip: Path, tmp_path: Path) -> None:
    faces = some_of(load(faces_zip, 32), 144)
    attributes = tuple(
        Attribute(name=name, values=tuple("abcdefghijkl"), frequencies=(1 / 12,) * 12)
        for name in ("hat", "bow")
    )
    labels = torch.stack([torch.arange(144) // 12, torch.arange(144) % 12], dim=1)
    assert_can_be_judged(replace(faces, labels=labels, attributes=attributes), tmp_path)


def test_judge_of_identical_faces(faces_zip: Path, tmp_path: Path) -> None:
    faces = some_of(load(faces_zip, 32), 48)
    copies = replace(faces, images=faces.images[:1].repeat(48, 1, 1, 1))
    assert_can_be_judged(copies, tmp_path)


def test_too_few_faces_raise_before_training(faces_zip: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"15 images are too few.* bring 16 or more"):
        prepare(some_of(load(faces_zip, 32), 15), tmp_path, images=64)

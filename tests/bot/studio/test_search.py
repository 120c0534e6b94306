from pathlib import Path

import numpy as np
import pytest
from tiny_model import LATENT_DIM, add_model, attribute

from bot.studio.search import (
    FACES,
    ROUNDS,
    Search,
    draw_faces,
    format_choices,
    parse_choices,
)
from export.manifest import Manifest
from export.registry import Registry

HAIR = attribute("hair", "black blue pink red white")
EYES = attribute("eyes", "blue green orange red")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    registry = Registry(Path(tmp_path_factory.mktemp("models")))
    return add_model(registry, "tiny", (HAIR, EYES))


def test_a_search_gives_the_same_faces_whenever_it_is_repeated(manifest: Manifest) -> None:
    search = Search("tiny", {}, 7, ((1, 3), (2,), (4, 5, 9)))
    first, second = (draw_faces(search, manifest) for _ in range(2))
    np.testing.assert_array_equal(first.latents, second.latents)
    assert first.conditions == second.conditions
    assert first.latents.dtype == np.float32
    assert first.latents.shape == (FACES, LATENT_DIM)
    assert search.round == ROUNDS


def test_undo_returns_to_the_sheet_before(manifest: Manifest) -> None:
    before = Search("tiny", {}, 7, ((1,),))
    after = before.nearer((2, 4))
    assert after.choices == ((1,), (2, 4))
    assert after.undone() == before
    faces = draw_faces(after, manifest)
    assert not np.allclose(faces.latents, draw_faces(before, manifest).latents)


def test_seeds_and_choices_lead_to_different_faces(manifest: Manifest) -> None:
    searches = [Search("tiny", {}, seed, choices) for seed in (7, 8) for choices in ((), ((1,),))]
    searches += [Search("tiny", {}, 7, ((2,),)), Search("tiny", {}, 7, ((1, 2),))]
    sheets = [draw_faces(search, manifest).latents for search in searches]
    for i, sheet in enumerate(sheets):
        for other in sheets[:i]:
            assert not np.allclose(sheet, other)


def test_faces_have_the_values_of_the_wish_and_vary_in_the_others(manifest: Manifest) -> None:
    search = Search("tiny", {"hair": "pink"}, 7)
    for choice in ((1,), (5,), (9,)):
        faces = draw_faces(search, manifest)
        assert {conditions["hair"] for conditions in faces.conditions} == {"pink"}
        assert len({conditions["eyes"] for conditions in faces.conditions}) > 1
        search = search.nearer(choice)


def test_the_first_sheet_has_each_of_a_few_values(manifest: Manifest) -> None:
    for seed in range(20):
        conditions = draw_faces(Search("tiny", {}, seed), manifest).conditions
        assert {c["hair"] for c in conditions} == set(HAIR.values)
        assert {c["eyes"] for c in conditions} == set(EYES.values)


def test_values_of_chosen_faces_become_more_frequent(manifest: Manifest) -> None:
    shares = []
    for seed in range(50):
        search = Search("tiny", {}, seed)
        for _ in range(ROUNDS - 1):
            hair = [c["hair"] for c in draw_faces(search, manifest).conditions]
            liked = tuple(i for i, value in enumerate(hair, 1) if value == "pink") or (1,)
            search = search.nearer(liked)
        last = draw_faces(search, manifest).conditions
        shares.append(np.mean([c["hair"] == "pink" for c in last]))
    assert np.mean(shares) > 0.6  # a fifth at the start


def test_later_sheets_are_nearer_to_the_chosen_face_and_not_all_alike(manifest: Manifest) -> None:
    def angles(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        cosines = (a @ b.T) / np.linalg.norm(a, axis=1)[:, None] / np.linalg.norm(b, axis=1)
        return np.asarray(np.arccos(np.clip(cosines, -1, 1)))

    distances = np.zeros((20, ROUNDS - 1))
    for seed, distance in enumerate(distances):
        search = Search("tiny", {}, seed)
        for number in range(ROUNDS - 1):
            before = draw_faces(search, manifest).latents[:1]
            search = search.nearer((1,))
            after = draw_faces(search, manifest).latents
            distance[number] = angles(before, after).mean()
            apart = angles(after, after)[np.triu_indices(FACES, 1)]
            assert apart.min() > 0.1
    first, second, third = distances.mean(0)
    assert np.pi / 2 > first > second > third
    assert third < np.pi / 4


def test_latents_keep_the_length_that_the_generator_expects(manifest: Manifest) -> None:
    lengths = [
        np.linalg.norm(draw_faces(Search("tiny", {}, seed, ((1, 2), (3,), (4,))), manifest).latents)
        for seed in range(50)
    ]
    assert np.mean(lengths) == pytest.approx(np.sqrt(FACES * LATENT_DIM), rel=0.1)


def test_choosing_all_faces_is_possible(manifest: Manifest) -> None:
    everything = tuple(range(1, FACES + 1))
    faces = draw_faces(Search("tiny", {}, 7, (everything,) * (ROUNDS - 1)), manifest)
    assert np.isfinite(faces.latents).all()


@pytest.mark.parametrize("choices", [(), ((1,),), ((1, 3), (2,), (4, 5, 9), (7,))])
def test_choices_are_written_and_read(choices: tuple[tuple[int, ...], ...]) -> None:
    assert parse_choices(format_choices(choices)) == choices


def test_digits_may_be_in_any_order() -> None:
    assert parse_choices("31.22") == ((1, 3), (2,))


@pytest.mark.parametrize("text", ["0", "1.", ".1", "a", "1..2", "1.2.3.4.5", "1 2", "１"])
def test_invalid_choices_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no choices"):
        parse_choices(text)

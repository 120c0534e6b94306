"""Words for latent directions, in three languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_model import EYES, HAIR, attribute

from bot.prompts.parser import read_prompt
from bot.prompts.traits import STRENGTH, format_traits, read_traits

DIRECTIONS = (
    *("hair_length", "hair_lightness", "eye_size", "fringe_length", "skin_lightness"),
    *("clothes_lightness", "background_lightness", "head_turn", "head_tilt", "contrast"),
    *("smile", "mouth_open"),
)


@pytest.mark.parametrize(
    ("prompt", "ends", "wish"),
    [
        ("long pink hair, big green eyes", "+hair_length +eye_size", "hair:pink eyes:green"),
        ("short hair", "-hair_length", ""),
        ("a long-haired girl with blue eyes", "+hair_length", "eyes:blue"),
        ("long hair blue eyes", "+hair_length", "eyes:blue"),
        ("hair: long", "+hair_length", ""),
        ("pink hair, smiling", "+smile", "hair:pink"),
        ("a serious girl with red hair", "-smile", "hair:red"),
        ("dark background, pink hair", "-background_lightness", "hair:pink"),
        ("tanned skin, black hair, facing left", "-skin_lightness -head_turn", "hair:black"),
        ("no bangs red hair", "-fringe_length", "hair:red"),
        ("light pink hair", "+hair_lightness", "hair:pink"),
        ("hair: dark blue, eyes: red", "-hair_lightness", "hair:blue eyes:red"),
        ("light blue hair", "", "hair:aqua"),
        ("dark hair", "", "hair:black"),
        ("long hair and short hair", "", ""),
        ("short girl with pink hair", "", "hair:pink"),
        ("ピンクの長い髪", "+hair_length", "hair:pink"),
        ("長髪 青い目", "+hair_length", "eyes:blue"),
        ("大きな目 金髪 笑顔", "+eye_size +smile", "hair:blonde"),
        ("淡いピンクの髪", "+hair_lightness", "hair:pink"),
        ("粉色长发", "+hair_length", "hair:pink"),
        ("短发 蓝眼睛 微笑", "-hair_length +smile", "eyes:blue"),
        ("小姐姐 黑发 蓝眼睛", "", "hair:black eyes:blue"),
        ("深色背景 红发", "-background_lightness", "hair:red"),
    ],
)
def test_words_reach_directions_and_leave_the_wish(prompt: str, ends: str, wish: str) -> None:
    shape, rest = read_traits(prompt, DIRECTIONS, (HAIR, EYES))
    assert shape == {end[1:]: STRENGTH * (1 if end[0] == "+" else -1) for end in ends.split()}
    assert read_prompt(rest, (HAIR, EYES)) == dict(p.split(":") for p in wish.split())


@pytest.mark.parametrize("position", [STRENGTH, -STRENGTH])
@pytest.mark.parametrize("name", DIRECTIONS)
def test_a_formatted_shape_is_read_again(name: str, position: float) -> None:
    prompt = f"hair:pink eyes:blue {format_traits({name: position})}"
    shape, rest = read_traits(prompt, DIRECTIONS, (HAIR, EYES))
    assert shape == {name: position}
    assert read_prompt(rest, (HAIR, EYES)) == {"hair": "pink", "eyes": "blue"}


@pytest.mark.parametrize(
    ("prompt", "other"),
    [
        ("smile", attribute("smile", "yes no")),
        ("dark skin", attribute("skin", "dark light")),
        ("long hair", attribute("hair_length", "long short")),
    ],
)
def test_words_of_an_attribute_belong_to_it(prompt: str, other: object) -> None:
    assert read_traits(prompt, DIRECTIONS, (HAIR, EYES, other)) == ({}, prompt)  # type: ignore[arg-type]


@given(st.text(max_size=100))
def test_a_model_without_directions_changes_no_prompt(text: str) -> None:
    assert read_traits(text, (), (HAIR, EYES)) == ({}, text)


@given(st.text(alphabet="long short hair,eyes:pink 長い髪的 ", max_size=100))
def test_any_text_is_read(text: str) -> None:
    shape, rest = read_traits(text, DIRECTIONS, (HAIR, EYES))
    assert set(shape) <= set(DIRECTIONS)
    assert rest == text or shape

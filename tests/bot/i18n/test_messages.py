import ast
import re
from pathlib import Path

import pytest
from fluent.syntax import FluentParser
from fluent.syntax import ast as ftl
from fluent.syntax.visitor import Visitor
from tiny_model import EYES, HAIR

from bot.errors import BadPrompt
from bot.i18n.messages import (
    LANGUAGES,
    LOCALES,
    attribute_name,
    describe,
    language_for,
    language_in,
    listed,
    say,
    value_name,
)
from bot.prompts.parser import read_prompt
from bot.prompts.wish import check_wish

MODEL = (HAIR, EYES)
# Translations of attributes and values, which English does not need.
NAMES = re.compile(r"(attribute|value)-")


class _Variables(Visitor):
    def __init__(self) -> None:
        self.names: set[str] = set()

    def visit_VariableReference(self, node: ftl.VariableReference) -> None:  # noqa: N802
        self.names.add(node.id.name)


def load_messages(language: str) -> dict[str, set[str]]:
    """The variables of each message by `key` or `key.attribute`."""
    texts: dict[str, set[str]] = {}
    for file in sorted((LOCALES / language).glob("*.ftl")):
        for entry in FluentParser().parse(file.read_text("utf-8")).body:
            assert not isinstance(entry, ftl.Junk), f"{file}: {entry.content}"
            if not isinstance(entry, ftl.Message):
                continue
            parts = [(entry.id.name, entry.value)]
            parts += [(f"{entry.id.name}.{a.id.name}", a.value) for a in entry.attributes]
            for key, pattern in parts:
                if pattern is None or NAMES.match(key):
                    continue
                assert key not in texts, f"{file}: {key} is defined twice"
                variables = _Variables()
                variables.visit(pattern)
                texts[key] = variables.names
    return texts


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_language_has_the_same_messages_and_variables(language: str) -> None:
    assert load_messages(language) == load_messages("en")


def test_every_message_key_in_the_code_exists() -> None:
    known = load_messages("en")
    prefixes = {key.partition("-")[0] + "-" for key in known}
    functions = {
        "say",
        "words",
        "tell",
        "Refusal",
        "BadPrompt",
        "NotFound",
        "NotAllowed",
        "TooSoon",
    }
    functions |= {"ModelUnavailable", "Blocked", "WrongChannel"}
    missing = []
    for file in Path("bot").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            keys = [a.value for a in node.args[:2] if isinstance(a, ast.Constant)]
            keys = [k for k in keys if isinstance(k, str) and any(map(k.startswith, prefixes))]
            missing += [(str(file), key) for key in keys if name in functions and key not in known]
    assert missing == []


def test_a_missing_key_or_variable_is_an_error() -> None:
    with pytest.raises(KeyError):
        say("no-such-key")
    with pytest.raises(KeyError, match="seed"):
        say("card-seed", "ja")


def test_a_long_variable_is_shortened() -> None:
    text = say("find-alt", faces="x" * 10_000)
    assert 2000 < len(text) < 3000
    assert text.endswith("x…")


def test_numbers_are_written_without_separators() -> None:
    assert say("card-seed", seed=4294967295).endswith(" 4294967295")


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("en-GB", "en"),
        ("zh-CN", "zh-CN"),
        ("zh-TW", "zh-CN"),
        ("ja", "ja"),
        ("sv-SE", "en"),
        ("", "en"),
    ],
)
def test_every_discord_locale_maps_to_a_language(locale: str, language: str) -> None:
    assert language_for(locale) == language


def test_the_language_of_a_text_is_detected() -> None:
    assert language_in("粉色头发") == "zh-CN"
    assert language_in("ピンクの髪") == "ja"
    assert language_in("pink hair") is None


def test_pictures_are_described_in_each_language() -> None:
    wish = {"hair": "pink", "eyes": "orange"}
    assert describe(wish) == "pink hair, orange eyes"
    assert describe(wish, "zh-CN") == "粉色头发、橙色眼睛"
    assert describe(wish, "ja") == "ピンクの髪、オレンジの目"
    assert describe({"hair_color": "light blue"}, "ja") == "空色の髪"


def test_words_without_a_translation_stay_unchanged() -> None:
    assert describe({"mouth": "a bit open"}, "ja") == "a bit open mouth"
    assert value_name("虹色", "zh-CN") == "虹色"


def test_lists_are_formatted_in_each_language() -> None:
    assert listed("abc") == "a, b and c"
    assert listed("abc", last="or") == "a, b or c"
    assert listed("ab", "zh-CN", last="or") == "a或b"
    assert listed(map(str, range(30))).endswith(", 23 and 6 more")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("hair", HAIR.values)
def test_descriptions_are_valid_prompts(hair: str, language: str) -> None:
    wish = {"hair": hair, "eyes": "orange"}
    assert read_prompt(describe(wish, language), MODEL) == wish
    named = {attribute_name(name, language): value_name(wish[name], language) for name in wish}
    assert check_wish(named, MODEL) == wish


def test_error_messages_are_translated() -> None:
    with pytest.raises(BadPrompt) as error:
        check_wish({"hair": "pnik"}, MODEL)
    assert "Did you mean pink?" in str(error.value)
    assert "头发不能是“pnik”。你是想说粉色" in error.value.text("zh-CN")
    assert "髪を「pnik」にはできません" in error.value.text("ja")


def test_user_input_in_messages_can_be_escaped() -> None:
    with pytest.raises(BadPrompt) as error:
        check_wish({"hair": "**bold**"}, MODEL)
    assert "<bold>" in error.value.text("en", lambda text: text.replace("**bold**", "<bold>"))


def test_a_reason_that_ends_with_a_period_is_followed_by_no_other() -> None:
    for language in LANGUAGES:
        assert say("model-refused", language, why="It is too old.").endswith("It is too old.")


@pytest.mark.parametrize(
    ("text", "language"),
    [("銀髪", "ja"), ("黒髪", "ja"), ("粉色头发", "zh-CN"), ("銀髮", "zh-CN"), ("pink hair", None)],
)
def test_characters_tell_japanese_from_chinese(text: str, language: str | None) -> None:
    assert language_in(text) == language

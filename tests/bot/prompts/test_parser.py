import string
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tiny_model import EYES, HAIR, attribute

from bot.errors import BadPrompt
from bot.i18n.messages import describe
from bot.prompts.parser import MAX_LENGTH, read_prompt, tidy_prompt, unused_words
from bot.prompts.wish import check_wish, format_wish
from bot.prompts.words import ANYTHING, BREAKS, FILLERS, JOINTS, LINKS, NEGATIONS, SHADES, SYNONYMS
from export.manifest import Attribute

MODEL = (HAIR, EYES)
PINK_ORANGE = {"hair": "pink", "eyes": "orange"}


@pytest.mark.parametrize(
    "text",
    [
        "hair:pink eyes:orange",
        "eyes:orange hair:pink",
        "HAIR:Pink EYES:oRaNgE",
        "hair=pink eyes=orange",
        "hair = pink ; eyes = orange",
        "hair: pink, eyes: orange",
        "hair::pink eyes:=orange",
        "pink:hair orange:eyes",
        "pink hair, orange eyes",
        "orange eyes and pink hair",
        "pink hair orange eyes",
        "hair pink eyes orange",
        "eyes orange pink hair",
        "pink hair and eyes orange",
        "pink hair eyes:orange",
        "pink-haired girl with orange eyes",
        "Pink Haired, Orange-Eyed!",
        "I want a girl whose hair is pink and whose eyes are orange, please!",
        "pink hair color / orange eye colour",
        "prompt: pink hair, orange eyes",
        "masterpiece, best quality, 1girl, pink hair, orange eyes, looking back",
        "long flowing pink hair & big sparkling orange eyes :)",
        "**pink** hair, `orange` eyes <:heart:123456789> =D",
        'hair:"pink", eyes:‘orange’',
        "ｈａｉｒ：ｐｉｎｋ　ｅｙｅｓ＝ｏｒａｎｇｅ",
        "𝐩𝐢𝐧𝐤 𝔥𝔞𝔦𝔯、ⓞⓡⓐⓝⓖⓔ eyes",
        "p\u200bink ha\u00adir, \u202eorange\u202c eyes",
        "pi\u0301nk hair\n\torange\u00a0eyes",
        "😀 pink hair 🎨 orange eyes",
        "hair:pink hair:pink pink hair orange eyes",
        "hair:rose eyes:amber",
        "hot pink hair, bright orange eyes",
    ],
)
def test_every_form_of_pink_hair_and_orange_eyes_is_parsed(text: str) -> None:
    assert read_prompt(text, MODEL) == PINK_ORANGE


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("", {}),
        ("surprise me!", {}),
        ("a cute anime girl, please", {}),
        ("😀 :) ???", {}),
        ("girl with beautiful eyes", {}),
        ("hair:any eyes:red", {"eyes": "red"}),
        ("random hair, red eyes", {"eyes": "red"}),
        ("a blonde", {"hair": "blonde"}),
        ("blonde elf with blue eyes", {"hair": "blonde", "eyes": "blue"}),
        ("redhead with green eyes", {"hair": "red", "eyes": "green"}),
        ("white-haired boy", {"hair": "white"}),
        ("a grey one", {"hair": "gray"}),
        ("silver hair, cyan eyes", {"hair": "gray", "eyes": "aqua"}),
        ("golden hair and golden eyes", {"hair": "blonde", "eyes": "yellow"}),
        ("hair: yellow, eyes: turquoise", {"hair": "blonde", "eyes": "aqua"}),
        ("violet eyes", {"eyes": "purple"}),
        ("dark hair", {"hair": "black"}),
        ("dark blue hair", {"hair": "blue"}),
        ("hair: dark blue", {"hair": "blue"}),
        ("light blue eyes", {"eyes": "aqua"}),
        ("navy blue hair, jet black eyes", {"hair": "blue", "eyes": "black"}),
        ("hair blonde golden eyes", {"hair": "blonde", "eyes": "yellow"}),
        ("pink hair and eyes", {"hair": "pink", "eyes": "pink"}),
        ("hair and eyes are pink", {"hair": "pink", "eyes": "pink"}),
        ("hair and eyes: pink", {"hair": "pink", "eyes": "pink"}),
        ("hair and pink eyes", {"eyes": "pink"}),
    ],
)
def test_unnamed_attributes_stay_open_and_synonyms_are_known(
    text: str, wish: dict[str, str]
) -> None:
    assert read_prompt(text, MODEL) == wish


@pytest.mark.parametrize(
    ("text", "names", "suggested"),
    [
        ("hair:pnk", "pnk", "pink"),
        ("pnk hair", "pnk", "pink"),
        ("hair is purpel", "purpel", "purple"),
        ("hair violett", "violett", "purple"),
        ("pink hiar", "hiar", "hair"),
        ("pink hair, ornge", "ornge", "orange"),
        ("hair:bl", "bl", "black"),
        ("hiar:pink", "hiar", "hair"),
        ("mouth:red", "mouth", "hair"),
        ("rainbow hair", "rainbow", "aqua"),
        ("eyes:gray", "gray", "aqua"),
        ("gray eyes", "gray", "aqua"),
        ("gray hair and eyes", "gray", "aqua"),
        ("hair:eyes", "eyes", "aqua"),
        ("hair:", "hair", "aqua"),
        ("pink", "pink", "hair:pink"),
        ("golden", "golden", "eyes:yellow"),
        ("hair:pink hair:blue", "pink and blue", "hair:pink"),
        ("pink hair, blue hair", "pink and blue", "hair:blue"),
        ("pink and blue hair", "blue and pink", "hair:blue"),
        ("hair:pink/blue", "pink and blue", "hair:blue"),
    ],
)
def test_unknown_words_are_named_with_suggestions(text: str, names: str, suggested: str) -> None:
    with pytest.raises(BadPrompt, match=names) as error:
        read_prompt(text, MODEL)
    assert suggested in error.value.suggestions


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("white dress", "dress"),
        ("a spaceship", "spaceship"),
        ("no pink hair", "no pink"),
        ("hair that is not pink", "not pink"),
    ],
)
def test_words_of_a_wish_are_never_ignored_silently(text: str, names: str) -> None:
    with pytest.raises(BadPrompt, match=names):
        read_prompt(text, MODEL)


def test_a_prompt_that_is_too_long_is_rejected() -> None:
    assert read_prompt("pink hair".ljust(MAX_LENGTH), MODEL) == {"hair": "pink"}
    with pytest.raises(BadPrompt, match=f"{MAX_LENGTH + 1} characters"):
        read_prompt("pink hair".ljust(MAX_LENGTH + 1), MODEL)


def test_a_synonym_becomes_a_value_that_the_attribute_has() -> None:
    model = (attribute("hair", "golden silver"), attribute("ribbon", "yellow grey teal"))
    assert read_prompt("blond hair, gold ribbon", model) == {"hair": "golden", "ribbon": "yellow"}
    assert read_prompt("gray hair, cyan ribbon", model) == {"hair": "silver", "ribbon": "teal"}
    with pytest.raises(BadPrompt, match="cyan"):
        read_prompt("cyan hair", model)


def test_attributes_can_have_any_name() -> None:
    model = (
        attribute("glasses", "round square"),
        Attribute(name="hair_color", values=("light blue", "sky"), frequencies=(0.5, 0.5)),
        attribute("smile", "yes no"),
        attribute("year", "1.5 2024"),
    )
    wish = {"glasses": "round", "hair_color": "light blue", "smile": "yes", "year": "1.5"}
    for text in (
        "glasses:round hair_color:light blue smile:yes year:1.5",
        "round glasses, light-blue hair color, smile, year 1.5",
        "LIGHT BLUE hair colour with a smile and round glasses, year=1.5.",
    ):
        assert read_prompt(text, model) == wish
    assert read_prompt("no smile", model) == {"smile": "no"}
    assert read_prompt("round glasses, without smile", model) == {"glasses": "round", "smile": "no"}
    assert read_prompt("sky", model) == {"hair_color": "sky"}
    with pytest.raises(BadPrompt, match="hair"):
        read_prompt("hair:pink", model)


UNUSUAL = (
    attribute("language", "c c++ c# red/blue"),
    attribute("change", "-1 1"),
    attribute("charge", "+1 -1"),
    attribute("mood", "😀 ❤️ :)"),
    attribute("flower", "rose rosé"),
    attribute("character", "miku-append miku-(append)"),
    attribute("🎨", "ink oil"),
)
"""Values that differ in punctuation or accents only, or have no letters."""


@pytest.mark.parametrize("attribute", UNUSUAL, ids=lambda attribute: attribute.name)
def test_values_that_differ_in_punctuation_are_different(attribute: Attribute) -> None:
    for value in attribute.values:
        wish = {attribute.name: value}
        assert read_prompt(format_wish(wish), UNUSUAL) == wish
        assert read_prompt(describe(wish), UNUSUAL) == wish
        assert check_wish({attribute.name: value.upper()}, UNUSUAL) == wish


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("C++ language, change: -1, a heart!", {"language": "c++", "change": "-1"}),
        ("ｌａｎｇｕａｇｅ：ｃ＋＋", {"language": "c++"}),
        ("language:c", {"language": "c"}),
        ("mood ❤ and 🎨=oil", {"mood": "❤️", "🎨": "oil"}),
        ("mood::) red/blue", {"mood": ":)", "language": "red/blue"}),
        ("Miku (append)", {"character": "miku-(append)"}),
        ("miku append", {"character": "miku-append"}),
    ],
)
def test_punctuation_of_values_is_read_in_any_prompt(text: str, wish: dict[str, str]) -> None:
    assert read_prompt(text, UNUSUAL) == wish


def test_a_value_without_its_punctuation_is_not_guessed() -> None:
    with pytest.raises(BadPrompt, match=r"\+1 or -1"):
        read_prompt("charge:1", UNUSUAL)


def test_a_model_without_attributes_rejects_every_wish() -> None:
    assert read_prompt("surprise me", ()) == {}
    for text in ("pink hair", "hair:pink"):
        with pytest.raises(BadPrompt, match="random"):
            read_prompt(text, ())


def test_a_wish_is_normalized_to_the_models_words() -> None:
    assert check_wish({"Eyes": "VIOLET", "hair": "Grey"}, MODEL) == {
        "hair": "gray",
        "eyes": "purple",
    }
    assert list(check_wish({"eyes": "red", "hair": "red"}, MODEL)) == ["hair", "eyes"]
    assert check_wish({"hair": "any", "eyes": " "}, MODEL) == {}
    assert check_wish({"hair": "Surprise me!", "eyes": "any colour"}, MODEL) == {}
    with pytest.raises(BadPrompt, match="any bleu"):
        check_wish({"hair": "any bleu"}, MODEL)
    odd = (Attribute(name="?", values=("+", "-"), frequencies=(0.5, 0.5)),)
    assert check_wish({"?": "-"}, odd) == {"?": "-"}
    with pytest.raises(BadPrompt, match="pnk") as error:
        check_wish({"hair": "pnk"}, MODEL)
    assert error.value.suggestions == ("pink",)
    with pytest.raises(BadPrompt, match="mouth"):
        check_wish({"mouth": "red"}, MODEL)


def test_long_input_is_shortened_in_errors() -> None:
    many = (attribute("kind", " ".join(f"kind{i}" for i in range(500))),)
    with pytest.raises(BadPrompt) as error:
        read_prompt("kind:" + "x" * 250, many)
    assert len(str(error.value)) < 400


def test_of_many_attributes_some_are_listed_with_values_and_the_others_named() -> None:
    many = tuple(
        attribute(f"part{i}", " ".join(f"value{i}.{j}" for j in range(12))) for i in range(64)
    )
    with pytest.raises(BadPrompt) as error:
        read_prompt("nonsense", many)
    for language, more in (("en", "The other attributes"), ("zh-CN", "其他"), ("ja", "ほか")):
        text = error.value.text(language)
        assert "value0.0" in text
        assert more in text
        assert "part20" in text
        assert len(text) < 1500


def test_a_stored_prompt_is_one_printable_line() -> None:
    assert tidy_prompt(" pink\x00\n hair \ud800\u202e 😀 ") == "pink hair 😀"


# Properties

text_like = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *(*HAIR.values, *EYES.values, *SYNONYMS),
                *("hair", "eyes", "eyed", "haired", "pnk", "hiar", "girl", "with", "not", "any"),
                *(":", "=", ",", "and", "is", "/", " ", "-", "\n"),
            ]
        ),
        st.text(max_size=8),
    ),
    max_size=25,
).flatmap(lambda parts: st.sampled_from(["", " "]).map(lambda space: space.join(parts)))


@given(st.one_of(st.text(max_size=400), text_like))
def test_any_text_is_parsed_or_raises_bad_prompt(text: str) -> None:
    try:
        wish = read_prompt(text, MODEL)
    except BadPrompt as error:
        message = str(error)
    else:
        message = ""
    if message:
        assert message.isprintable()
        return
    values = {a.name: a.values for a in MODEL}
    assert all(value in values[name] for name, value in wish.items())
    assert read_prompt(format_wish(wish), MODEL) == wish


FORMS = {
    "{name}:{value}": (" ", ", ", " ; "),
    "{name}={value}": (" ", "\n"),
    "{value} {name}": (" ", ", ", " and ", " with "),
    "{value}-{name}": (" ", ". "),
    "{name} {value}": (" ", ", ", " and "),
    "{name} is {value}": (" ", ", "),
}
CASES: tuple[Callable[[str], str], ...] = (str, str.upper, str.title, str.swapcase)
WIDE = {ord(c): ord(c) + 0xFEE0 for c in string.printable[:94]}

reserved = frozenset().union(
    ANYTHING, BREAKS, FILLERS, JOINTS, LINKS, NEGATIONS, SHADES, SYNONYMS, ("color", "colour")
)
word = st.one_of(
    st.text("abcdefghijklmnopqrstuvwxyzäçßøж日本語", min_size=3, max_size=8),
    st.sampled_from([*HAIR.values, "teal", "violet", "yes", "no", "1", "2024"]),
)


@st.composite
def models(draw: st.DrawFn) -> tuple[Attribute, ...]:
    """Up to four attributes of any words except reserved ones."""
    names = draw(st.lists(word, max_size=4, unique_by=plain))
    assume(not {plain(name) for name in names} & reserved)
    taken = {plain(name) + ending for name in names for ending in ("", "s", "d", "ed")}
    taken |= {plain(name).removesuffix("s") + end for name in names for end in ("", "d", "ed")}
    assume(len(taken & set(names)) == len(names) and not ambiguous(names))
    fields = []
    for name in names:
        values = draw(st.lists(word, min_size=1, max_size=5, unique_by=plain))
        assume(not {plain(v) for v in values} & (taken | (reserved - set(SYNONYMS))))
        fields.append(attribute(name, " ".join(values)))
    return tuple(fields)


def plain(text: str) -> str:
    text = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in text if not unicodedata.combining(c))


def ambiguous(names: list[str]) -> bool:
    """Whether one name is a form of another, such as eye of eyes."""
    stems = [plain(name).removesuffix("s") for name in names]
    return any(
        a != b and (a.startswith(b) or b.startswith(a)) for a in stems for b in stems
    ) or len(set(stems)) < len(stems)


@given(st.data(), st.one_of(st.just(MODEL), models()))
def test_every_wish_round_trips_in_every_form_order_and_case(
    data: st.DataObject, model: tuple[Attribute, ...]
) -> None:
    chosen = {
        a.name: data.draw(st.sampled_from(a.values)) for a in model if data.draw(st.booleans())
    }
    assert read_prompt(format_wish(chosen), model) == chosen
    assert read_prompt(describe(chosen), model) == chosen
    form = data.draw(st.sampled_from(sorted(FORMS)))
    between = data.draw(st.sampled_from(FORMS[form]))
    case = data.draw(st.sampled_from(CASES))
    pairs = data.draw(st.permutations(list(chosen.items())))
    text = case(between.join(form.format(name=name, value=value) for name, value in pairs))
    if data.draw(st.booleans()):
        text = text.translate(WIDE)
    assert read_prompt(text, model) == chosen
    assert list(read_prompt(text, model)) == [a.name for a in model if a.name in chosen]


@given(st.permutations(["hair:pink", "eyes = orange", "a cute girl", "please!"]))
def test_forms_may_be_mixed(parts: list[str]) -> None:
    assert read_prompt(", ".join(parts), MODEL) == PINK_ORANGE


@pytest.mark.parametrize(
    ("text", "hair", "eyes"),
    [
        ("粉色头发 橙色眼睛", "pink", "orange"),
        ("粉色头发橙色眼睛", "pink", "orange"),
        ("头发是粉色的，眼睛是橙色的", "pink", "orange"),
        ("头发:粉色 眼睛:橙色", "pink", "orange"),
        ("粉发蓝瞳", "pink", "blue"),
        ("粉紅色頭髮", "pink", None),
        ("想要一个黑色长发红色眼睛的女孩", "black", "red"),
        ("深蓝色头发", "blue", None),
        ("ピンクの髪 オレンジの目", "pink", "orange"),
        ("ピンクの髪とオレンジの目の女の子を描いてください", "pink", "orange"),
        ("髪はピンクで目はオレンジ", "pink", "orange"),
        ("ﾋﾟﾝｸの髪", "pink", None),
        ("金髪碧眼", "blonde", "blue"),
        ("hair:ピンク eyes:緑", "pink", "green"),
        ("おまかせ", None, None),
        ("随便", None, None),
    ],
)
def test_chinese_and_japanese_are_parsed_without_spaces(
    text: str, hair: str | None, eyes: str | None
) -> None:
    wish = {name: value for name, value in (("hair", hair), ("eyes", eyes)) if value}
    assert read_prompt(text, (HAIR, EYES)) == wish


def test_unknown_chinese_and_japanese_words_are_named() -> None:
    for text, named in (("猫", "猫"), ("髪:虹色", "虹"), ("没有头发", "没有"), ("粉色", "粉色")):
        with pytest.raises(BadPrompt, match=named):
            read_prompt(text, (HAIR, EYES))


@pytest.mark.parametrize("said", ["light pink", "pale pink", "Dark Pink", "薄いピンク"])
def test_options_read_shades_as_prompts_do(said: str) -> None:
    assert check_wish({"hair": said}, MODEL) == {"hair": "pink"}
    assert read_prompt(f"hair:{said}", MODEL) == {"hair": "pink"}


@pytest.mark.parametrize("said", ["><script>", "a cat"])
def test_nothing_is_suggested_for_words_that_are_not_similar(said: str) -> None:
    with pytest.raises(BadPrompt) as error:
        read_prompt(said, MODEL)
    assert "Did you mean" not in str(error.value)


@pytest.mark.parametrize(
    ("prompt", "unused"),
    [
        ("a girl with pink hair, please", ()),
        ("male, pink hair", ("male",)),
        ("curly pink hair with sunglasses", ("curly", "sunglasses")),
        ("男生，粉色头发", ("男生",)),
    ],
)
def test_words_that_are_not_used_are_named(prompt: str, unused: tuple[str, ...]) -> None:
    assert unused_words(prompt, MODEL) == unused

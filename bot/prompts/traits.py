"""Words of prompts for latent directions: "long hair", "smiling", 笑顔.

They reach only directions that the model has. The parser does not know most of them, so they are
taken out of the prompt before. Words that the model has for an attribute belong to the attribute.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from functools import cache

from bot.prompts.vocabulary import Vocabulary, vocabulary, words_of
from bot.prompts.wish import format_wish
from export.manifest import Attribute

STRENGTH = 0.75
"""Position on a direction that a word means; 1 is the farthest."""
HAIR = "hair"

# By direction: nouns, adjectives of the positive end, adjectives of the negative end.
_ADJECTIVES = {
    "hair_length": ("hair|haired", "long|longer", "short|shorter"),
    "hair_lightness": ("hair|haired", "light|lighter", "darker"),
    "eye_size": ("eye|eyes|eyed", "big|bigger|large|larger|huge", "small|smaller|tiny|narrow"),
    "fringe_length": ("bangs|fringe", "long|longer", "short|shorter|no"),
    "skin_lightness": ("skin|skinned", "light|lighter|pale|fair|white", "dark|darker|tan|tanned"),
    "clothes_lightness": (
        "clothes|clothing|outfit|shirt|dress|uniform",
        "light|lighter|white|bright",
        "dark|darker|black",
    ),
    "background_lightness": ("background|backdrop", "light|white|bright", "dark|black"),
}
# Their nouns stay in the prompt: they name attributes, too.
_SHARED_NOUNS = ("hair_length", "hair_lightness", "eye_size")
# A word between adjective and noun: "long pink hair".
_BETWEEN = r"[ -](?!(?:and|or|with|but|has|having|hair|haired|eyes?|eyed)\b)[a-z]+"

# Around an adjective and its noun that stand alone. The noun would take the color of the other
# attribute: "long hair blue eyes".
_ALONE = (
    r"(?:^\s*|(?<=[,;.])\s*|(?<=\bwith )|(?<=\band )|(?<=\ba )|(?<=\bhas )|(?<=\bhave ))",
    r"(?=\s*(?:$|[,;.])|\s+(?:and|with|but)\b|\s+[a-z]+[ -](?:hair|haired|eyes?|eyed)\b)",
)
_ALONE_CJK = r"(?<![^\s、。,])", r"(?=$|[\s、。,])"

# Phrases of the positive and of the negative end.
_PHRASES = {
    "hair_length": (
        rf"{_ALONE_CJK[0]}(?:長い?髪|長髮|长头?发|ロングヘア){_ALONE_CJK[1]}|(?:長い|长长的|长的?|ロングの?)"
        r"(?=[^、。,]{0,5}(?:髪|发|ヘア))|長(?=髪|髮)",
        rf"{_ALONE_CJK[0]}(?:短い?髪|短髮|短头?发|ショートヘア){_ALONE_CJK[1]}|(?:短い|短短的|短的?|ショートの?)"
        r"(?=[^、。,]{0,5}(?:髪|发|ヘア))|短(?=髪|髮)",
    ),
    "eye_size": (
        rf"{_ALONE_CJK[0]}(?:大き[いな][目瞳]|大眼睛){_ALONE_CJK[1]}|(?:大きい|大きな|大大的|大的?)"
        "(?=[^、。,]{0,4}(?:目|瞳|眼))",
        rf"{_ALONE_CJK[0]}(?:小さ[いな][目瞳]|小眼睛){_ALONE_CJK[1]}|(?:小さい|小さな|細い|小的?)(?!姐)"
        "(?=[^、。,]{0,4}(?:目|瞳|眼))",
    ),
    "fringe_length": (r"長い?前髪|长刘海|長瀏海", r"短い?前髪|短刘海|短瀏海"),
    "skin_lightness": (
        r"白い肌|色白|白肌|皮肤白皙|白皙皮肤|白皙",
        r"褐色の?肌|小麦色の?肌?|日焼け|黒い?肌|黑皮|深色皮肤",
    ),
    "clothes_lightness": (
        r"(?:白い|明るい)服|(?:浅色|白色)衣服",
        r"(?:黒い|暗い)服|(?:深色|黑色)衣服",
    ),
    "background_lightness": (
        r"(?:白い|明るい)背景|(?:白|亮|浅)色?背景",
        r"(?:黒い|暗い)背景|(?:黑|暗|深)色?背景",
    ),
    "head_turn": (
        r"\b(?:facing|looking|turned|turn) (?:to the )?right\b|右向き|[向朝]右看?",
        r"\b(?:facing|looking|turned|turn) (?:to the )?left\b|左向き|[向朝]左看?",
    ),
    "head_tilt": (
        r"\b(?:tilt|tilted) (?:to the )?right\b|右に傾けた?|向右歪头",
        r"\b(?:tilt|tilted) (?:to the )?left\b|左に傾けた?|向左歪头",
    ),
    "contrast": (
        r"\b(?:high|strong) contrast\b|くっきり|鲜明",
        r"\b(?:low|soft) contrast\b|やわらか[いく]|柔和",
    ),
    "smile": (
        r"\b(?:smiling|smiles?|happy)\b|微笑み?|笑顔|笑容|にっこり",
        r"\bserious\b|真顔|严肃|嚴肅",
    ),
    "mouth_open": (
        r"\b(?:open mouth|mouth open)\b|口を開け[たて]|张嘴|張嘴",
        r"\b(?:closed mouth|mouth closed)\b|口を閉じ[たて]|闭嘴|閉嘴",
    ),
}
# Before a color of hair: "light pink hair". They stay in the prompt, whose parser ignores them.
_SHADES = (
    r"light|lighter|pale|pastel|明るい|薄い|淡い|浅|淡",
    r"dark|darker|deep|暗い|濃い|深",
)
# What a shape is called in a prompt.
_CANONICAL = {
    "hair_length": ("long hair", "short hair"),
    "hair_lightness": ("light hair", "darker hair"),
    "eye_size": ("big eyes", "small eyes"),
    "fringe_length": ("long bangs", "short bangs"),
    "skin_lightness": ("light skin", "dark skin"),
    "clothes_lightness": ("light clothes", "dark clothes"),
    "background_lightness": ("light background", "dark background"),
    "head_turn": ("facing right", "facing left"),
    "head_tilt": ("tilt right", "tilt left"),
    "contrast": ("high contrast", "low contrast"),
    "smile": ("smiling", "serious"),
    "mouth_open": ("open mouth", "closed mouth"),
}


def read_traits(
    text: str, directions: Collection[str], attributes: Sequence[Attribute]
) -> tuple[dict[str, float], str]:
    """The shape in a prompt, positions by direction, and the prompt without its words. A direction
    whose both ends are named keeps its position.
    """
    known = vocabulary(tuple(attributes))
    rest = unicodedata.normalize("NFKC", text)
    shape = {}
    for name in directions:
        if _belongs_to_attribute(name, known):
            continue
        found = []
        for end, pattern in zip((1, -1), _patterns(name), strict=True):
            shorter = pattern.sub(_kept, rest) if pattern else rest
            if shorter != rest or (name == "hair_lightness" and _has_shade(rest, end, known)):
                found.append(end)
            rest = shorter
        if len(found) == 1:
            shape[name] = found[0] * STRENGTH
    return shape, rest if shape else text


def format_traits(shape: Mapping[str, float]) -> str:
    """{"hair_length": 0.75} to "long hair"; directions without words are left out."""
    return ", ".join(
        _CANONICAL[name][0 if position > 0 else 1]
        for name, position in shape.items()
        if name in _CANONICAL
    )


def format_prompt(wish: Mapping[str, str], shape: Mapping[str, float]) -> str:
    """A wish and a shape in short form, as in "hair:pink long hair"."""
    return " ".join(filter(None, (format_wish(wish), format_traits(shape))))


def _belongs_to_attribute(direction: str, known: Vocabulary) -> bool:
    """Whether the model has an attribute for the same: "smile", "skin", "hair_length"."""
    words = tuple(direction.split("_"))
    if words in known.names:
        return True
    if direction not in _SHARED_NOUNS:
        return words[:1] in known.names
    _, *ends = _ADJECTIVES[direction]
    return any(
        reading.exact
        for end in ends
        for adjective in end.split("|")
        for reading in known.readings((adjective,)).values()
    )


@cache
def _patterns(direction: str) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
    """Matches of both ends; what stays in the prompt is the group `kept`."""
    phrases = _PHRASES.get(direction, ("", ""))
    nouns, *adjectives = _ADJECTIVES.get(direction, ("", "", ""))
    patterns = []
    for phrase, adjective in zip(phrases, adjectives, strict=True):
        choices = [phrase] if phrase else []
        if adjective and direction in _SHARED_NOUNS:
            between = "" if direction == "hair_lightness" else f"(?:{_BETWEEN}){{0,2}}"
            before, after = _ALONE
            choices = [rf"{before}(?:{adjective})[ -](?:{nouns})\b{after}", *choices]
            choices += [
                rf"\b(?:{adjective})(?={between}[ -](?:{nouns})\b)",
                rf"\b(?P<kept>{nouns})(?: is | are |\s*[:=]\s*)(?:{adjective})\b(?![ -][a-z])",
            ]
        elif adjective:
            choices.append(rf"\b(?:{adjective})[ -](?:{nouns})\b")
        patterns.append(re.compile("|".join(choices), re.IGNORECASE) if choices else None)
    return patterns[0], patterns[1]


def _kept(match: re.Match[str]) -> str:
    return f" {match.groupdict().get('kept') or ''} "


def _has_shade(text: str, end: int, known: Vocabulary) -> bool:
    """Whether a shade precedes a color of hair, and both are not one value, such as light blue."""
    hair = known.names.get((HAIR,))
    if hair is None:
        return False
    shades = _SHADES[0 if end > 0 else 1]
    pattern = (
        rf"(?:\b(?P<a>{shades})[ -](?P<b>[a-z]+)[ -](?:hair|haired)\b"
        rf"|\bhair(?: is |\s*[:=]\s*)(?P<c>{shades})[ -](?P<d>[a-z]+)\b"
        rf"|(?P<e>{shades})(?P<f>[^\s、。,]{{1,5}}?)の?(?:髪|头发|发))"
    )
    for match in re.finditer(pattern, text, re.IGNORECASE):
        shade, color = filter(None, match.groups())
        phrase = words_of(color)
        joint = (words_of(f"{shade} {color}"), words_of(f"{shade}{color}"))
        if phrase in known.values[hair] and not any(map(known.readings, joint)):
            return True
    return False

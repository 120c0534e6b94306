"""Words of prompts besides the model's own: synonyms, shades, fillers.

They do not depend on the model. A synonym means the first of its values, from left to right, that
the attribute has.
"""

from bot.prompts import words_zh_ja


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


SYNONYMS: dict[str, tuple[str, ...]] = {
    word: tuple(values.split(", "))
    for word, values in {
        "aqua": "cyan, turquoise, teal, light blue",
        "cyan": "aqua, turquoise, teal, light blue",
        "turquoise": "aqua, cyan, teal, light blue",
        "teal": "aqua, cyan, turquoise, green",
        "aquamarine": "aqua, cyan, turquoise",
        "light blue": "aqua, cyan, blue",
        "sky blue": "light blue, aqua, cyan, blue",
        "azure": "blue, light blue",
        "navy": "dark blue, blue",
        "sapphire": "blue",
        "cobalt": "blue",
        "indigo": "blue, purple",
        "blond": "blonde, yellow, golden, gold",
        "blonde": "blond, yellow, golden, gold",
        "golden": "gold, blonde, blond, yellow",
        "gold": "golden, blonde, blond, yellow",
        "yellow": "blonde, blond, golden, gold",
        "flaxen": "blonde, blond, yellow",
        "fair": "blonde, blond, yellow",
        "gray": "grey, silver",
        "grey": "gray, silver",
        "silver": "gray, grey, white",
        "silvery": "silver, gray, grey, white",
        "ash": "gray, grey, silver",
        "platinum": "white, silver, blonde, blond",
        "white": "silver, ivory",
        "snow": "white",
        "ivory": "white",
        "purple": "violet, lavender",
        "violet": "purple, lavender",
        "lavender": "purple, violet",
        "lilac": "purple, violet",
        "mauve": "purple, violet",
        "amethyst": "purple, violet",
        "pink": "rose",
        "rose": "pink",
        "rosy": "pink, rose",
        "magenta": "pink, purple",
        "fuchsia": "pink, purple",
        "red": "crimson, scarlet",
        "crimson": "red",
        "scarlet": "red",
        "ruby": "red",
        "ginger": "orange, red",
        "redhead": "red, orange",
        "redheaded": "red, orange",
        "auburn": "brown, red",
        "orange": "amber",
        "amber": "orange, yellow",
        "copper": "orange, brown",
        "brown": "brunette, chestnut",
        "brunette": "brown",
        "brunet": "brown",
        "chestnut": "brown",
        "chocolate": "brown",
        "hazel": "brown, green",
        "black": "ebony",
        "jet": "black",
        "ebony": "black",
        "raven": "black",
        "dark": "black",
        "green": "emerald",
        "emerald": "green",
        "jade": "green",
        "lime": "green",
        "olive": "green",
        "yes": "true, on, 1",
        "true": "yes, on, 1",
        "on": "yes, true, 1",
        "no": "false, off, none, 0",
        "without": "no, false, off, none, 0",
        "none": "no, false, off, 0",
    }.items()
} | words_zh_ja.VALUES

# Words that imply their attribute when used alone, if the model has it.
IMPLIED_ATTRIBUTES = dict.fromkeys(
    ("blond", "blonde", "brunet", "brunette", "ginger", "redhead", "redheaded"), "hair"
)

# Shades of colors ("dark blue"), ignored before a value that has no such shade.
SHADES = (
    _set("bright dark deep hot light medium neon pale pastel soft vibrant vivid")
    | words_zh_ja.SHADES
)

# Values of switches ("smile: yes"), ignored without their attribute.
SWITCHES = _set("yes no true false on off none without 0 1")

NEGATIONS = _set("no not non never without dont except") | words_zh_ja.NEGATIONS

# "hair: any": the hair is random.
ANYTHING = _set("any anything random whatever whichever open surprise") | words_zh_ja.ANYTHING

# Ignored between an attribute and its value: "hair is pink", "eyes of blue".
LINKS = (
    _set("is are be of color colors colour colours colored coloured the a an in very really so")
    | words_zh_ja.LINKS
)

# Separators: "blonde with blue eyes".
BREAKS = _set("with who whose having has have but plus") | words_zh_ja.BREAKS

JOINTS = frozenset({"and", "&", "+", "/"}) | words_zh_ja.JOINTS

# Words among the fillers that describe a face. No model knows them, so readers are told that they
# are not used.
DESCRIPTIONS = (
    _set(
        "1boy adorable boy boys chibi crazy curly elegant fancy flowing fluffy gentle glowing guy "
        "guys kid large little long mad male man men messy sad shiny short silky small smooth "
        "sparkling spiky straight tall wavy wild young"
    )
    | words_zh_ja.DESCRIPTIONS
)

# Ignored, and never treated as typos.
FILLERS = words_zh_ja.FILLERS | _set(
    "1boy 1girl adorable all also anime another art artwork as at avatar avatars back background "
    "beautiful bed best big both boy boys can chair character chibi cool could crazy create curly "
    "cute draw drawing drawn elegant face faces fancy female flowing fluffy for from generate "
    "gentle girl girls give glowing good gorgeous great guy guys hairstyle hello her hers hey hi "
    "him his how i id image im into it its just kawaii kid kind lady large like little lol long "
    "look looking looks lovely mad make male man many masterpiece maybe me messy mine more my new "
    "nice on one or our pair paint painting person photo pic picture please plz portrait pretty "
    "prompt quality real request s sad same she shiny short show silky simple small smooth some "
    "someone something sparkling spiky straight style sweet t tall thank thanks that their them "
    "there they think this to too two type want wavy we wild wish woman women would yet you young "
    "your"
)

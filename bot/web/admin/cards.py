"""Renders model cards as HTML, and tabulates the metrics of several models."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from bot.inference.catalog import ModelSummary

REAL = "_real"  # suffix of a metric of held-out real images
FIRST = ("q", "near_duplicates", "diversity", "fid", "kid")

_TABLE = '<div class="pan" role="region" aria-label="Table" tabindex="0"><table>'
# The only HTML that cards contain; all other HTML is escaped.
_FOLDED = re.compile(r"\s*(<details><summary>[^<>&]*</summary>|</details>)\s*")


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One row of the table: for each model its value, and that of real images by the same judge."""

    label: str
    values: list[tuple[str, str]]


def compare_metrics(models: Sequence[ModelSummary]) -> list[MetricRow]:
    """Every metric that any of the models has, the most important first."""
    names = dict.fromkeys(
        name for model in models for name in model.metrics if not name.endswith(REAL)
    )
    return [
        MetricRow(
            _label(name),
            [
                (_number(name, m.metrics.get(name)), _number(name, m.metrics.get(name + REAL)))
                for m in models
            ],
        )
        for name in sorted(names, key=_rank)
    ]


def key_metrics(model: ModelSummary) -> list[tuple[str, str]]:
    """Labels and values of the most important metrics."""
    names = [name for name in model.metrics if name.endswith("_as_asked")]
    names += [name for name in FIRST[:3] if name in model.metrics]
    return [(_label(name), _number(name, model.metrics[name])) for name in names]


def render_card(text: str, image: Callable[[str], tuple[str, int, int] | None]) -> Markup:
    """A card's Markdown as HTML, without its title. The card is untrusted: HTML is escaped, only
    absolute links remain, and images are those that `image` maps to URL, width and height.
    """
    markdown = MarkdownIt("commonmark").enable("table")
    tokens = markdown.parse(text)
    if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        del tokens[:3]
    for token in tokens:
        _sanitize(token, image)
    # text cannot contain <table>: it is escaped
    html = markdown.renderer.render(tokens, markdown.options, {}).replace("<table>", _TABLE)
    return Markup(html.replace("</table>", "</table></div>"))


def _sanitize(token: Token, image: Callable[[str], tuple[str, int, int] | None]) -> None:
    if token.type in ("th_open", "td_open") and token.attrs.pop("style", ""):
        token.attrs["class"] = "number"  # the content security policy forbids inline styles
    if token.type == "html_block" and not _FOLDED.fullmatch(token.content):
        token.content = f"<p>{escape(token.content)}</p>"
    if token.type == "html_inline":
        token.content = escape(token.content)
    kept: list[Token] = []
    absolute = False  # the current link
    for child in token.children or ():
        _sanitize(child, image)
        if child.type == "link_open":
            absolute = str(child.attrs.get("href", "")).startswith(("http://", "https://"))
        if child.type in ("link_open", "link_close") and not absolute:
            continue
        if child.type == "image":
            found = image(str(child.attrs.get("src", "")))
            if found is None:
                child = Token("text", "", 0, content=child.content)
            else:
                source, width, height = found
                child.attrs |= {"src": source, "width": width, "height": height, "loading": "lazy"}
        kept.append(child)
    if token.children is not None and token.type == "inline":
        token.children = kept


def _rank(name: str) -> tuple[int, str]:
    if name.endswith("_as_asked"):
        return -2, ""
    if name.endswith("_unseen"):
        return -1, ""
    return (FIRST.index(name), "") if name in FIRST else (len(FIRST), name)


def _label(name: str) -> str:
    return name.upper() if name in ("q", "fid", "kid") else name.replace("_", " ")


def _number(name: str, value: float | None) -> str:
    if value is None:
        return ""
    is_share = name.endswith(("_as_asked", "_unseen")) or name == "near_duplicates"
    return f"{100 * value:.1f} %" if is_share else f"{value:.3g}"

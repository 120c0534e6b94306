"""Renders model cards as HTML, and tabulates the metrics of several models."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from bot.studio.models import ModelSummary
from export.figures import REAL, label, number, ordered

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
    names = ordered(name for model in models for name in model.metrics)
    return [
        MetricRow(
            label(name),
            [
                (number(name, m.metrics.get(name)), number(name, m.metrics.get(name + REAL)))
                for m in models
            ],
        )
        for name in names
    ]


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

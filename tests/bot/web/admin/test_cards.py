from datetime import UTC, datetime

from bot.studio.models import ModelSummary
from bot.web.admin.cards import compare_metrics, render_card

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def model(name: str, **metrics: float) -> ModelSummary:
    return ModelSummary(name, NOW, metrics, False, None)


def test_metrics_are_compared_with_those_of_real_images() -> None:
    a = model("a", q=3.0174, q_real=1.0, hair_as_asked=0.9919, hair_as_asked_real=0.97)
    b = model("b", lite2_fd_ratio=2.5, near_duplicates=0.016)
    table = {figure.label: figure.values for figure in compare_metrics([a, b])}
    order = ["hair as asked", "FD ratio (Lite2)", "near-duplicates", "Q (old judge)"]
    assert list(table) == order
    assert table["Q (old judge)"] == [("3.02", "1"), ("", "")]
    assert table["hair as asked"] == [("99.2%", "97.0%"), ("", "")]
    assert table["near-duplicates"] == [("", ""), ("1.6%", "")]


def image(file: str) -> tuple[str, int, int] | None:
    return ("/there/samples.png", 64, 32) if file == "samples.png" else None


def test_a_card_is_rendered_as_html() -> None:
    html = render_card(
        "# name\n\nIt draws [here](https://example.org/).\n\n![Samples](samples.png)\n\n"
        "| hair | shows |\n|---|--:|\n| aqua | 97 % |\n\n"
        "<details><summary>All settings</summary>\n\n```json\n{}\n```\n\n</details>\n",
        image,
    )
    assert "<h1" not in html
    assert '<a href="https://example.org/">here</a>' in html
    assert 'src="/there/samples.png"' in html
    assert 'width="64" height="32"' in html
    assert '<td class="number">97 %</td>' in html
    assert "<details><summary>All settings</summary>" in html
    assert "</details>" in html
    assert "style=" not in html  # not allowed by the content security policy


def test_html_and_links_in_a_card_are_sanitized() -> None:
    html = render_card(
        "<script>alert(1)</script>\n\na <img src=x onerror=alert(1)> b\n\n"
        "[out](../../README.md) [js](javascript:alert(1)) ![spy](https://example.org/a.png)"
        " ![file](../secret.png)\n\n<details open ontoggle=alert(1)><summary>x</summary>\n",
        image,
    )
    for tag in ("<script", "<img", "<a ", "<details"):
        assert tag not in html
    for text in ("&lt;script&gt;", "out", "spy", "file"):
        assert text in html

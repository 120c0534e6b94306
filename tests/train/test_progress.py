"""Progress bars in terminals of different widths."""

import io
import re

import pytest
from rich.console import Console

from train.progress import progress_bar

NOTE = "10.2 s/kimg · 0.9 GiB · generator 1.22 · discriminator 0.66"


@pytest.mark.parametrize("name", ["training", "training the judge's classifier"])
@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_progress_bar_is_one_line_with_the_share_and_the_time_left(name: str, width: int) -> None:
    output = io.StringIO()
    console = Console(file=output, width=width, force_terminal=True, soft_wrap=True)
    with progress_bar(console, name) as report_progress:
        report_progress(0.33, NOTE)
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.getvalue()).rstrip().split("\r")[-1]
    assert len(last) <= width
    assert last.startswith("training")
    assert " 33% " in last
    assert "-:--:--" in last
    assert "10.2" in last
    assert (NOTE in last) == (width == 200)

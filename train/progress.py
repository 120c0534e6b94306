"""Progress bars in the terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column


class ProgressCallback(Protocol):
    def __call__(self, done: float, note: str = "") -> None:
        """`done` is the completed share, 0…1."""


def no_progress(done: float, note: str = "") -> None:
    """A callback that shows nothing."""


@contextmanager
def progress_bar(console: Console, name: str, done: float = 0.0) -> Iterator[ProgressCallback]:
    """Shows a bar; work that was `done` before does not count for the estimated time."""
    shown = min(len(name), max(8, console.width - 30))
    columns = (
        TextColumn(name, table_column=Column(min_width=shown, max_width=shown, no_wrap=True)),
        BarColumn(min(40, console.width // 5)),
        TaskProgressColumn(table_column=Column(min_width=4, no_wrap=True)),
        TimeRemainingColumn(table_column=Column(min_width=7, no_wrap=True)),
        # In a narrow terminal mainly the note is shortened.
        TextColumn(
            "{task.fields[note]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")
        ),
    )
    with Progress(*columns, console=console, expand=True) as progress:
        task = progress.add_task("", total=1.0, note="", completed=done)  # type: ignore[arg-type]

        def report_progress(done: float, note: str = "") -> None:
            progress.update(task, completed=done, note=note)

        yield report_progress

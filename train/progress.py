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


class ProgressCallback(Protocol):
    def __call__(self, done: float, note: str = "") -> None:
        """`done` is the completed share, 0…1."""


def no_progress(done: float, note: str = "") -> None:
    """A callback that shows nothing."""


@contextmanager
def progress_bar(console: Console, name: str, done: float = 0.0) -> Iterator[ProgressCallback]:
    """Shows a bar; work that was `done` before does not count for the estimated time."""
    columns = BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    note_column = TextColumn("{task.fields[note]}")
    with Progress(TextColumn(name), *columns, note_column, console=console) as progress:
        task = progress.add_task("", total=1.0, note="", completed=done)  # type: ignore[arg-type]

        def report_progress(done: float, note: str = "") -> None:
            progress.update(task, completed=done, note=note)

        yield report_progress

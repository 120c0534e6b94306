"""The bar in a terminal of whatever takes its time."""

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


class Tell(Protocol):
    def __call__(self, done: float, note: str = "") -> None:
        """How much is done, 0…1."""


def ignore(done: float, note: str = "") -> None:
    """Shows nothing."""


@contextmanager
def bar(console: Console, name: str, done: float = 0.0) -> Iterator[Tell]:
    """What was `done` before says nothing about the time that is left."""
    columns = BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    note_column = TextColumn("{task.fields[note]}")
    with Progress(TextColumn(name), *columns, note_column, console=console) as progress:
        task = progress.add_task("", total=1.0, note="", completed=done)  # type: ignore[arg-type]

        def tell(done: float, note: str = "") -> None:
            progress.update(task, completed=done, note=note)

        yield tell

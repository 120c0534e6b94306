"""Drawn faces, as files and as a zip."""

from collections.abc import Callable, Iterator
from pathlib import Path

import drawn_faces
import pytest
from judged_once import judged_once
from quick_exports import quick_exports


@pytest.fixture(scope="session", autouse=True)
def _computed_once() -> Iterator[None]:
    with judged_once(), quick_exports():
        yield


@pytest.fixture(scope="session")
def face_files() -> dict[str, bytes]:
    return drawn_faces.face_files()


@pytest.fixture(scope="session")
def few_face_files() -> dict[str, bytes]:
    """For whole trainings: fewer faces are judged faster. 12 of the 96 are held out."""
    return drawn_faces.face_files(96)


@pytest.fixture
def lay_out(tmp_path: Path) -> Callable[..., Path]:
    """Writes files as a folder or a zip, and returns its path."""

    def write(files: dict[str, bytes], kind: str = "folder", name: str = "faces") -> Path:
        if kind == "zip":
            return drawn_faces.write_zip(tmp_path / f"{name}.zip", files)
        for file, content in files.items():
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return tmp_path / name

    return write


@pytest.fixture(scope="session")
def faces_zip(tmp_path_factory: pytest.TempPathFactory, face_files: dict[str, bytes]) -> Path:
    return drawn_faces.write_zip(tmp_path_factory.mktemp("data") / "faces.zip", face_files)


@pytest.fixture(scope="session")
def few_faces_zip(
    tmp_path_factory: pytest.TempPathFactory, few_face_files: dict[str, bytes]
) -> Path:
    return drawn_faces.write_zip(tmp_path_factory.mktemp("data") / "faces.zip", few_face_files)

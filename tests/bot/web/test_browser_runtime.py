"""Installing ONNX Runtime for browsers; npm is a program that writes an archive."""

import io
import json
import os
import sys
import tarfile
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.web.browser_runtime import BACKENDS, FOLDER, InstallError, install, installed

PACKAGE = json.loads((FOLDER / "package.json").read_text("utf-8"))
VERSION = PACKAGE["dependencies"]["onnxruntime-web"]
INTEGRITY = PACKAGE["integrity"]["onnxruntime-web"]


def write_npm(folder: Path, monkeypatch: pytest.MonkeyPatch, integrity: str = INTEGRITY) -> None:
    """Puts an npm on the path, whose packages contain a few bytes for each file."""
    archive = folder / "package.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        for name in (name for names in BACKENDS.values() for name in names):
            entry = tarfile.TarInfo(f"package/dist/{name}")
            entry.size = len(name)
            tar.addfile(entry, io.BytesIO(name.encode()))
    npm = folder / "npm"
    npm.write_text(
        f"""#!{sys.executable}
import json, shutil, sys
assert sys.argv[1:3] == ["pack", "onnxruntime-web@{VERSION}"]
shutil.copy({str(archive)!r}, "package.tgz")
print(json.dumps([{{"filename": "package.tgz", "integrity": {integrity!r}}}]))
"""
    )
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_the_files_are_installed_with_their_sums(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_npm(tmp_path, monkeypatch)
    folder = tmp_path / "runtime"
    assert installed(folder) == {}
    assert install(folder) == VERSION
    script, binary = installed(folder)["wasm"]
    assert script.path.read_text() == script.path.name == BACKENDS["wasm"][0]
    assert binary.path.with_name(f"{binary.path.name}.gz").is_file()
    assert len(binary.sha256) == 64


def test_another_version_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_npm(tmp_path, monkeypatch)
    install(tmp_path)
    listed = json.loads((tmp_path / "installed.json").read_text())
    (tmp_path / "installed.json").write_text(json.dumps({**listed, "version": "1.0.0"}))
    assert installed(tmp_path) == {}


def test_an_archive_with_another_checksum_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_npm(tmp_path, monkeypatch, integrity="sha512-other")
    with pytest.raises(InstallError, match=r"the checksum of onnxruntime-web.* is sha512-other"):
        install(tmp_path / "runtime")
    assert not (tmp_path / "runtime").exists()


def test_the_command_says_that_npm_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert main(["web-runtime"]) == 1
    assert "npm is not installed" in capsys.readouterr().err

"""ONNX Runtime for browsers: installs its files from the npm package, and lists them.

They are too large for the repository. Without them, the bot paints for all visitors.
"""

import gzip
import json
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from export.manifest import file_entry

FOLDER = Path(__file__).parent / "onnxruntime"
PACKAGE = "onnxruntime-web"
PACKAGE_JSON = "package.json"  # the exact version, and the checksum of its archive
INSTALLED = "installed.json"  # lists the files; written last
BACKENDS = {
    "wasm": ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"),
    "webgpu": ("ort.webgpu.bundle.min.mjs", "ort-wasm-simd-threaded.asyncify.wasm"),
}
"""By backend: a script, and the WebAssembly file that it loads."""


class InstallError(Exception):
    """The files cannot be installed."""


@dataclass(frozen=True, slots=True)
class RuntimeFile:
    """`bytes` is the size of the download, which is compressed."""

    path: Path
    sha256: str
    bytes: int


def install(folder: Path = FOLDER) -> str:
    """Downloads the package with npm, and writes its files and their compressed copies; returns its
    version. Raises InstallError.
    """
    package = json.loads((FOLDER / PACKAGE_JSON).read_text("utf-8"))
    version = package["dependencies"][PACKAGE]
    with tempfile.TemporaryDirectory() as scratch:
        archive = _download(f"{PACKAGE}@{version}", package["integrity"][PACKAGE], Path(scratch))
        try:
            folder.mkdir(exist_ok=True)
            with tarfile.open(archive) as tar:
                names = [name for files in BACKENDS.values() for name in files]
                files = {name: _extract(tar, name, folder) for name in names}
            _replace(folder / INSTALLED, json.dumps({"version": version, "files": files}).encode())
        except (OSError, KeyError, tarfile.TarError) as error:
            raise InstallError(
                f"{folder} cannot be written from {archive.name}: {error}"
            ) from error
    return str(version)


def installed(folder: Path = FOLDER) -> dict[str, tuple[RuntimeFile, RuntimeFile]]:
    """Script and WebAssembly file by backend; empty if they are not installed, or if those of
    another version are.
    """
    try:
        found = json.loads((folder / INSTALLED).read_text("utf-8"))
        package = json.loads((FOLDER / PACKAGE_JSON).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    if found["version"] != package["dependencies"][PACKAGE]:
        return {}
    files = {name: RuntimeFile(folder / name, **entry) for name, entry in found["files"].items()}
    return {name: (files[script], files[binary]) for name, (script, binary) in BACKENDS.items()}


def _download(package: str, integrity: str, folder: Path) -> Path:
    """The package's archive, whose checksum was compared."""
    npm = shutil.which("npm")
    if npm is None:
        raise InstallError("npm is not installed; it comes with Node.js")
    command = [npm, "pack", package, "--json", "--ignore-scripts"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise InstallError(f"npm pack {package} failed:\n{done.stderr.strip()}")
    (packed,) = json.loads(done.stdout)
    if packed["integrity"] != integrity:
        raise InstallError(
            f"the checksum of {package} is {packed['integrity']}, but {PACKAGE_JSON} says"
            f" {integrity}"
        )
    return folder / str(packed["filename"])


def _extract(tar: tarfile.TarFile, name: str, folder: Path) -> dict[str, str | int]:
    """Writes a file and its compressed copy, which aiohttp serves to clients that accept it."""
    file = tar.extractfile(f"package/dist/{name}")
    assert file is not None  # a regular file
    data = file.read()
    compressed = gzip.compress(data, 6, mtime=0)
    _replace(folder / name, data)
    _replace(folder / f"{name}.gz", compressed)
    return {"sha256": file_entry(folder / name).sha256, "bytes": len(compressed)}


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_bytes(data)
    temporary.replace(path)

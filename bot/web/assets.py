"""Serves static files, compressed once, under versioned URLs that browsers cache."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web


@dataclass(frozen=True, slots=True)
class _File:
    data: bytes
    compressed: bytes
    content_type: str
    tag: str


class Assets:
    """The files of a folder. Their URLs contain one version for all files, so that modules that
    import each other change together.
    """

    def __init__(self, folder: Path) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): _read(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        tags = "".join(name + file.tag for name, file in self._files.items())
        self._version = hashlib.sha256(tags.encode()).hexdigest()[:12]

    @property
    def urls(self) -> dict[str, str]:
        """URLs by file name."""
        return {name: f"/static/{self._version}/{name}" for name in self._files}

    async def answer(self, request: web.Request) -> web.Response:
        """Handles /static/{version}/{name}. Raises HTTPNotFound.

        A page that was loaded before the last start requests an older version, and gets the current
        file.
        """
        file = self._files.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        current = request.match_info["version"] == self._version
        headers = {
            "ETag": f'"{file.tag}"',
            "Cache-Control": "public, max-age=31536000, immutable" if current else "no-cache",
            "Vary": "Accept-Encoding",
        }
        if any(known.value in (file.tag, "*") for known in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        body = file.data
        if "gzip" in request.headers.get("Accept-Encoding", "") and len(file.compressed) < len(
            body
        ):
            body = file.compressed
            headers["Content-Encoding"] = "gzip"
        headers["Content-Type"] = file.content_type
        return web.Response(body=body, headers=headers)


def _read(path: Path) -> _File:
    data = path.read_bytes()
    content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if content_type.startswith("text/"):
        content_type += "; charset=utf-8"
    # no timestamp: the same file gives the same bytes after every start
    return _File(data, gzip.compress(data, mtime=0), content_type, hashlib.sha256(data).hexdigest())

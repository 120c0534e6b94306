"""Faces by name: the same name, values and model give the same face for ever. None is stored.

A name's seed is the first four bytes, big-endian, of the SHA-256 of "name:" and the normalized name
in UTF-8. The face is the one that `/avatar seed:…` paints with this seed and the same values.
"""

import asyncio
import hashlib
import unicodedata
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np

from bot.errors import BadPrompt
from bot.inference.conditions import complete_wish
from bot.inference.engine import Engine
from bot.studio.images import encode_png, scaled_png, scaled_webp
from bot.studio.models import model_named
from bot.studio.painter import candidates_for, seed_of
from bot.studio.painting import read_shaped_prompt

MAX_NAME = 100  # characters of a normalized name
LOADING_COST = 60  # faces that could be painted while a model is loaded
MAX_SIZE = 512  # pixels; a model's largest size up to this one is painted
CACHE_BYTES = 64 * 2**20

Format = Literal["png", "webp"]


@dataclass(frozen=True, slots=True)
class NamedFace:
    """What determines the file: the normalized name, a prompt, the model's name, and the file's
    size in pixels and format. `size` is None for the painted size.
    """

    name: str
    values: str
    model: str
    size: int | None = None
    format: Format = "png"

    def in_file(self, format: Format, size: int | None = None) -> "NamedFace":
        """The same face in a file of this format and size."""
        return replace(self, format=format, size=size)


@dataclass(frozen=True, slots=True)
class FaceFile:
    """`tag` is the hex digest of `data`."""

    data: bytes
    tag: str


class NamedFaceService:
    """Keeps the latest files in memory. A face that several requests want at once is painted
    once.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._files: OrderedDict[NamedFace, FaceFile] = OrderedDict()  # the latest used last
        self._bytes = 0
        self._painting: dict[NamedFace, asyncio.Task[FaceFile]] = {}

    def identify(self, name: str, values: str = "", model: str | None = None) -> NamedFace:
        """The face of a name, by the model in use unless another one is named. `values` is a
        prompt, which is read when the face is painted. Raises BadPrompt for an invalid name.
        """
        return NamedFace(normalize_name(name), values.strip(), model or self._engine.model.name)

    def cached(self, face: NamedFace) -> FaceFile | None:
        """The face's file, if it is in memory."""
        file = self._files.get(face)
        if file is not None:
            self._files.move_to_end(face)
        return file

    def cost(self, face: NamedFace) -> int:
        """What painting the face counts as: more than one face if its model is not loaded."""
        return 1 if self._engine.is_loaded(face.model) else LOADING_COST

    async def paint(self, face: NamedFace, user: str) -> FaceFile:
        """The face's file, which is painted unless it is in memory. The queue is fair across users.

        Raises BadPrompt (values), NotFound (model), Busy, ModelUnavailable.
        """
        file = self.cached(face)
        if file is not None:
            return file
        if face not in self._painting:
            self._painting[face] = task = asyncio.create_task(self._make(face, user))
            task.add_done_callback(partial(self._painted, face))
        # shielded: others may wait for it when this request's client has left
        return await asyncio.shield(self._painting[face])

    def _painted(self, face: NamedFace, task: asyncio.Task[FaceFile]) -> None:
        del self._painting[face]
        if not task.cancelled():
            task.exception()  # so that asyncio does not log it if nobody waits any more

    async def _make(self, face: NamedFace, user: str) -> FaceFile:
        painted = face.in_file("png")
        if face == painted:
            image = await self._paint_image(face, user)
            data = await asyncio.to_thread(encode_png, image)
        else:
            whole = await self.paint(painted, user)
            scale = scaled_png if face.format == "png" else scaled_webp
            data = await asyncio.to_thread(scale, whole.data, face.size or MAX_SIZE)
        file = FaceFile(data, hashlib.sha256(data).hexdigest())
        self._keep(face, file)
        return file

    async def _paint_image(self, face: NamedFace, user: str) -> np.ndarray:
        """uint8 [S, S, 3] RGB."""
        model = await model_named(face.model, self._engine)
        wish, shape = read_shaped_prompt(face.values, model)
        seed = seed_of(f"name:{face.name}")
        images, _ = await self._engine.paint_best(
            model.directions.move(candidates_for(model, [seed]), shape),
            model.manifest.encode(complete_wish(wish, seed, model.manifest))[None],
            model,
            size=model.size_up_to(MAX_SIZE),
            user=user,
        )
        return np.asarray(images[0])

    def _keep(self, face: NamedFace, file: FaceFile) -> None:
        self._files[face] = file
        self._bytes += len(file.data)
        while self._bytes > CACHE_BYTES:
            _, oldest = self._files.popitem(last=False)
            self._bytes -= len(oldest.data)


def normalize_name(text: str) -> str:
    """The name without spaces around it, in lower case (Unicode's case folding) and in Unicode's
    form NFC: "Zoë" and "ZOË" are one name. Raises BadPrompt for an empty or too long one.
    """
    folded = unicodedata.normalize("NFD", text.strip()).casefold()
    name = unicodedata.normalize("NFC", folded)
    if not name:
        raise BadPrompt("named-face-no-name")
    if len(name) > MAX_NAME:
        raise BadPrompt("named-face-long-name", most=MAX_NAME, length=len(name))
    return name

"""Recipes, which PNG files contain: what a picture was painted from, and painting it again."""

import asyncio
import base64
import hashlib
import io
import json
import struct
import zlib
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from PIL import Image, UnidentifiedImageError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bot.errors import BadPrompt, NotFound
from bot.inference.engine import Engine
from bot.inference.model_info import ModelInfo
from bot.prompts.parser import MAX_LENGTH
from bot.prompts.traits import format_prompt, read_traits
from bot.prompts.vocabulary import quote
from bot.prompts.wish import check_wish
from bot.studio.images import encode_png, scaled_png
from bot.studio.painter import Painter, PaintJob
from bot.studio.request import Request
from db.avatars import AvatarRepository
from db.records import Avatar, Picture
from db.tasks import SEEDS
from export.manifest import GENERATOR, MAX_INT8_ERROR, ModelError, read_manifest

KEYWORD = "irodori"  # of the PNG's tEXt chunk
MAX_FILE = 4 * 2**20  # bytes of a picture to open
MAX_PIXELS = 2048 * 2048
HEADER_END = 33  # of a PNG: the signature and the chunk IHDR
MAX_NEAR = 32  # of 255: the largest difference of near pictures
MAX_LATENT = 20  # no standard normal number is as large

Agreement = Literal["same", "near", "different"]
Word = Annotated[str, StringConstraints(max_length=1000)]
Id = Annotated[str, StringConstraints(pattern="^[a-z0-9]{1,32}$")]


class Recipe(BaseModel):
    """The JSON in a picture. `latent` is float32 [Z], little-endian, in base64; `generator_sha256`
    is that of the model's generator.onnx, None if the model is gone; `size` is in pixels.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: Literal[1] = 1
    id: Id
    # Longer than a prompt that is typed: it may name the values of many attributes.
    prompt: Annotated[str, StringConstraints(max_length=10 * MAX_LENGTH)]
    wish: dict[Word, Word]
    conditions: dict[Word, Word]
    seed: int = Field(ge=0, lt=SEEDS)
    latent: Annotated[str, StringConstraints(max_length=64 * 1024)]
    model: Word
    generator_sha256: Word | None
    size: int = Field(ge=1)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of two pictures' pixels: the largest and the mean difference, of 255. `near` pictures differ
    as those of different processors and upscalers do.
    """

    agreement: Agreement
    largest: int
    mean: float


@dataclass(frozen=True, slots=True)
class Opened:
    """A picture that was opened from its file. `repainted` is whether it was not stored here.
    `comparison` is of the file with the picture, `changed` are the parts of the file's recipe that
    are not the picture's.
    """

    avatar: Avatar
    comparison: Comparison
    repainted: bool = False
    changed: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """The key of the message that tells what was found."""
        if self.changed or self.comparison.agreement == "different":
            return "recipe-tampered"
        return "recipe-repainted" if self.repainted else "recipe-opened"


@dataclass(frozen=True, slots=True)
class Proof:
    """`comparison` is of the stored picture with one repainted from its recipe; `same_file` is
    whether even the files' bytes are equal.
    """

    avatar: Avatar
    comparison: Comparison
    same_file: bool


class RecipeService:
    def __init__(self, engine: Engine, painter: Painter, avatars: AvatarRepository) -> None:
        self._engine = engine
        self._painter = painter
        self._avatars = avatars
        self._sums: dict[str, str] = {}

    async def sign(self, avatar: Avatar, picture: Picture) -> Picture:
        """The picture with its recipe, unless it is private or not a PNG."""
        if avatar.private or picture.format != "png":
            return picture
        data = add_recipe(picture.data, await self._recipe_of(avatar))
        digest = hashlib.sha256(data).hexdigest()
        return Picture(data, picture.format, picture.width, picture.height, digest)

    async def prove(self, avatar: Avatar, request: Request) -> Proof:
        """Repaints a picture and compares it with the stored one. Nothing is stored.

        Raises NotFound (deleted meanwhile), Busy, ModelUnavailable.
        """
        model = await self._engine.get(avatar.model)
        images = await self._engine.paint(
            avatar.latent[None],
            avatar.condition[None],
            model,
            size=avatar.width,
            user=request.user,
        )
        stored = await self._avatars.picture(avatar.id)
        if stored is None:
            raise NotFound("studio-no-avatar", id=quote(avatar.id))
        data = await asyncio.to_thread(encode_png, images[0])
        comparison = compare(_pixels(stored.data), images[0])
        return Proof(avatar, comparison, data == stored.data)

    async def find(self, data: bytes) -> Opened | None:
        """The stored picture of a file with a recipe; None if there is none with its id.

        Raises BadPrompt (no or an invalid recipe), NotFound (a private picture).
        """
        recipe, pixels = await asyncio.to_thread(read_file, data)
        avatar = await self._avatars.get(recipe.id)
        if avatar is None:
            return None
        if avatar.private:
            raise NotFound("studio-no-avatar", id=quote(recipe.id))
        changed = _differences(recipe, await self._recipe_of(avatar))
        return Opened(avatar, await self._compare_file(avatar, pixels), changed=changed)

    async def repaint(self, data: bytes, request: Request) -> Opened:
        """The picture of a file, painted again from its recipe; it belongs to the requester.

        Raises BadPrompt (no or an invalid recipe), NotFound (the model is not here), Busy,
        ModelUnavailable.
        """
        recipe, _ = await asyncio.to_thread(read_file, data)
        return await self.compare_repainted(data, await self._paint(recipe, request))

    async def compare_repainted(self, data: bytes, avatar: Avatar) -> Opened:
        """Compares a file with the avatar that was painted from its recipe. Raises NotFound."""
        _, pixels = await asyncio.to_thread(read_file, data)
        return Opened(avatar, await self._compare_file(avatar, pixels), repainted=True)

    async def _compare_file(self, avatar: Avatar, pixels: np.ndarray) -> Comparison:
        stored = await self._avatars.picture(avatar.id)
        if stored is None:
            raise NotFound("studio-no-avatar", id=quote(avatar.id))
        scaled = await asyncio.to_thread(scaled_png, stored.data, pixels.shape[1])
        return compare(_pixels(scaled), pixels)

    async def _paint(self, recipe: Recipe, request: Request) -> Avatar:
        names = await asyncio.to_thread(self._engine.registry.names)
        if recipe.model not in names:
            raise NotFound("recipe-no-model", id=quote(recipe.id), model=quote(recipe.model))
        model = await self._engine.get(recipe.model)
        if recipe.generator_sha256 not in (None, model.manifest.files[GENERATOR].sha256):
            raise NotFound("recipe-other-model", id=quote(recipe.id), model=quote(recipe.model))
        attributes = model.manifest.attributes
        wish = check_wish(recipe.wish, attributes)
        shape, _ = read_traits(recipe.prompt, model.directions.names, attributes)
        job = PaintJob(
            model,
            wish,
            [recipe.seed],
            [dict(recipe.conditions)],
            _checked_latent(recipe, model)[None, None],
            # not the recipe's own text, which its owner may have deleted
            prompt=format_prompt(wish, shape),
            size=recipe.size,
        )
        (avatar,) = await self._painter.paint(job, request)
        return avatar

    async def _recipe_of(self, avatar: Avatar) -> Recipe:
        # Without validation: a stored picture is shown whatever its values are.
        return Recipe.model_construct(
            id=avatar.id,
            prompt=avatar.prompt,
            wish=avatar.wish,
            conditions=avatar.conditions,
            seed=avatar.seed,
            latent=base64.b64encode(avatar.latent.astype("<f4").tobytes()).decode(),
            model=avatar.model,
            generator_sha256=await self._sum_of(avatar.model),
            size=avatar.width,
        )

    async def _sum_of(self, name: str) -> str | None:
        """The SHA-256 of a model's generator, from its manifest; None if the model is gone."""
        if name not in self._sums:
            try:
                folder = await asyncio.to_thread(self._engine.registry.folder, name)
                manifest = await asyncio.to_thread(read_manifest, folder)
                self._sums[name] = manifest.files[GENERATOR].sha256
            except (ModelError, KeyError):
                return None
        return self._sums[name]


def add_recipe(png: bytes, recipe: Recipe) -> bytes:
    """The PNG with the recipe in a tEXt chunk after its header; pixels are not encoded again."""
    # ASCII, as tEXt chunks are in Latin-1
    text = KEYWORD.encode() + b"\0" + _ascii_json(recipe)
    chunk = b"tEXt" + text
    framed = struct.pack(">I", len(text)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return png[:HEADER_END] + framed + png[HEADER_END:]


def read_file(data: bytes) -> tuple[Recipe, np.ndarray]:
    """The recipe in a PNG, and its pixels uint8 [S, S, 3] RGB. Raises BadPrompt."""
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if image.width * image.height > MAX_PIXELS:
                raise BadPrompt("recipe-too-large")
            image.load()
            text = getattr(image, "text", {}).get(KEYWORD)
            pixels = np.asarray(image.convert("RGB"))
    except Image.DecompressionBombError:  # Pillow refuses the largest sizes itself
        raise BadPrompt("recipe-too-large") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise BadPrompt("recipe-no-png") from None
    if text is None:
        raise BadPrompt("recipe-missing")
    try:
        return Recipe.model_validate_json(text), pixels
    except ValidationError as error:
        part = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise BadPrompt("recipe-broken", part=quote(part or "JSON")) from None


def compare(a: np.ndarray, b: np.ndarray) -> Comparison:
    """Compares pictures uint8 [S, S, 3]; those of different sizes are different."""
    if a.shape != b.shape:
        return Comparison("different", 255, 255.0)
    difference = np.abs(a.astype(int) - b)
    largest, mean = int(difference.max()), float(difference.mean())
    if not largest:
        return Comparison("same", 0, 0.0)
    near = mean <= MAX_INT8_ERROR and largest <= MAX_NEAR
    return Comparison("near" if near else "different", largest, mean)


def _checked_latent(recipe: Recipe, model: ModelInfo) -> np.ndarray:
    """float32 [Z]. Raises BadPrompt for a recipe that the model cannot paint."""
    try:
        latent = np.frombuffer(base64.b64decode(recipe.latent, validate=True), "<f4")
        model.manifest.encode(recipe.conditions)
    except ValueError:
        raise BadPrompt("recipe-broken", part="latent, conditions") from None
    if len(latent) != model.manifest.latent_dim or not (np.abs(latent) <= MAX_LATENT).all():
        raise BadPrompt("recipe-broken", part="latent")
    return latent.astype(np.float32)


def _differences(recipe: Recipe, other: Recipe) -> tuple[str, ...]:
    ignored = {"version", "generator_sha256"} if other.generator_sha256 is None else {"version"}
    names = [name for name in Recipe.model_fields if name not in ignored]
    return tuple(name for name in names if getattr(recipe, name) != getattr(other, name))


def _ascii_json(recipe: Recipe) -> bytes:
    return json.dumps(recipe.model_dump(), separators=(",", ":")).encode("ascii")


def _pixels(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))

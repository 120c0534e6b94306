"""Request and response bodies of the HTTP API; `openapi.json` is generated from these models."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from typing_extensions import TypeAliasType

from bot.studio.animations import MAX_FRAMES, MAX_MORPH
from bot.studio.downloads import CROPS
from bot.studio.gallery import MAX_PAGE
from bot.studio.named_faces import MAX_NAME
from bot.studio.named_faces import MAX_SIZE as MAX_FACE_SIZE
from bot.studio.painting import MAX_COUNT
from bot.studio.recipes import Agreement
from bot.studio.reports import MAX_REASON
from bot.studio.search import ROUNDS
from db.records import Sort
from db.tasks import SEEDS
from export.directions import MAX_DIRECTIONS

PAGE_SIZE = 24  # pictures
FRAMES = 17  # of a transition
ImageSize = Literal[64, 128, 256]  # pixels; what ?size= of an image may be
IMAGE_SIZES: tuple[int, ...] = get_args(ImageSize)
MIN_FACE_SIZE = 16  # pixels, of a face by name
WISH_PREFIX = "wish."
"""Prefix of an attribute in a query or form that has a key of the same name."""
MAX_SIZE = 4096  # pixels; each model has its own sizes


def _whole_text(value: Any) -> Any:
    """Replaces lone surrogates, which JSON can hold and UTF-8 cannot."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _parse_digits(value: Any) -> Any:
    """Converts the digits of a query or form field; everything else is left to the validation."""
    text = value.strip() if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else value


Text = Annotated[str, BeforeValidator(_whole_text)]
Id = TypeAliasType("Id", Annotated[Text, Field(examples=["7k3mx2pq"])])
Wish = TypeAliasType(
    "Wish",
    Annotated[
        dict[Text, Text],
        Field(
            description="Attributes and their values, as the model in use has them.",
            examples=[{"hair": "pink", "eyes": "orange"}],
        ),
    ],
)
Shape = TypeAliasType(
    "Shape",
    Annotated[
        dict[Text, Annotated[float, Field(ge=-1, le=1)]],
        Field(
            description="Positions on the latent directions of the picture's model, from -1 to 1.",
            examples=[{"hair_length": 0.5}],
            max_length=MAX_DIRECTIONS,
        ),
    ],
)
FaceName = TypeAliasType(
    "FaceName",
    Annotated[
        Text,
        Field(
            description="Any text. Case, and spaces around it, make no difference.",
            examples=["nelly"],
            min_length=1,
            max_length=MAX_NAME,
        ),
    ],
)
FaceValues = TypeAliasType(
    "FaceValues",
    Annotated[
        Text,
        Field(
            description="A prompt. Attributes that it does not name are drawn from the name.",
            examples=["hair:pink,eyes:blue"],
        ),
    ],
)
ModelName = TypeAliasType("ModelName", Annotated[Text, Field(examples=["faces64-1595k-2"])])
Crop = TypeAliasType("Crop", Annotated[Text, Field(json_schema_extra={"enum": [*CROPS]})])
FileFormat = TypeAliasType("FileFormat", Literal["png", "webp"])
Seed = Annotated[int, Field(ge=0, lt=SEEDS)]
SeedField = Annotated[Seed, BeforeValidator(_parse_digits)]


Address = Annotated[str, Field(json_schema_extra={"format": "uri-reference"})]


class Schema(BaseModel):
    """A model whose field docstrings are its descriptions; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, strict=True)


# Request bodies


class EmptyRequest(Schema):
    """A body without keys."""


class PaintRequest(Schema):
    prompt: Annotated[Text, Field(examples=["hair:pink eyes:orange"])]
    """For example `hair:pink eyes:orange` or `a girl with golden hair`. Attributes that it does not
    name are chosen at random."""
    count: Annotated[int, Field(ge=1, le=MAX_COUNT)] = 1
    seed: Seed | None = None
    """Random if missing or null. The same seed, wish and model paint the same picture. Further
    pictures use the seeds that follow."""
    size: Annotated[int, Field(ge=1, le=MAX_SIZE)] | None = None
    """Pixels, one of the sizes of the model in use. The default is the largest."""


class AdoptRequest(Schema):
    prompt: Text = ""
    """As in `GET /api/find`."""
    seed: Seed
    choices: Annotated[Text, Field(examples=["13.2.5"])]
    """The faces that were chosen from each sheet; the last choice is the one face to adopt."""
    model: Text
    size: Annotated[int, Field(ge=1, le=MAX_SIZE)] | None = None
    """Pixels, one of the sizes of the model. The default is the largest."""


class SeedRequest(Schema):
    seed: Seed | None = None
    """Random if missing or null. The same seed, wish and model paint the same picture."""


class RecolorRequest(Schema):
    wish: Wish
    """The values to change."""


class ShapeRequest(Schema):
    shape: Shape
    """The positions to change. The face keeps its other ones."""


class ReportRequest(Schema):
    reason: Annotated[Text, Field(max_length=MAX_REASON)] = ""
    """What is wrong with the picture, for the operator of the bot."""


class MixRequest(Schema):
    a: Id
    """The first parent."""
    b: Id
    """The second parent."""
    seed: Seed | None = None
    """Random if missing or null. Another seed paints a sibling."""


# Query strings and forms


class EmptyQuery(Schema):
    """A query without keys."""


class FilterQuery(Schema):
    """Every key that is not declared is an attribute to filter by. An attribute with the name of a
    declared key has the prefix `wish.`, such as `wish.sort`.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str]

    @property
    def values(self) -> dict[str, str]:
        """The values to filter by."""
        prefixed = {f"{WISH_PREFIX}{name}": name for name in PageQuery.model_fields}
        return {prefixed.get(key, key): value for key, value in self.__pydantic_extra__.items()}


class PageQuery(FilterQuery):
    sort: Sort = "new"
    """Newest first, or most favorites first."""
    cursor: str | None = None
    """`older` or `newer` of another page with the same sort order; `last` is the last page."""
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE), BeforeValidator(_parse_digits)] = PAGE_SIZE
    """Pictures per page."""


class MineQuery(Schema):
    scope: Literal["mine", "favourites"] = "mine"
    """The visitor's own pictures, or favorites."""
    cursor: str | None = None
    """`older` or `newer` of another page of the same scope."""
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE), BeforeValidator(_parse_digits)] = PAGE_SIZE
    """Pictures per page."""


def filter_query(filters: Mapping[str, str]) -> dict[str, str]:
    """The keys and values of a query with these filters."""
    reserved = PageQuery.model_fields
    return {
        f"{WISH_PREFIX}{name}" if name in reserved else name: value
        for name, value in filters.items()
    }


class MatrixQuery(Schema):
    rows: str = ""
    """An attribute. The default is the model's first."""
    columns: str = ""
    """An attribute. The default is the model's next."""


class TransitionQuery(Schema):
    a: Id
    """The first frame."""
    b: Id
    """The last frame."""
    frames: Annotated[int, Field(ge=2, le=MAX_FRAMES), BeforeValidator(_parse_digits)] = FRAMES
    """Number of frames, both faces included."""


class MorphQuery(Schema):
    ids: Annotated[
        list[Text],
        Field(json_schema_extra={"minItems": 2, "maxItems": MAX_MORPH}),
        BeforeValidator(lambda value: value.split(",") if isinstance(value, str) else value),
    ] = [""]
    """Ids of two to five pictures, separated by commas."""


class FindQuery(Schema):
    prompt: str = ""
    """As for painting. Attributes that it does not name are part of the search."""
    seed: SeedField | None = None
    """Random if missing."""
    choices: Annotated[str, Field(examples=["13.2"])] = ""
    """The faces that were chosen from each sheet so far: `13.2` is 1 and 3 of the first sheet, then
    2 of the second. At most three sheets."""
    model: str = ""
    """The default is the model in use."""


class ImageQuery(Schema):
    size: Annotated[ImageSize, BeforeValidator(_parse_digits)] | None = None
    """Pixels. Images are scaled down, never up. The default is the original size."""


class NamedFaceQuery(Schema):
    size: (
        Annotated[int, Field(ge=MIN_FACE_SIZE, le=MAX_FACE_SIZE), BeforeValidator(_parse_digits)]
        | None
    ) = None
    """Pixels. Faces are scaled down, never up. The default is the painted size."""


class WearQuery(Schema):
    name: str = ""
    """Whose face the page shows."""
    values: str = ""
    """As for painting."""


class PromptQuery(Schema):
    prompt: str = ""
    """As for painting."""


class PaintForm(Schema):
    """The form of the studio page; its other fields are the swatches."""

    model_config = ConfigDict(extra="ignore")

    prompt: str = ""
    seed: SeedField | None = None


# Responses


class Error(Schema):
    error: Annotated[str, Field(min_length=1)]


class Avatar(Schema):
    id: Id
    prompt: str
    """As typed by the visitor: untrusted text."""
    wish: Wish
    """The values that the prompt chose."""
    conditions: Wish
    """The wish, completed with random values."""
    seed: Seed
    model: str
    url: Address
    """The picture's page."""
    image_url: Address
    thumb_url: Address
    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]
    created: Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    favourites: Annotated[int, Field(ge=0)]
    parents: list[Id]
    """Ids of the pictures that it was made from, deleted ones included."""
    choices: str | None
    """The choices of the search by which it was found, and last the face itself; null for other
    pictures."""


class AvatarWithFamily(Avatar):
    parents: list[Avatar]  # type: ignore[assignment]  # whole pictures here, ids elsewhere
    """Public pictures that still exist."""
    children: list[Avatar]
    """The newest."""
    siblings: list[Avatar]
    """Pictures that share a parent with it, the newest."""
    favourite: bool
    """Whether it is one of the visitor's favorites."""
    own: bool
    """Whether the visitor may delete it."""


class Page(Schema):
    avatars: list[Avatar]
    older: str | None
    """A cursor, or null on the last page."""
    newer: str | None
    """A cursor, or null on the first page."""
    count: Annotated[int, Field(ge=0)]
    """Public pictures that match the filter."""


class MinePage(Schema):
    avatars: list[Avatar]
    older: str | None
    """A cursor, or null on the last page."""
    newer: str | None
    """A cursor, or null on the first page."""


class Face(Schema):
    conditions: Wish


class Sheet(Schema):
    prompt: str
    """The wish in short form."""
    wish: Wish
    seed: Seed
    model: str
    choices: str
    round: Annotated[int, Field(ge=1, le=ROUNDS)]
    """Number of this sheet."""
    rounds: Annotated[int, Field(ge=1)]
    """Number of sheets of a whole search."""
    faces: list[Face]
    image_url: Address
    """The strip of these faces."""


class Cell(Schema):
    count: Annotated[int, Field(ge=1)]
    id: Id
    """The newest picture with these two values."""
    url: Address
    thumb_url: Address


class Matrix(Schema):
    rows: str
    columns: str
    cells: dict[str, dict[str, Cell]]
    """Cells by row value and column value; empty cells are left out."""


class Directions(Schema):
    shape: Shape
    """The picture's positions on all directions of its model; empty if it has none."""


class Compared(Schema):
    agreement: Agreement
    """`same` if all pixels are equal, `near` if they differ as pictures of different processors
    and upscalers do."""
    largest_difference: Annotated[int, Field(ge=0, le=255)]
    """Of two values, which are 0 to 255."""
    mean_difference: Annotated[float, Field(ge=0, le=255)]


class Opened(Compared):
    avatar: Avatar
    repainted: bool
    """Whether the picture was not stored any more, and was painted again."""
    changed: list[str]
    """Parts of the file's recipe that are not the picture's."""
    message: str
    """What was found, in the language of Accept-Language."""


class Proof(Compared):
    same_file: bool
    """Whether the bytes of the files are equal, too."""


class Favorite(Schema):
    favourite: bool
    """Whether it is one of the visitor's favorites now."""
    favourites: Annotated[int, Field(ge=0)]
    """How many people have it as a favorite."""


class Prompt(Schema):
    wish: Wish
    shape: Shape
    prompt: str
    """The wish in short form, with the traits that shape the face."""
    unused: list[str]
    """Words that describe something that the model does not know."""


class Queue(Schema):
    before: Annotated[int, Field(ge=0)]
    """Pictures that are painted before the visitor's next one; 0 if none of the visitor's is
    waiting."""


class Liveness(Schema):
    ok: bool


class Health(Schema):
    ok: bool
    model: str
    error: str = ""
    """Why pictures cannot be painted or stored."""


Facets = TypeAliasType(
    "Facets",
    Annotated[
        dict[str, dict[str, Annotated[int, Field(ge=0)]]],
        Field(description="Number of pictures, by attribute and value."),
    ],
)

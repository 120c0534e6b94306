"""Tasks of pending replies: a tagged union, validated when it is read from the database.

`kind` is stored in the column `work`, the other fields as JSON in `given`. Later versions must read
them, so fields keep their names.
"""

import base64
import secrets
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, TypeAdapter

SEEDS = 2**32  # seeds are unsigned 32-bit numbers
VARIATIONS = 9  # pictures that VariationsTask paints

Seed: TypeAlias = Annotated[int, Field(ge=0, lt=SEEDS)]


class BaseTask(BaseModel):
    """`pictures` is the number of pictures that the task counts as."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def pictures(self) -> int:
        return 1

    def with_seed(self) -> Self:
        """The task with a random seed if it takes one and has none, so that it paints the same
        pictures whenever it runs.
        """
        if "seed" not in type(self).model_fields or getattr(self, "seed", None) is not None:
            return self
        return self.model_copy(update={"seed": secrets.randbelow(SEEDS)})

    def arguments(self) -> dict[str, Any]:
        """All fields but `kind`, as JSON."""
        return self.model_dump(mode="json", exclude={"kind"})


class CreateTask(BaseTask):
    kind: Literal["create"] = "create"
    wish: dict[str, str]
    count: Annotated[int, Field(ge=1)] = 1
    seed: Seed | None = None
    size: int | None = None
    private: bool = False
    prompt: str | None = None

    @property
    def pictures(self) -> int:
        return self.count


class AgainTask(BaseTask):
    kind: Literal["again"] = "again"
    id: str
    seed: Seed | None = None
    private: bool = False


class RecolorTask(BaseTask):
    kind: Literal["recolour"] = "recolour"
    id: str
    wish: dict[str, str]
    private: bool = False


class ShapeTask(BaseTask):
    """`shape` has positions on the model's directions, from -1 to 1, by name."""

    kind: Literal["shape"] = "shape"
    id: str
    shape: dict[str, float]
    private: bool = False


class VariationsTask(BaseTask):
    kind: Literal["variations"] = "variations"
    id: str
    seed: Seed | None = None
    private: bool = False

    @property
    def pictures(self) -> int:
        return VARIATIONS


class MixTask(BaseTask):
    kind: Literal["mix"] = "mix"
    a: str
    b: str
    seed: Seed | None = None
    size: int | None = None
    private: bool = False


class PortraitTask(BaseTask):
    """`member` is the key of an owner."""

    kind: Literal["me"] = "me"
    member: str
    size: int | None = None
    private: bool = False


class RepaintTask(BaseTask):
    """`file` is a PNG with its recipe."""

    kind: Literal["repaint"] = "repaint"
    file: Base64Bytes = Field(repr=False)
    private: bool = False

    @classmethod
    def of(cls, file: bytes, *, private: bool) -> Self:
        return cls(file=base64.b64encode(file), private=private)


class MorphTask(BaseTask):
    kind: Literal["morph"] = "morph"
    ids: tuple[str, ...]
    format: Literal["webp", "gif"] = "webp"
    size: int | None = None
    limit_bytes: int


class FindTask(BaseTask):
    """The first sheet of a search with the model in use."""

    kind: Literal["find"] = "find"
    wish: dict[str, str]
    seed: Seed | None = None


class GuessTask(BaseTask):
    """A question of `/guess`, with the model in use."""

    kind: Literal["guess"] = "guess"
    seed: Seed | None = None


class AdoptTask(BaseTask):
    """`choices` are as in `db.records.Avatar`."""

    kind: Literal["adopt"] = "adopt"
    model: str
    wish: dict[str, str]
    seed: Seed
    choices: str
    size: int | None = None
    private: bool = False


PictureTask: TypeAlias = (
    CreateTask
    | AgainTask
    | RecolorTask
    | ShapeTask
    | VariationsTask
    | MixTask
    | PortraitTask
    | AdoptTask
    | RepaintTask
)
Task: TypeAlias = PictureTask | MorphTask | FindTask | GuessTask

_adapter: TypeAdapter[Task] = TypeAdapter(Annotated[Task, Field(discriminator="kind")])


def parse_task(kind: str, arguments: Mapping[str, Any]) -> Task:
    """Raises pydantic.ValidationError for an unknown kind, and for wrong or missing arguments."""
    return _adapter.validate_python({**arguments, "kind": kind})

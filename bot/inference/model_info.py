"""What the engine and the studio know of a loaded model, wherever it is loaded."""

from dataclasses import dataclass, fields
from typing import Self

from export.directions import Directions
from export.manifest import Manifest


@dataclass(eq=False)
class ModelInfo:
    """`sizes` are the widths of pictures in pixels: the generator's, and with an upscaler two and
    four times that. `candidates` is the number of candidates per picture; 1 without a scorer.
    `provider` is the name that ONNX Runtime has for the device.
    """

    name: str
    manifest: Manifest
    directions: Directions
    provider: str
    sizes: tuple[int, ...]
    has_scorer: bool
    candidates: int
    upscaled_at_once: int

    def size_up_to(self, limit: int) -> int:
        """The largest size of at most `limit` pixels, or the smallest size if all are larger."""
        return max((size for size in self.sizes if size <= limit), default=self.sizes[0])

    @classmethod
    def of(cls, model: Self) -> "ModelInfo":
        """A copy without what a subclass adds, which can be sent to another process."""
        return ModelInfo(**{field.name: getattr(model, field.name) for field in fields(ModelInfo)})

"""The slow morph that the web page shows before a visitor has painted anything."""

import asyncio
from dataclasses import dataclass

from bot.inference.conditions import complete_wish
from bot.inference.engine import Engine
from bot.inference.model_info import ModelInfo
from bot.studio.images import strip
from bot.studio.morph_file import Pace, encode, plan_frames
from bot.studio.painter import candidates_for

SEEDS = (31, 4, 26)  # of its faces
SIZE = 256  # pixels at most
PACE = Pace(frame_ms=110, hold_ms=1800, steps=13)
MAX_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Welcome:
    """A looping WebP, and its first face alone for visitors who prefer reduced motion."""

    model: str
    morph: bytes
    still: bytes


class WelcomeService:
    """The morph is painted once for each model and kept in memory: visitors cost nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._painted: Welcome | None = None
        self._lock = asyncio.Lock()

    async def morph(self) -> Welcome:
        """The morph of the model in use. Raises Busy, ModelUnavailable."""
        async with self._lock:  # concurrent visitors must not paint it twice
            model = self._engine.model
            if self._painted is None or self._painted.model != model.name:
                self._painted = await self._paint(model)
            return self._painted

    async def _paint(self, model: ModelInfo) -> Welcome:
        # The first candidate of each seed: choosing among more would need a scorer.
        latents = candidates_for(model, SEEDS)[:, 0]
        conditions = [
            model.manifest.encode(complete_wish({}, seed, model.manifest)) for seed in SEEDS
        ]
        plan = plan_frames([*latents], conditions, PACE)
        size = model.size_up_to(SIZE)
        images = await self._engine.paint(
            plan.latents, plan.conditions, model, size=size, user="welcome"
        )
        morph = await asyncio.to_thread(encode, plan, images, "webp", MAX_BYTES, ())
        return Welcome(model.name, morph.data, await asyncio.to_thread(strip, images[:1]))

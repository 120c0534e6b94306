"""Members' faces, which `/me` shows, without storing them."""

from collections.abc import Sequence

import numpy as np

from bot.inference.conditions import complete_wish
from bot.inference.engine import Engine
from bot.studio.painter import candidates_for, seed_of
from db.records import Owner

USER = "community"  # of the engine's fair queue


async def paint_faces(engine: Engine, members: Sequence[Owner], size: int) -> np.ndarray:
    """uint8 [n, S, S, 3] RGB by the model in use, S at most `size` if the model can paint that.

    Raises Busy, ModelUnavailable.
    """
    model = engine.model
    seeds = [seed_of(f"{member.kind}:{member.key}") for member in members]
    images, _ = await engine.paint_best(
        candidates_for(model, seeds),
        np.stack([model.manifest.encode(complete_wish({}, s, model.manifest)) for s in seeds]),
        model,
        size=model.size_up_to(size),
        user=USER,
    )
    return images

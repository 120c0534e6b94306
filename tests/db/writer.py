"""Adds avatars until it is killed: `writer.py URL`.

Prints `opening` before it opens the store, then a line `shown ID SHA256` for every stored avatar.
"""

import asyncio
import hashlib
import random
import sys

import numpy as np

from db.records import NewAvatar, Owner
from db.store import Store


async def add_avatars(store: Store, worker: int) -> None:
    rng = random.Random(worker)
    while True:
        pictures = [rng.randbytes(rng.choice([300, 8_000, 120_000])) for _ in range(worker)]
        batch = [
            NewAvatar(
                owner=Owner("discord", str(worker), "Ann"),
                guild="1",
                channel="2",
                private=False,
                model="faces",
                seed=rng.randrange(2**32),
                prompt="",
                wish={},
                conditions={"hair": "pink"},
                latent=np.zeros(8, np.float32),
                condition=np.ones(1, np.float32),
                parents=(),
                picture=picture,
                format="png",
                width=64,
                height=64,
            )
            for picture in pictures
        ]
        added = await store.avatars.add(batch)
        for avatar, picture in zip(added, pictures, strict=True):
            print("shown", avatar.id, hashlib.sha256(picture).hexdigest(), flush=True)


async def main(url: str) -> None:
    print("opening", flush=True)
    store = await Store.open(url)
    await asyncio.gather(*(add_avatars(store, worker) for worker in (1, 2, 3)))


asyncio.run(main(sys.argv[1]))

"""Fills a SQLite database with many synthetic pictures.

Values have the frequencies of the training data. A twentieth of the pictures is private, a
twentieth deleted, a tenth has favorites, a third has parents.
"""

import io
import json
import sqlite3
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import Image

from db.avatar_rows import NOBODY
from db.records import Owner
from export.manifest import Manifest

MANY, FORGOTTEN = Owner("discord", "1", "Ann"), Owner("discord", "2", "Ben")
OWNERS = MANY, FORGOTTEN, NOBODY  # their keys are 1, 2 and 3
CHUNK = 50_000  # pictures written at once


def fill(path: Path, manifest: Manifest, count: int) -> list[str]:
    """Fills the database; returns the public ids, newest first. Indices are created at the end,
    which is faster.
    """
    rng = np.random.RandomState(0)
    file = io.BytesIO()
    Image.linear_gradient("L").resize((64, 64)).convert("RGB").save(file, "PNG")
    picture = file.getvalue()
    latents = [rng.standard_normal(manifest.latent_dim).astype("<f4").tobytes() for _ in range(64)]
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ")
    drawn = [
        rng.choice(len(a.values), count, p=np.divide(a.frequencies, sum(a.frequencies)))
        for a in manifest.attributes
    ]
    private, deleted, forgotten = (rng.random_sample(count) < p for p in (0.05, 0.05, 0.095))
    favorites = np.where(rng.random_sample(count) < 0.1, rng.randint(1, 41, count), 0)
    owners = np.where(deleted, 3, np.where(forgotten, 2, 1))
    has_parents = ~deleted & (np.arange(count) > 100) & (rng.random_sample(count) < 1 / 3)
    back = rng.randint(1, 101, (count, 2))
    conditions: dict[tuple[int, ...], tuple[str, bytes, str]] = {}

    def of(number: int) -> tuple[str, bytes, str]:
        chosen = tuple(int(d[number]) for d in drawn)
        if chosen not in conditions:
            pairs = zip(manifest.attributes, chosen, strict=True)
            wish = {a.name: a.values[value] for a, value in pairs}
            encoded = manifest.encode(wish).tobytes()
            conditions[chosen] = json.dumps(wish), encoded, json.dumps(wish, sort_keys=True)
        return conditions[chosen]

    def avatar(number: int) -> tuple[object, ...]:
        text, encoded, _ = of(number)
        return (
            *(number + 1, _id(number), now, int(owners[number]), bool(private[number])),
            *(manifest.name, number, text, text, latents[number % 64], encoded, len(picture)),
            *(f"{number:064x}", now if deleted[number] else None, int(favorites[number])),
        )

    with sqlite3.connect(path) as database:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -500000"):
            database.execute(f"PRAGMA {pragma}")
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        indices = database.execute(query).fetchall()
        for name, _ in indices:
            database.execute(f"DROP INDEX {name}")
        for number, owner in enumerate(OWNERS, 1):
            owned = (number, owner.kind, owner.key, owner.name)
            database.execute("INSERT INTO owners VALUES (?, ?, ?, ?)", owned)
        for start in range(0, count, CHUNK):
            numbers = range(start, min(start + CHUNK, count))
            database.executemany(
                "INSERT INTO avatars (id, public_id, created, owner_id, private, model, seed, wish,"
                " conditions, latent, condition, bytes, sha256, deleted_at, favourites, prompt,"
                " format, width, height)"
                " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,'pink hair','png',64,64)",
                map(avatar, numbers),
            )
            database.executemany(
                "INSERT INTO pictures VALUES (?, ?)", ((number + 1, picture) for number in numbers)
            )
            database.executemany(
                "INSERT INTO avatar_parents VALUES (?, ?, ?)",
                (
                    (number + 1, place, _id(number - int(back[number, place])))
                    for number in numbers
                    if has_parents[number]
                    for place in range(2)
                ),
            )
        for attribute, values in zip(manifest.attributes, drawn, strict=True):
            for index in sorted(range(len(attribute.values)), key=lambda i: attribute.values[i]):
                key = attribute.name, attribute.values[index]
                having = np.flatnonzero((values == index) & ~deleted)
                rows = ((*key, int(number) + 1) for number in having)
                database.executemany("INSERT INTO avatar_values VALUES (?, ?, ?)", rows)
        public = np.flatnonzero(~private & ~deleted)
        counts: Counter[str] = Counter()
        newest: dict[str, int] = {}
        for number in map(int, public):
            colors = of(number)[2]
            counts[colors] += 1
            newest[colors] = number + 1
        database.executemany(
            "INSERT INTO colours VALUES (?, ?, ?)",
            ((colors, counts[colors], newest[colors]) for colors in counts),
        )
        for _, sql in indices:
            database.execute(sql)
    database.close()
    return [_id(int(number)) for number in public[::-1]]


def _id(number: int) -> str:
    return f"{number:08x}"  # real ids have no 0 or a

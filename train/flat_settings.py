"""Reads the flat section `[train]` of version 0.2, which had no nested sections."""

from typing import Any

SECTION_OF = {
    "network": ("resolution", "width", "latent_dim"),
    "objective": (
        *("class_weight", "diversity_weight", "unseen_every", "penalty", "penalty_every"),
    ),
    "optimizer": (*("batch", "group", "learning_rate", "beta1", "beta2", "anneal", "ema_images"),),
}
LINEAGE = {
    # Keys of the classical recipes, and the value of the default recipe in version 0.2.
    "generator": "irodori",
    "discriminator": "irodori",
    "discriminator_norm": "none",
    "blocks": 16,
    "latent_deviation": 1.0,
    "conditioning": "projection",
    "heads": "linear",
    "loss": "relativistic",
    "margin": 0.0,
    "pulling_away": 0.0,
    "reconstruction_weight": 0.0,
    "penalty_kind": "zero-centred",
    "clip": 0.0,
    "optimiser": "adam",
    "augmentation": "flip-and-shift",
    "updates": "simultaneous",
    "discriminator_steps": 1,
    "first_stage": 0.5,
}
RENAMED_KEYS = {"optimiser": "optimizer"}
RENAMED_VALUES = {"zero-centred": "zero-centered"}


def nest(table: dict[str, Any]) -> dict[str, Any]:
    """Moves the keys of a flat `[train]` of version 0.2 into their sections.

    Keys of the classical recipes are dropped if they have the value of the default recipe.
    """
    flat = {key for keys in SECTION_OF.values() for key in keys} | LINEAGE.keys()
    if not any(key in flat for key in table):
        return table
    result = {key: value for key, value in table.items() if key not in flat}
    for section, keys in SECTION_OF.items():
        moved = {key: table[key] for key in keys if key in table}
        if moved:
            result[section] = moved | dict(result.get(section) or {})
    classical = {
        RENAMED_KEYS.get(key, key): RENAMED_VALUES.get(table[key], table[key])
        for key, default in LINEAGE.items()
        if key in table and table[key] != default and key != "updates"
    }
    if classical:
        result["lineage"] = classical | dict(result.get("lineage") or {})
    return result

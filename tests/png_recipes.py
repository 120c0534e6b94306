"""Recipes in PNGs, for tests that compare delivered pictures with stored ones."""

HEADER = 33  # bytes: the signature and the first chunk


def without_recipe(png: bytes) -> bytes:
    """The file as it is stored; the chunk with the recipe follows the header, if there is one."""
    if png[HEADER + 4 : HEADER + 8] != b"tEXt":
        return png
    length = int.from_bytes(png[HEADER : HEADER + 4], "big")
    return png[:HEADER] + png[HEADER + 12 + length :]

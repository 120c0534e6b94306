"""Migrations of the schema: one module per step in `versions/`, run in order when a store opens.

To add a step, copy the last one, set `revision` to the next number and `down_revision` to the last.
`tests/db/test_migrations.py` prints the remaining differences from `db/schema.py`.
"""

"""The schema's history: `versions/` has one module for each step, run in order when a store opens.

A new step is a copy of the last one with the next number as `revision` and the last one as
`down_revision`; `tests/db/test_migrations.py` prints what still differs from `db/schema.py`.
"""

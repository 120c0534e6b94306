"""Counts of public avatars by conditions, as arrays: fast sums over many combinations of values."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

INITIAL_ROWS = 256


class CountTable:
    """One row per combination of values, with the number of its public avatars and the key of the
    newest one. A model with 3 attributes of 40 values each has up to 64,000 combinations; a sum
    over them takes about a millisecond.
    """

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}  # by the JSON text of the conditions
        self._counts = np.zeros(INITIAL_ROWS, np.int64)
        self._newest = np.zeros(INITIAL_ROWS, np.int64)
        # by attribute: the number of each row's value, or -1, and the numbers by value
        self._columns: dict[str, np.ndarray] = {}
        self._values: dict[str, dict[str, int]] = {}

    def without_counts(self) -> "CountTable":
        """A table with the same combinations, whose counts are 0. Setting their counts is faster
        than in an empty table, because their texts are not parsed again.
        """
        table = CountTable()
        table._rows = dict(self._rows)
        table._counts, table._newest = np.zeros_like(self._counts), np.zeros_like(self._newest)
        table._columns = {name: column.copy() for name, column in self._columns.items()}
        table._values = {name: dict(values) for name, values in self._values.items()}
        return table

    def set(self, rows: Iterable[tuple[str, int, int]]) -> None:
        """Sets counts and newest keys by the JSON texts of the conditions."""
        for text, count, newest in rows:
            row = self._rows.get(text)
            if row is None:
                row = self._append(text)
            self._counts[row], self._newest[row] = count, newest

    def count(self, wish: Mapping[str, str]) -> int:
        """Number of public avatars with these values."""
        return int(self._counts[: len(self._rows)][self._matching(wish)].sum())

    def count_values(self, attribute: str, wish: Mapping[str, str]) -> dict[str, int]:
        """value -> number of public avatars that have it and match the wish."""
        if attribute not in self._columns:
            return {}
        numbers = self._column(attribute)
        matching = self._matching(wish) & (numbers >= 0)
        counts = self._counts[: len(self._rows)][matching]
        values = self._values[attribute]
        # the sums are exact: they are far below 2^53
        sums = np.bincount(numbers[matching], counts, len(values)).astype(int)
        return {value: int(sums[number]) for value, number in values.items() if sums[number]}

    def count_pairs(self, a: str, b: str) -> dict[tuple[str, str], tuple[int, int]]:
        """(value of `a`, value of `b`) -> number of public avatars with both, and the key of the
        newest one.
        """
        if a not in self._columns or b not in self._columns:
            return {}
        first, second = self._column(a), self._column(b)
        present = (first >= 0) & (second >= 0) & (self._counts[: len(self._rows)] > 0)
        shape = len(self._values[a]), len(self._values[b])
        pairs = np.ravel_multi_index((first[present], second[present]), shape)
        counts = np.bincount(pairs, self._counts[: len(self._rows)][present], shape[0] * shape[1])
        newest = np.zeros(shape[0] * shape[1], np.int64)
        np.maximum.at(newest, pairs, self._newest[: len(self._rows)][present])
        values_a, values_b = list(self._values[a]), list(self._values[b])
        found = {}
        for pair in np.flatnonzero(counts):
            i, j = divmod(int(pair), shape[1])
            found[values_a[i], values_b[j]] = int(counts[pair]), int(newest[pair])
        return found

    def _append(self, text: str) -> int:
        row = self._rows[text] = len(self._rows)
        if row == len(self._counts):
            self._counts = _doubled(self._counts, 0)
            self._newest = _doubled(self._newest, 0)
            self._columns = {name: _doubled(c, -1) for name, c in self._columns.items()}
        conditions: dict[str, str] = json.loads(text)
        for attribute, value in conditions.items():
            if attribute not in self._columns:
                self._columns[attribute] = np.full(len(self._counts), -1, np.int32)
            values = self._values.setdefault(attribute, {})
            self._columns[attribute][row] = values.setdefault(value, len(values))
        return row

    def _matching(self, wish: Mapping[str, str]) -> np.ndarray:
        """bool [rows]: rows that have all these values."""
        matching = np.ones(len(self._rows), bool)
        for attribute, value in wish.items():
            number = self._values.get(attribute, {}).get(value)
            if number is None:
                return np.zeros(len(self._rows), bool)
            matching &= self._column(attribute) == number
        return matching

    def _column(self, attribute: str) -> np.ndarray:
        return self._columns[attribute][: len(self._rows)]


def _doubled(array: np.ndarray, fill: int) -> np.ndarray:
    more: np.ndarray[Any, Any] = np.full(len(array), fill, array.dtype)
    return np.concatenate([array, more])

"""Rows of an array in several files, of which a new generation shares all but the last with the one before.

Rewriting every sentence's vector for one edited post would be most of the work. A file is therefore taken
over as it is, rows that nobody uses any more included, and the new rows stand in a file of their own; when
too much is unused, everything is written anew.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Written anew when the rows in use are less than this share of all, or there are as many files.
_FULL, _FILES = 0.7, 24


class Segments:
    """An array whose rows stand one after another in several files, mapped into memory.

    Args:
        paths: The files, in the order of their rows.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)
        self._parts: list[NDArray[Any]] = [np.load(path, mmap_mode="r") for path in paths]
        self._starts = np.cumsum([0, *(len(part) for part in self._parts)])
        self.size = int(self._starts[-1])

    def run(self, low: int, count: int) -> NDArray[Any]:
        """Some rows that were written together."""
        part = int(np.searchsorted(self._starts, low, "right")) - 1
        start = low - int(self._starts[part])
        found: NDArray[Any] = self._parts[part][start : start + count]
        return found

    def take(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Rows by their numbers, in the order asked for."""
        if len(self._parts) == 1:
            only: NDArray[Any] = self._parts[0][rows]
            return only
        out = np.empty((len(rows), *self._parts[0].shape[1:]), self._parts[0].dtype)
        where = np.searchsorted(self._starts, rows, "right") - 1
        for part in np.unique(where).tolist():
            mine = where == part
            out[mine] = self._parts[part][rows[mine] - self._starts[part]]
        return out


def roomy(previous: Segments, used: int, fresh: int) -> bool:
    """Whether rows may be added beside those of a generation, of which so many stay in use."""
    return len(previous.paths) < _FILES and used + fresh >= _FULL * (previous.size + fresh)


def take_over(path: Path, to: Path, spare: Path | None = None) -> None:
    """Have a file of another generation in this one too, without writing it.

    Args:
        path: The file of the generation before.
        to: Where it is to be.
        spare: An equal file of an older generation, which is taken instead: see `part`.
    """
    other = spare if spare is not None and not spare.samefile(path) else path
    try:
        os.link(other, to)
    except OSError:  # a file system without hard links
        shutil.copyfile(other, to)


def part(older: Path, newer: Path) -> None:
    """Give an older generation a file of its own where it shares one with the generation after it.

    One accident on disk would else spoil both. It is done when the newer one is served already; the one after
    it then shares files with the older one.
    """
    if not older.samefile(newer):
        return
    partial = older.with_name(f".{older.name}.partial")
    shutil.copyfile(newer, partial)
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(older)

"""Cleaning steps about columns as a whole: rename, drop, normalise_names."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from airpy.engine.columns import Columns, inner, repeated
from airpy.engine.native_values import ACCENTS
from airpy.errors import InvalidPlan, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airpy.contract import Drop, NormaliseNames, Rename
    from airpy.engine.columns import Frame

__all__ = ["drop", "normalise_names", "normalised", "rename"]

NAMELESS = "column"
"""What a name becomes that has neither letters nor digits."""


def rename(frame: Frame, step: Rename, field: str) -> Frame:
    """With some columns under other names, all at once: two may swap theirs."""
    columns = Columns(frame)
    for old in step.names:
        columns.name(old, f"{field}.names")
    names = {name: step.names.get(name, name) for name in columns}
    if twice := repeated(names.values()):
        raise InvalidPlan(
            f"there would be two columns called {listed(twice)}",
            field=f"{field}.names",
            constraint="names that no other column has",
        )
    return _renamed(frame, names)


def drop(frame: Frame, step: Drop, field: str) -> Frame:
    """Without some columns."""
    columns = Columns(frame)
    names = columns.names(dict.fromkeys(step.cols), f"{field}.cols")
    if len(names) == len(list(columns)):
        raise InvalidPlan(
            "no column would be left",
            field=f"{field}.cols",
            constraint="some of the columns, not all",
        )
    return frame.drop(names)


def normalise_names(frame: Frame, _step: NormaliseNames, _field: str) -> Frame:
    """With every column under a plain name."""
    return _renamed(frame, normalised(Columns(frame)))


def normalised(names: Iterable[str]) -> dict[str, str]:
    """By name, the plain one it becomes: no two are the same, and the first of several keeps it.

    Of small letters, digits and `_`, which stands for whatever is between them. `ß` is `ss`; a letter
    that has no plain one, as `ø`, stays.
    """
    plain = {name: _plain(name) for name in names}
    first: dict[str, str] = {}
    for name, wanted in plain.items():
        first.setdefault(wanted, name)
    taken = set(first)
    unique: dict[str, str] = {}
    for name, wanted in plain.items():
        new, number = wanted, 1
        while first[wanted] != name and new in taken:
            number += 1
            new = f"{wanted}_{number}"
        taken.add(new)
        unique[name] = new
    return unique


def _plain(name: str) -> str:
    bare = re.sub(ACCENTS, "", unicodedata.normalize("NFKD", name.casefold()))
    letters = unicodedata.normalize("NFC", bare).casefold()
    words = "".join(letter if _is_kept(letter) else " " for letter in letters).split()
    return "_".join(words) or NAMELESS


def _is_kept(letter: str) -> bool:
    # The vowel signs of some scripts are marks.
    return letter.isalnum() or unicodedata.category(letter).startswith("M")


def _renamed(frame: Frame, names: dict[str, str]) -> Frame:
    return frame.rename({inner(old): inner(new) for old, new in names.items() if old != new})

"""Turns columns into rows, and rows into columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airpy.contract import Pivot, Unpivot
    from airpy.engine.columns import Frame

__all__ = ["exploded", "pivoted", "unpivoted"]


def unpivoted(frame: Frame, unpivot: Unpivot) -> Frame:
    """To be written."""
    raise NotImplementedError


def exploded(frame: Frame, names: Sequence[str]) -> Frame:
    """To be written."""
    raise NotImplementedError


def pivoted(frame: Frame, pivot: Pivot) -> Frame:
    """To be written."""
    raise NotImplementedError

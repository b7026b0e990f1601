"""Window functions: a table from name to expression."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airpy.contract import Window
    from airpy.engine.columns import Frame

__all__ = ["windowed"]


def windowed(frame: Frame, items: Sequence[Window]) -> Frame:
    """To be written."""
    if items:
        raise NotImplementedError
    return frame

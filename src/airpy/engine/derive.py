"""Derived columns: a table from function to expression."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from airpy.contract import Derivation
    from airpy.engine.columns import Frame

__all__ = ["derived"]


def derived(frame: Frame, items: Sequence[Derivation], timezone: ZoneInfo) -> Frame:
    """To be written."""
    if items:
        raise NotImplementedError
    return frame

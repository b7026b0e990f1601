"""The greatest rows, and what is left of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airpy.contract import TopN
    from airpy.engine.columns import Frame

__all__ = ["topmost"]


def topmost(frame: Frame, top: TopN) -> Frame:
    """To be written."""
    if top:
        raise NotImplementedError
    return frame

"""Rows of several data sets, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airpy.contract import UnionedDataset
    from airpy.engine.columns import Frame

__all__ = ["unioned"]


def unioned(frame: Frame, others: Sequence[Frame], items: Sequence[UnionedDataset]) -> Frame:
    """To be written."""
    if items:
        raise NotImplementedError
    return frame

"""Rows taken by chance, the same for the same data and seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airpy.contract import Sample
    from airpy.engine.columns import Frame

__all__ = ["sampled"]


def sampled(frame: Frame, sample: Sample) -> Frame:
    """To be written."""
    if sample:
        raise NotImplementedError
    return frame

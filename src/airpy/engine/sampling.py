"""Rows taken by chance, the same for the same data and seed; in native Polars.

A row's chance is made of its place and the seed alone, by SplitMix64, which gives no two places the same.
So it depends neither on how the rows are cut into pieces nor on what else is computed, and a sample of more
rows has those of a smaller one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw
import polars as pl

from airpy.errors import InvalidPlan

if TYPE_CHECKING:
    from airpy.contract import Sample
    from airpy.engine.columns import Frame

__all__ = ["check_sample", "sampled"]

ROW, CHANCE = "\0row", "\0chance"
CHANCES = 2**64

GOLDEN = 0x9E3779B97F4A7C15
ROUNDS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1))
"""How far bits are mixed down, and what they are multiplied by then; all modulo 2⁶⁴."""


def check_sample(sample: Sample, field: str) -> None:
    """Refuse a sample that says nothing of its size, or two things.

    Raises:
        InvalidPlan: It does.
    """
    if (sample.n is None) == (sample.fraction is None):
        raise InvalidPlan(
            "a sample takes either so many rows or such a fraction of them",
            field=field,
            constraint="exactly one of: n, fraction",
        )


def sampled(frame: Frame, sample: Sample) -> Frame:
    """Some of the rows, in their order; all where there are no more than wanted."""
    native = frame.to_native()
    names = native.collect_schema().names()
    # Seeds are mixed too, so that neighbours among them have nothing in common.
    start = _mixed(_word(GOLDEN + sample.seed))
    chance = _mixed(start + pl.col(ROW).cast(pl.UInt64) * _word(GOLDEN))
    chances = native.with_row_index(ROW).with_columns(chance.alias(CHANCE))
    if sample.n is not None:
        taken = chances.sort(CHANCE).head(sample.n).sort(ROW)
    elif sample.fraction is not None and sample.fraction < 1:
        taken = chances.filter(pl.col(CHANCE) < _word(int(sample.fraction * CHANCES)))
    else:
        return frame
    return nw.from_native(taken.select(*names))


def _mixed(bits: pl.Expr) -> pl.Expr:
    for shift, factor in ROUNDS:
        bits = (bits ^ (bits // _word(2**shift))) * _word(factor)
    return bits


def _word(number: int) -> pl.Expr:
    return pl.lit(number, dtype=pl.UInt64)

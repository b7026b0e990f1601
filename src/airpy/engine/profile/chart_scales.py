"""How fine charts are: the grain of their times, and the width of their bins."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from airpy.engine.profile.chart_columns import bounds, time_range
from airpy.engine.units import read_grain

if TYPE_CHECKING:
    from airpy.contract import ColumnMetrics

__all__ = ["MOST_POINTS", "bucket", "finest_grain", "width_of_bins"]

MOST_POINTS = 2_000
MINUTE, HOUR, DAY = 60, 3_600, 86_400
GRAINS = (
    ("1 second", 1, 1),
    ("1 minute", MINUTE, MINUTE),
    ("15 minutes", 15 * MINUTE, 15 * MINUTE),
    ("1 hour", HOUR, HOUR),
    ("6 hours", 6 * HOUR, 6 * HOUR),
    ("1 day", DAY, DAY),
    ("1 week", 7 * DAY, 7 * DAY),
    ("1 month", 28 * DAY, 31 * DAY),
    ("1 quarter", 90 * DAY, 92 * DAY),
    ("1 year", 365 * DAY, 366 * DAY),
)
"""Grains, the finest first, with the least and the most seconds of a bucket."""
WHOLE_IN = {
    "minute": MINUTE,
    "hour": HOUR,
    "day": DAY,
    "week": 7 * DAY,
    "month": 31 * DAY,
    "quarter": 92 * DAY,
    "year": 366 * DAY,
}
"""How far apart times are at most that are whole in a unit, and next to one another."""
EVEN = 10
"""A bucket of so many steps of the data holds about as many values as the next."""
RESOLUTION = 1e-12
"""Numbers whose range is a lesser share of them are one to a bin's ends, which are floats."""
LEAST_RANGE = 1e-290


def bucket(grain: str) -> str:
    """What a column of the grain's buckets is called: its unit."""
    return read_grain(grain).unit


def finest_grain(time: ColumnMetrics, series: int) -> str | None:
    """The finest grain by which so many lines have 2,000 points, and which is not finer than the data's step.

    A grain of few steps is a multiple of the step, so that its buckets hold as many values each. Where the
    step is unknown, it is the mean one.
    """
    length = time_range(time)
    if length is None:
        return None
    step = time.time.step_s if time.time is not None else None
    mean = length / ((time.unique or 2) - 1)
    least = max(step or mean, WHOLE_IN.get(time.time.finest or "", 0) if time.time is not None else 0)
    if time.type == "date":
        least = max(least, DAY)
    for grain, shortest, longest in GRAINS:
        is_even = not step or shortest >= DAY or longest % step == 0 or longest >= EVEN * step
        # The first and the last bucket may be cut.
        if longest >= least * (1 - 1e-9) and is_even and (length / shortest + 2) * series <= MOST_POINTS:
            return grain
    return None


def width_of_bins(number: ColumnMetrics, most: int) -> float | None:
    """The least of 1, 2 or 5 times a power of ten that cuts the number's range into so many bins at most.

    Nothing where the range is not known, or is too small to be cut.
    """
    low, high = bounds(number)
    if low is None or high is None:
        return None
    across = high - low
    if not LEAST_RANGE < across < math.inf or across < RESOLUTION * max(abs(low), abs(high)):
        return None
    # Bins begin at multiples of the width, so that the outer two are cut.
    least = across / (most - 2)
    if number.type.startswith(("int", "uint")):
        least = max(least, 1.0)
    power = math.floor(math.log10(least))
    # Read as decimals: a product with a power of ten would be off by a bit.
    widths = (float(f"{digit}e{power + tens}") for tens in (0, 1) for digit in (1, 2, 5))
    return next((width for width in widths if width >= least), None)

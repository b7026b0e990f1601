from __future__ import annotations

import polars as pl
import pytest

from airpy.engine.profile.ends import greatest_of, least_of


@pytest.mark.parametrize(
    ("dtype", "end", "least", "greatest"),
    [
        (pl.Int8, 1.5, 2, 1),
        (pl.Int8, -200.0, None, -128),
        (pl.Int8, 200.0, 127, None),
        (pl.UInt64, 2.0**64, 2**64 - 1, None),
        (pl.Float64, 0.1, 0.1, 0.1),
        (pl.Float32, 0.1, pytest.approx(0.1), pytest.approx(0.1)),
        (pl.Decimal(3, 1), 99.9, "99.9", "99.9"),
        (pl.Decimal(3, 1), 0.25, "0.3", "0.2"),
        (pl.Decimal(3, 1), -100.0, None, "-99.9"),
        (pl.Decimal(3, 1), 1e300, "99.9", None),
        (pl.Decimal(38, 38), 1.0, f"0.{'9' * 38}", None),
    ],
)
def test_an_end_is_the_next_value_that_the_type_has_or_none_where_all_lie_within(
    dtype: pl.DataType, end: float, least: object, greatest: object
) -> None:
    dtype = pl.Series(dtype=dtype).dtype

    assert (least_of(dtype, end), greatest_of(dtype, end)) == (least, greatest)


@pytest.mark.parametrize("places", [0, 10, 38])
def test_the_widest_decimals_end_where_their_digits_do(places: int) -> None:
    digits = f"{'9' * (38 - places) or '0'}{'.' if places else ''}{'9' * places}"
    dtype = pl.Decimal(38, places)

    # Just within the limit as a float, whose shortest digits are the limit's.
    assert least_of(dtype, float(digits)) == digits
    assert greatest_of(dtype, -float(digits)) == f"-{digits}"

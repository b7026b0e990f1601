"""Window functions in native Polars: a table from name to expression, and where each is computed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import narwhals as nw
import polars as pl

from airpy.engine.families import FLOATS, INTEGERS
from airpy.engine.operands import LONG, MOST_DIGITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from narwhals.dtypes import DType

    from airpy.contract import WindowFunction

__all__ = ["Call", "Over", "Rows", "Times", "ordered_times", "window"]

# Each by rows, and by times.
ROLLING: dict[str, tuple[Callable[..., pl.Expr], Callable[..., pl.Expr]]] = {
    "mean": (pl.Expr.rolling_mean, pl.Expr.rolling_mean_by),
    "sum": (pl.Expr.rolling_sum, pl.Expr.rolling_sum_by),
    "min": (pl.Expr.rolling_min, pl.Expr.rolling_min_by),
    "max": (pl.Expr.rolling_max, pl.Expr.rolling_max_by),
}


class Over(NamedTuple):
    """Where an expression is computed: in partitions, each in an order; names are inner ones."""

    partitions: list[str]
    order: list[str]
    """None: as the rows come."""
    descending: list[bool]
    nulls_last: list[bool]

    def __call__(self, expr: pl.Expr) -> pl.Expr:
        """The expression in each partition and in its order; rows that compare equal keep theirs."""
        if not self.order:
            return expr.over(self.partitions) if self.partitions else expr
        ways = set(zip(self.descending, self.nulls_last, strict=True))
        if len(ways) == 1:
            descending, nulls_last = ways.pop()
            return expr.over(
                self.partitions or None,
                order_by=self.order,
                descending=descending,
                nulls_last=nulls_last,
            )
        # Polars sorts all columns of a window one way; their places in a sort of all rows are one column.
        places = pl.arg_sort_by(
            self.order, descending=self.descending, nulls_last=self.nulls_last, maintain_order=True
        ).arg_sort()
        return expr.over(self.partitions or None, order_by=places)


class Rows(NamedTuple):
    """A frame of so many rows, the present one last; with fewer values there is no answer."""

    number: int = 1
    least: int = 1


class Times(NamedTuple):
    """A frame of a time up to that of the present row, as wide as Polars' letters say: `7d`."""

    times: pl.Expr
    width: str
    least: int


class Call(NamedTuple):
    """A function's arguments; `column` is null where there is none."""

    column: pl.Expr
    dtype: DType
    has_column: bool
    n: int
    rolling: Rows | Times
    peers: list[str]
    """The columns whose equal values share a rank."""
    over: Over


def ordered_times(column: str, dtype: DType, timezone: str) -> pl.Expr:
    """The column of dates or timestamps, as a range of days sees it: in the zone whose days they are."""
    times = pl.col(column)
    if isinstance(dtype, nw.Datetime):
        placed = times if dtype.time_zone else times.dt.replace_time_zone("UTC")
        return placed.dt.convert_time_zone(timezone)
    return times


def _row_number() -> pl.Expr:
    return pl.int_range(1, pl.len() + 1, dtype=pl.Int64)


def _new_peers(names: list[str]) -> pl.Expr:
    """Whether a row does not equal the one before it."""
    changes = [pl.col(name).ne_missing(pl.col(name).shift(1)) for name in names]
    return pl.any_horizontal(*changes) | (_row_number() == 1)


def _rank(call: Call) -> pl.Expr:
    return pl.when(_new_peers(call.peers)).then(_row_number()).forward_fill()


def _dense_rank(call: Call) -> pl.Expr:
    return _new_peers(call.peers).cast(pl.Int64).cum_sum()


def _ntile(call: Call) -> pl.Expr:
    """The first parts get the rows that are over."""
    row, rows = _row_number() - 1, pl.len().cast(pl.Int64)
    least, over = rows // call.n, rows % call.n
    in_long = row < over * (least + 1)
    return 1 + pl.when(in_long).then(row // (least + 1)).otherwise(over + (row - over * (least + 1)) // least)


def _summed(call: Call, total: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """A sum by `total`, of integers in 128 bits, so that none wraps round."""
    if isinstance(call.dtype, INTEGERS):
        target = pl.UInt64 if isinstance(call.dtype, nw.UInt64) else pl.Int64
        return total(call.column.cast(pl.Int128)).cast(target)
    if isinstance(call.dtype, FLOATS):
        return total(call.column.cast(pl.Float64))
    return total(call.column.cast(_decimal(call.dtype)))


def _extreme(call: Call, function: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """What `function` finds of the values but NaN."""
    return function(call.column.fill_nan(None) if isinstance(call.dtype, FLOATS) else call.column)


def _cum_count(call: Call) -> pl.Expr:
    return call.column.is_not_null().cast(pl.Int64).cum_sum() if call.has_column else _row_number()


def _rolled(call: Call, name: str, column: pl.Expr) -> pl.Expr:
    """The rolling function of that name, null where there are too few values."""
    by_rows, by_times = ROLLING[name]
    match call.rolling:
        case Rows(rows, least):
            return by_rows(column, rows, min_samples=least)
        case Times(times, width, least):
            # Polars' own least number of values does not hold for a range without any.
            values = column.is_not_null().cast(pl.Int64).rolling_sum_by(times, width, closed="right")
            return pl.when(values >= least).then(by_times(column, times, width, closed="right"))


def _rolling(name: str) -> Callable[[Call], pl.Expr]:
    def rolled(call: Call) -> pl.Expr:
        if name == "mean" and isinstance(call.dtype, FLOATS):
            return _rolled(call, name, call.column.cast(pl.Float64))
        if name == "mean":
            # The sum of integers and decimals is exact, and so divided but once.
            values = _rolled(call, "sum", call.column.is_not_null().cast(pl.Int64))
            whole = isinstance(call.dtype, INTEGERS)
            total = _rolled(call, "sum", call.column.cast(pl.Int128)) if whole else _rolling("sum")(call)
            return total.cast(pl.Float64) / values
        if isinstance(call.dtype, (nw.Decimal, *LONG)):
            return _of_digits(call, lambda digits: _rolled(call, name, digits))
        if name == "sum":
            return _summed(call, lambda column: _rolled(call, name, column))
        return _extreme(call, lambda column: _rolled(call, name, column))

    return rolled


def _of_digits(call: Call, function: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """What a function finds of decimals, for which Polars has it not, by way of their digits as integers."""
    target = _decimal(call.dtype)
    digits = function(call.column.cast(target).to_physical()).cast(pl.Decimal(MOST_DIGITS, 0))
    return digits * pl.lit(Decimal(1).scaleb(-target.scale), dtype=target)


def _decimal(dtype: DType) -> pl.Decimal:
    return pl.Decimal(MOST_DIGITS, dtype.scale if isinstance(dtype, nw.Decimal) else 0)


def _diff(call: Call) -> pl.Expr:
    column, dtype = call.column, call.dtype
    if isinstance(dtype, INTEGERS):
        return _change(column.cast(pl.Int128), call.n).cast(pl.Int64)
    if isinstance(dtype, nw.Datetime):
        ticks = column.cast(pl.Int64).cast(pl.Int128)
        return _change(ticks, call.n).cast(pl.Int64).cast(_duration(dtype))
    if isinstance(dtype, nw.Date):
        return _change(column, call.n).cast(pl.Duration("us"))
    return _change(column.cast(pl.Float64 if isinstance(dtype, FLOATS) else _decimal(dtype)), call.n)


def _duration(dtype: DType) -> pl.DataType:
    """The duration between timestamps of this type."""
    unit = dtype.time_unit if isinstance(dtype, nw.Datetime) else "us"
    return nw.Schema({"": nw.Duration(unit)}).to_polars()[""]


def _change(column: pl.Expr, n: int) -> pl.Expr:
    return column - column.shift(n)


def _pct_change(call: Call) -> pl.Expr:
    now = call.column.cast(pl.Float64)
    before = now.shift(call.n)
    return pl.when(before != 0).then((now - before) / before)


WINDOWS: dict[WindowFunction, Callable[[Call], pl.Expr]] = {
    "row_number": lambda _: _row_number(),
    "rank": _rank,
    "dense_rank": _dense_rank,
    "ntile": _ntile,
    "lag": lambda call: call.column.shift(call.n),
    "lead": lambda call: call.column.shift(-call.n),
    "cum_sum": lambda call: _summed(call, lambda column: column.cum_sum().forward_fill()),
    "cum_max": lambda call: _extreme(call, lambda column: column.cum_max().forward_fill()),
    "cum_min": lambda call: _extreme(call, lambda column: column.cum_min().forward_fill()),
    "cum_count": _cum_count,
    "rolling_mean": _rolling("mean"),
    "rolling_sum": _rolling("sum"),
    "rolling_min": _rolling("min"),
    "rolling_max": _rolling("max"),
    "diff": _diff,
    "pct_change": _pct_change,
}
"""What is computed in each partition; `share_of_total` is of it as a whole."""


def shared(call: Call) -> pl.Expr:
    """The value by the sum of its partition, null where that is 0."""
    wide = call.column.cast(pl.Int128) if isinstance(call.dtype, INTEGERS) else call.column
    total = call.over(wide.sum()).cast(pl.Float64)
    # As a column even when there is but one partition: Polars divides by a constant with its inverse.
    spread = total + call.column.is_null().cast(pl.Float64) * 0.0
    return pl.when(spread != 0).then(call.column.cast(pl.Float64) / spread)


def window(fn: WindowFunction, call: Call) -> pl.Expr:
    """The function's values, one for each row, in the order of the rows."""
    return shared(call) if fn == "share_of_total" else call.over(WINDOWS[fn](call))

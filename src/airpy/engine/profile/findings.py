"""What checks judge, and what they find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from airpy.contract import Filter

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    import polars as pl

    from airpy.contract import AnalyzeOptions, ColumnMetrics, FrameMetrics, IssueThresholds, Severity
    from airpy.engine.profile.outliers import Bounds, GroupBounds
    from airpy.engine.profile.states import FrameState
    from airpy.engine.profile.time_axis import Clock

__all__ = ["Facts", "Finding", "either", "leaf", "negated", "share_of"]


class Facts(NamedTuple):
    """What was measured of a frame."""

    metrics: FrameMetrics
    columns: Sequence[ColumnMetrics]
    state: FrameState
    bounds: Mapping[str, Bounds]
    """Outlier bounds by column."""
    group_bounds: Mapping[str, Sequence[GroupBounds]]
    """Those of groups with outliers by column, where groups were asked for."""
    clock: Clock | None
    options: AnalyzeOptions
    thresholds: IssueThresholds
    now: dt.datetime

    @property
    def rows(self) -> int:
        """Rows of the frame."""
        return self.metrics.rows

    def dtype(self, column: str) -> pl.DataType:
        """The type of a column."""
        return self.state.sample.rows[column].dtype

    def tally(self, place: int, name: str) -> int:
        """How many values of a column are counted under this name."""
        return self.state.columns[place].tallies.counts.get(name, 0)


class Finding(NamedTuple):
    """An issue before it has its code, and before anybody has counted its rows."""

    severity: Severity
    detail: str
    filter: Sequence[Filter]
    """Selects the rows that are affected."""
    column: str | None = None
    bounds: tuple[Any, Any] | None = None
    value: float | None = None
    threshold: float | None = None
    method: str | None = None
    rows: int | None = None
    """How many the filter selects, where a metric tells."""
    dated: bool = False
    """Whether the detail says when the first of them is."""


def leaf(column: str, operator: str, value: Any = None) -> Filter:  # noqa: ANN401  whatever a filter takes
    """A comparison of a column."""
    told = {"col": column, "op": operator} | ({} if value is None else {"val": value})
    return Filter.model_validate(told)


def negated(condition: Filter) -> Filter:
    """Whether it is false."""
    return Filter.model_validate({"not": condition})


def either(filters: Sequence[Filter]) -> Filter:
    """Whether one of them is true."""
    return filters[0] if len(filters) == 1 else Filter(any=list(filters))


def share_of(part: float, whole: float) -> float:
    """The share, 0 of nothing."""
    return part / whole if whole else 0.0

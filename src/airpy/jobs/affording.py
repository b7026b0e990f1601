"""Judges whether a plan can be afforded before it is run: by settings, by its budget, by past queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import narwhals as nw
import polars as pl

from airpy.contract import BrokenCap, PlannedDataset
from airpy.engine.literals import zone
from airpy.engine.needs import named_columns
from airpy.errors import CapExceeded, InvalidPlan
from airpy.files import parquet
from airpy.files.footers import Measured, measured
from airpy.files.opening import MOST_COMPARED, spread
from airpy.files.partitions import by_partition, partition_types, partitions_passing
from airpy.jobs.costs import FILE_BYTES, Cost, estimated, kind_of, need_of
from airpy.jobs.planning import filters_seen
from airpy.jobs.spilling import spill
from airpy.jobs.work import tell_cost

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from airpy.contract import ErrorReason, Filter, Plan, PlanEstimate, QueryBudget, QueryRequest
    from airpy.files.datasets import Dataset
    from airpy.files.partitions import Partitioned
    from airpy.jobs.costs import Bounds, Need
    from airpy.jobs.reading import Planned

__all__ = [
    "Assessment",
    "Surveyed",
    "assessed",
    "check_affordable",
    "check_rows",
    "check_scan",
    "surveyed",
]

MOST_FOOTERS = 16
"""Parquet files that are looked at; of text as many as are when it is read."""
SURE_TIMES = 2
SURE_RUNS = 20
"""What an estimate has to go over its cap by, and rest on, before time is a reason to refuse."""
REASONS: dict[str, ErrorReason] = {
    "PY_MEMORY_MB": "MEMORY_CAP",
    "PY_JOB_TIMEOUT_S": "TIME_LIMIT",
    "PY_MAX_JOIN_ROWS": "TOO_LARGE",
}
"""Of the caps that are settings; the others are of the request's budget."""
WIDTHS: dict[type[pl.DataType], int] = {
    pl.Boolean: 1, pl.Int8: 1, pl.UInt8: 1, pl.Int16: 2, pl.UInt16: 2,
    pl.Int32: 4, pl.UInt32: 4, pl.Float32: 4, pl.Date: 4, pl.Categorical: 4, pl.Null: 0,
    pl.Int64: 8, pl.UInt64: 8, pl.Float64: 8, pl.Datetime: 8, pl.Duration: 8, pl.Time: 8,
}  # fmt: skip
WIDEST = 16
"""Bytes of a value of any other type, at least."""


class Surveyed(NamedTuple):
    """A data set, and some of the files that are left of it."""

    sample: Dataset
    files: int
    files_left: int

    @property
    def whole(self) -> bool:
        """Whether a job would look into no more files to learn the columns."""
        return len(self.sample.files) >= min(self.files_left, _looked_into(self.sample))

    @property
    def times(self) -> float:
        """How many times the sample all of it is."""
        return self.files_left / max(len(self.sample.files), 1)


class Assessment(NamedTuple):
    """What a plan would read, take and break."""

    datasets: list[PlannedDataset]
    estimate: PlanEstimate
    breaks: list[BrokenCap]
    cost: Cost
    need: Need


def surveyed(plan: Plan, datasets: Sequence[Dataset], *, thorough: bool = False) -> list[Surveyed]:
    """The data sets of a plan, with some of the files that its filters leave of each, evenly spread."""
    return [
        _surveyed(plan, each, filters_seen(plan, index), _looked_into(each) if thorough else MOST_FOOTERS)
        for index, each in enumerate(datasets)
    ]


def _looked_into(dataset: Dataset) -> int:
    """How many files a job looks into to learn the columns."""
    return parquet.MOST_COMPARED if dataset.format == "parquet" else MOST_COMPARED


def _surveyed(plan: Plan, dataset: Dataset, filters: Sequence[Filter], most: int) -> Surveyed:
    most = most if dataset.format == "parquet" else MOST_COMPARED
    groups = by_partition(dataset.directory, dataset.files)
    if groups.is_flat:
        sample = dataset._replace(files=tuple(spread(dataset.files, most)))
        return Surveyed(sample, len(dataset.files), len(dataset.files))
    try:
        passed = partitions_passing(list(groups.files), groups.types, filters, zone(plan.timezone))
    except InvalidPlan:  # of a zone that is none, which is told when the plan is checked
        passed = set(groups.files)
    left = [path for partition, paths in groups.files.items() if partition in passed for path in paths]
    files = spread(left or dataset.files[:1], most)
    files += [path for path in _odd(groups, files, dataset) if path not in files]
    return Surveyed(dataset._replace(files=tuple(files)), len(dataset.files), len(left))


def _odd(groups: Partitioned, files: Sequence[Path], dataset: Dataset) -> list[Path]:
    """Files without which the columns that partitions make would have other types than over all files."""
    every, seen = groups.types, by_partition(dataset.directory, files).types
    other = [name for name in every if seen.get(name) != every[name]]
    found = []
    for name in other:
        for partition, paths in groups.files.items():
            own = partition_types([partition])
            if name in own and own[name] != seen.get(name):
                found.append(paths[0])
                break
    return found


def assessed(
    request: QueryRequest,
    sets: Sequence[Surveyed],
    planned: Planned,
    schema: Mapping[str, pl.DataType],
    bounds: Bounds,
) -> Assessment:
    """What the plan would read, take and break.

    Args:
        request: With the plan and its budget.
        sets: Its data sets, their samples held open.
        planned: The samples, or more of the data sets, opened.
        schema: The answer's columns.
        bounds: What it may take.
    """
    plan = request.plan
    sizes = [_size(plan, each, planned, index) for index, each in enumerate(sets)]
    united = len(plan.union or [])
    first, *others = sizes
    for more in others[:united]:
        first = Measured(
            first.rows + more.rows,
            first.bytes + more.bytes,
            first.memory + more.memory,
            known=first.known and more.known,
        )
    need = need_of(plan, [first, *others[united:]], sum(map(_width, schema.values())))
    bytes_read = sum(size.bytes for size in sizes)
    work = bytes_read + FILE_BYTES * sum(each.files_left for each in sets)
    cost = Cost(sets[0].sample.format, kind_of(plan), work, need.most_mb)
    estimate = estimated(cost, need, bounds.counters)
    return Assessment(
        [_described(each, size) for each, size in zip(sets, sizes, strict=True)],
        estimate,
        [*_caps_broken(need, estimate, bounds), *_budget_broken(request.budget, need, estimate, bytes_read)],
        cost,
        need,
    )


def check_affordable(
    request: QueryRequest, datasets: Sequence[Dataset], planned: Planned, bounds: Bounds
) -> None:
    """Refuse a plan that cannot be afforded, and have the engine put on disk what may not fit into memory.

    Raises:
        CapExceeded: It is sure to need more memory than it may use, or its estimate breaks its budget.
    """
    schema = planned.frame.collect_schema()
    found = assessed(request, surveyed(request.plan, datasets), planned, schema, bounds)
    if found.breaks:
        raise _refusal(found)
    tell_cost(found.cost)
    if bounds.memory_mb is not None and found.need.groups_mb > bounds.memory_mb / 2:
        spill(bounds.memory_mb)


def check_scan(datasets: Sequence[Dataset], most_bytes: int) -> None:
    """Refuse to read more than so many bytes of text, which is read whole; of Parquet, footers tell more.

    Raises:
        CapExceeded: There are more.
    """
    whole = [each for each in datasets if each.format != "parquet" and not each.cloud]
    flat = [each for each in whole if by_partition(each.directory, each.files).is_flat]
    total = sum(each.size(path) for each in flat for path in each.files)
    if total > most_bytes:
        raise CapExceeded(
            f"the plan reads {total:,} bytes of text, and its budget is {most_bytes:,}",
            field="budget.scan_bytes",
            constraint=f"at most {most_bytes:,} bytes",
            reason="BUDGET_EXCEEDED",
        )


def check_rows(rows: int, budget: QueryBudget | None) -> None:
    """Refuse an answer of more rows than it may have.

    Raises:
        CapExceeded: It has more.
    """
    if budget and budget.rows is not None and rows > budget.rows:
        raise CapExceeded(
            f"the answer has more than {budget.rows:,} rows",
            field="budget.rows",
            constraint=f"at most {budget.rows:,} rows; a `limit` cuts an answer short",
            reason="BUDGET_EXCEEDED",
        )


def _refusal(found: Assessment) -> CapExceeded:
    [first, *_] = found.breaks
    budget = first.cap.startswith("budget.")
    error = CapExceeded(
        first.message,
        field=first.cap if budget else "plan",
        constraint=f"at most {first.limit:,.10g} ({first.cap})",
        reason=REASONS.get(first.cap, "BUDGET_EXCEEDED"),
    )
    error.estimate = found.estimate
    return error


def _caps_broken(need: Need, estimate: PlanEstimate, bounds: Bounds) -> list[BrokenCap]:
    broken = []
    if bounds.memory_mb is not None and need.held and need.least_mb > bounds.memory_mb:
        broken.append(
            BrokenCap(
                cap="PY_MEMORY_MB",
                limit=bounds.memory_mb,
                estimate=round(need.least_mb),
                message=(
                    f"the plan needs {need.least_mb:,.0f} MiB of memory at least, and may use "
                    f"{bounds.memory_mb:,} MiB: {need.held.why}"
                ),
            )
        )
    if bounds.max_join_rows is not None and need.pairs_sure > bounds.max_join_rows:
        broken.append(
            BrokenCap(
                cap="PY_MAX_JOIN_ROWS",
                limit=bounds.max_join_rows,
                estimate=need.pairs_sure,
                message=(
                    f"the cross join makes {need.pairs_sure:,} rows, and may make {bounds.max_join_rows:,}; "
                    "filter, or join on keys"
                ),
            )
        )
    late = bounds.timeout_s is not None and estimate.seconds > SURE_TIMES * bounds.timeout_s
    if bounds.timeout_s is not None and late and estimate.calibrated_on >= SURE_RUNS:
        broken.append(
            BrokenCap(
                cap="PY_JOB_TIMEOUT_S",
                limit=bounds.timeout_s,
                estimate=estimate.seconds,
                message=(
                    f"the plan would take about {estimate.seconds:,.0f} seconds, and may take "
                    f"{bounds.timeout_s:g}; filter, or select fewer columns"
                ),
            )
        )
    return broken


def _budget_broken(
    budget: QueryBudget | None, need: Need, estimate: PlanEstimate, bytes_read: int
) -> list[BrokenCap]:
    if budget is None:
        return []
    memory = need.least_mb if estimate.memory_at_most else estimate.memory_mb
    found = {
        "rows": (need.rows_sure, "rows", "set a limit, or filter"),
        "scan_bytes": (bytes_read, "bytes to read", "filter, or select fewer columns"),
        "seconds": (estimate.seconds, "seconds", "filter, or select fewer columns"),
        "memory_mb": (memory, "MiB of memory", need.held.why if need.held else "select fewer columns"),
    }
    return [
        BrokenCap.model_validate(
            {
                "cap": f"budget.{name}",
                "limit": getattr(budget, name),
                "estimate": value,
                "message": (
                    f"the plan takes about {value:,.10g} {unit}, and its budget is "
                    f"{getattr(budget, name):,.10g}: {helps}"
                ),
            }
        )
        for name, (value, unit, helps) in found.items()
        if getattr(budget, name) is not None and value > getattr(budget, name)
    ]


def _size(plan: Plan, each: Surveyed, planned: Planned, index: int) -> Measured:
    """What is to be read of a data set."""
    schema = nw.from_native(planned.opened[index].frame).collect_schema()
    columns = None if index else named_columns(plan)
    filters = filters_seen(plan, index)
    return measured(each.sample, columns, filters, schema, zone(plan.timezone)).times(each.times)


def _described(each: Surveyed, size: Measured) -> PlannedDataset:
    return PlannedDataset(
        name=each.sample.name,
        format=each.sample.format,
        files=each.files,
        files_left=each.files_left,
        row_groups=size.row_groups,
        row_groups_left=size.row_groups_left,
        rows=size.rows,
        bytes=size.bytes,
        exact=size.known,
    )


def _width(dtype: pl.DataType) -> int:
    return WIDTHS.get(type(dtype), WIDEST)

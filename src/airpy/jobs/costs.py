"""What a plan costs: what its stages hold in memory, and its time, by models that past queries set right.

A model says at least and at most how much is held; the least decides what is refused, so that nothing is that
would have worked. Past queries say, as straight lines, how long it takes to read so many bytes, and how much
memory is used where the model says so much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from airpy.contract import PlanEstimate
from airpy.engine.filter_trees import relations_in
from airpy.engine.plan import group_keys, is_grouped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airpy.contract import FileFormat, Plan
    from airpy.files.footers import Measured

__all__ = ["FILE_BYTES", "Bounds", "Cost", "Held", "Need", "estimated", "kind_of", "learnt", "need_of"]

Kind: TypeAlias = Literal["scan", "group", "join", "sort"]
MIB = 1024 * 1024
GIB = 1024 * MIB

FIRST_BYTES_S: dict[FileFormat, float] = {"parquet": 150e6, "csv": 150e6, "jsonl": 60e6}
"""Bytes a second of a service that has run nothing yet."""
FIRST_S = 0.03
FIRST_MIB = 80
"""What a job takes whatever it reads: seconds, and memory with the batches that are under way."""

KEPT_ALL = frozenset({"median", "quantile", "q1", "q3", "mad", "iqr", "mode", "list", "join_text"})
"""Aggregates that hold every value of their group."""
WHOLE = frozenset({"inner", "left", "right", "full"})
"""Joins that put all of one side into a table."""
TABLE_ROW = 48
"""Bytes of a row in a hash table, beside its columns."""
FILE_BYTES = 50_000
"""What could be read in the time that it takes to find, check and open one more file."""
FEWEST = 4
"""Bytes of a number in a column that is worth a median."""
VALUE = 8
"""Bytes of a value, where its type is not known."""


class Bounds(NamedTuple):
    """What a query may take, and what past ones took."""

    memory_mb: int | None = None
    timeout_s: float | None = None
    counters: Mapping[str, float] = {}
    max_join_rows: int | None = None


class Cost(NamedTuple):
    """What a query was expected to cost; told of it when it begins, and compared with what it did."""

    format: FileFormat
    kind: Kind
    work: int
    """Bytes to read, and for each file as many as are read in the time that it takes to open one."""
    memory_mb: float


class Held(NamedTuple):
    """What a stage holds in memory, in bytes."""

    stage: str
    least: float
    most: float
    why: str
    """As the rest of a sentence, with what helps."""


class Need(NamedTuple):
    """What a plan needs, before anything past is asked about it."""

    held: Held | None
    """The stage that is sure to hold most."""
    most_mb: float
    """What the greediest stage may hold."""
    groups_mb: float
    """What groups alone may hold, which the engine can put on disk."""
    at_most: bool
    rows_out: int | None
    rows_sure: int
    """Rows that the answer has for sure."""
    pairs_sure: int
    """Rows that a cross join makes for sure, on the way to the answer."""

    @property
    def least_mb(self) -> float:
        """What is held for sure."""
        return self.held.least / MIB if self.held else 0.0


def kind_of(plan: Plan) -> Kind:
    """What of the plan takes most."""
    if plan.order and plan.limit is None and not is_grouped(plan):
        return "sort"
    if plan.joins:
        return "join"
    return "group" if is_grouped(plan) else "scan"


def need_of(plan: Plan, sizes: Sequence[Measured], width: int) -> Need:
    """What the plan needs.

    Args:
        plan: What is to be computed.
        sizes: What is to be read of its data set, then of those it joins.
        width: Bytes of a row of the answer.
    """
    stages = list(_held(plan, sizes, width))
    sure = max(stages, key=lambda one: one.least, default=None)
    most = max((one.most for one in stages), default=0.0)
    at_most = _is_thinned(plan) or any(one.most > 2 * one.least for one in stages)
    rows_out = _rows_out(plan, sizes[0].rows)
    unsure = (
        _is_thinned(plan)
        or is_grouped(plan)
        or plan.distinct
        or plan.union
        or plan.pivot
        or not sizes[0].known
    )
    groups = max((one.most for one in stages if one.stage == "groupby"), default=0.0)
    return Need(
        held=sure if sure and sure.least else None,
        most_mb=most / MIB,
        groups_mb=groups / MIB,
        at_most=at_most,
        rows_out=rows_out,
        rows_sure=0 if unsure else rows_out or 0,
        pairs_sure=_pairs(plan, sizes),
    )


def _held(plan: Plan, sizes: Sequence[Measured], width: int) -> Iterator[Held]:
    """What each stage holds, by factors measured of the engine; the least ones lie below all that was met."""
    first, *others = sizes
    sure = 0.0 if _is_thinned(plan) else 1.0
    grouped = is_grouped(plan)
    for join, other in zip(plan.joins or [], others, strict=False):
        # Filters that come after a join reach into both of its sides.
        whole = not (join.filters or join.clean or join.select or plan.filters) and join.how in WHOLE
        columns = 0 if grouped or plan.select else other.memory
        rows = other.rows
        if grouped and join.how == "inner":  # the engine puts the smaller side into the table
            rows = min(rows, first.rows)
        yield Held(
            "joins",
            columns + TABLE_ROW * rows / 3 if whole else 0,
            3 * (other.memory + TABLE_ROW * other.rows / 3),
            f"a join holds all of {join.dataset}; clean, filter or select it",
        )
    named = sum(len(rows.cols) + len(rows.by or []) for rows in relations_in([plan.filters, plan.derive]))
    if named:
        yield Held(
            "filters",
            0,
            (TABLE_ROW + 3 * VALUE * named) * first.rows,
            "how rows stand among others takes the columns of all of them; name fewer",
        )
    if grouped:
        row = VALUE * (2 * len(group_keys(plan)) + 2 * len(plan.aggs or [])) + TABLE_ROW
        yield Held("groupby", 0, (2 * row * first.rows) if group_keys(plan) else 0, "every group is held")
        kept = len({item.col for item in plan.aggs or [] if item.fn in KEPT_ALL and item.filter is None})
        if kept:
            alone = sure if not plan.joins else 0
            yield Held(
                "aggs",
                alone * kept * FEWEST * first.rows,
                3 * kept * VALUE * first.rows,
                "medians, quantiles and lists hold every value; filter, or ask for the mean",
            )
        return
    alone = sure if not (plan.joins or plan.explode or plan.unpivot or plan.pivot or plan.distinct) else 0
    answer = width * first.rows
    if plan.order and plan.limit is None:
        yield Held(
            "order",
            alone * 2 * answer,
            3 * answer,
            "a sort holds every row; give a limit, filter, or select less",
        )
    if plan.distinct or any(step.op == "dedupe" for step in plan.clean or []):
        yield Held("distinct", 0, 3.5 * answer, "every distinct row is held; select less")
    if plan.window:
        yield Held(
            "window", alone * answer, 4 * answer, "windows hold every row; filter, or select fewer columns"
        )


def _pairs(plan: Plan, sizes: Sequence[Measured]) -> int:
    """Rows that the first cross join makes for sure; 0 where the engine may get by with fewer."""
    cut_short = plan.limit is not None and not (plan.order or is_grouped(plan))
    if cut_short or _is_thinned_at_first(plan) or not sizes[0].known:
        return 0
    for join, other in zip(plan.joins or [], sizes[1:], strict=False):
        if join.how == "cross":
            whole = other.known and not (join.filters or join.clean or join.groupby or join.having)
            return sizes[0].rows * other.rows if whole else 0
        if join.how not in {"left", "full"}:
            return 0
    return 0


def _is_thinned(plan: Plan) -> bool:
    """Whether only the data can tell how many rows come through."""
    thins = any(join.how not in {"left", "full"} for join in plan.joins or [])
    return _is_thinned_at_first(plan) or thins


def _is_thinned_at_first(plan: Plan) -> bool:
    """Whether that is so of the plan's own data set."""
    drops = any(step.op in {"drop_nulls", "dedupe"} for step in plan.clean or [])
    return bool(plan.filters or plan.sample or plan.explode or plan.top_n or drops)


def _rows_out(plan: Plan, rows: int) -> int | None:
    """How many rows the answer has at most."""
    if is_grouped(plan) and not group_keys(plan):
        rows, more = 1, False
    else:
        multiplied = any(join.how not in {"semi", "anti", "asof"} for join in plan.joins or [])
        filled = plan.resample is not None and plan.resample.fill != "none"
        more = bool(multiplied or plan.explode or plan.unpivot or plan.union or filled)
    most = None if more else max(rows - (plan.offset or 0), 0)
    if plan.limit is not None:
        most = plan.limit if most is None else min(most, plan.limit)
    return most


def estimated(cost: Cost, need: Need, counters: Mapping[str, float]) -> PlanEstimate:
    """Time and memory, at the pace of past queries of this kind."""
    runs = counters.get(_name("time", cost, "n"), 0)
    pace = FIRST_BYTES_S[cost.format]
    seconds = _line("time", cost, counters, [(0, FIRST_S), (GIB, FIRST_S + GIB / pace)], cost.work)
    memory = _line("need", cost, counters, [(0, FIRST_MIB), (4096, 4096 + FIRST_MIB)], cost.memory_mb)
    return PlanEstimate(
        seconds=round(max(seconds, 0.001), 3),
        memory_mb=round(max(memory, need.least_mb, 1)),
        memory_at_most=need.at_most,
        rows_out=need.rows_out,
        calibrated_on=int(runs),
    )


def learnt(cost: Cost, run_s: float, peak_mb: float) -> dict[str, float]:
    """What a query that has run adds to each counter."""
    added: dict[str, float] = {}
    for what, x, y in (("time", float(cost.work), run_s), ("need", cost.memory_mb, peak_mb)):
        for name, value in (("n", 1), ("x", x), ("y", y), ("xx", x * x), ("xy", x * y)):
            added[_name(what, cost, name)] = value
    return added


def _line(
    what: str, cost: Cost, counters: Mapping[str, float], first: Sequence[tuple[float, float]], x: float
) -> float:
    """Where the line of least squares is at `x`: through what was measured, and what is taken for granted."""
    n, sx, sy, sxx, sxy = (counters.get(_name(what, cost, name), 0.0) for name in ("n", "x", "y", "xx", "xy"))
    for known_x, known_y in first:
        n, sx, sy = n + 1, sx + known_x, sy + known_y
        sxx, sxy = sxx + known_x * known_x, sxy + known_x * known_y
    slope = max((n * sxy - sx * sy) / (n * sxx - sx * sx), 0.0)
    return (sy - slope * sx) / n + slope * x


def _name(what: str, cost: Cost, name: str) -> str:
    return f"{what}:{cost.format}:{cost.kind}:{name}"

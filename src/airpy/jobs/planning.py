"""Finds the data sets of a plan and runs it over them, lazily."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from airpy.contract import Plan
from airpy.engine.execute import execute
from airpy.engine.filter_trees import relations_in
from airpy.engine.literals import zone
from airpy.engine.moments import fixed
from airpy.engine.needs import columns_in, named_columns
from airpy.engine.plan import check_plan
from airpy.engine.schema import type_name
from airpy.engine.steps import ignore_steps
from airpy.errors import InvalidPlan
from airpy.files.datasets import find_dataset, looked_up
from airpy.files.holding import held
from airpy.files.scan import scan
from airpy.jobs.provenance import Ran, ran_over
from airpy.jobs.reading import Asked, Planned, read_through
from airpy.jobs.repairs import Bound, mended
from airpy.jobs.work import tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import TypeVar

    from airpy.contract import Filter, Join, ReadOptions, UnionedDataset
    from airpy.engine.steps import OnStep
    from airpy.files.datasets import Dataset
    from airpy.files.opening import Opened
    from airpy.files.paths import FileRoot
    from airpy.jobs.context import JobContext

    T = TypeVar("T")

__all__ = [
    "absolute",
    "asked_of",
    "bound_to",
    "check_planned",
    "filters_seen",
    "plan_asked",
    "plan_datasets",
    "plan_through",
    "planned_frame",
    "tell_input",
]


LEAST_TOLD_BYTES = 8 * 1024 * 1024
"""Of less, the end comes before anyone asks how far it is."""


def check_planned(plan: Plan, datasource_id: str, root: FileRoot) -> list[Dataset]:
    """Refuse a plan that cannot be run, without reading data, and give the data sets that it will read.

    Raises:
        InvalidPlan: Its parts contradict one another.
        AirError: One of its data sets cannot be found.
    """
    check_plan(plan)
    fixed(plan, dt.datetime.now(dt.UTC))
    return plan_datasets(plan, datasource_id, root)


def absolute(plan: Plan, context: JobContext) -> Plan:
    """The plan with fixed times in the place of those that are counted from when its request came."""
    return fixed(plan, context.asked_at or dt.datetime.now(dt.UTC))


def plan_datasets(plan: Plan, datasource_id: str, root: FileRoot) -> list[Dataset]:
    """The plan's data set, then those it unites, then those it joins.

    Raises:
        AirError: One of them cannot be found.
    """
    first = find_dataset(root, datasource_id, plan.dataset, "plan.dataset")
    return [
        first,
        *(
            find_dataset(root, datasource_id, part.dataset, f"plan.{key}[{index}].dataset")
            for key, index, part in _others(plan)
        ),
    ]


def plan_asked(plan: Plan, datasource_id: str, root: FileRoot, options: ReadOptions | None) -> list[Asked]:
    """The plan's data sets, in the order of `plan_datasets`, each with what is said of how it is read.

    Raises:
        AirError: One of them cannot be found.
    """
    return asked_of(plan, plan_datasets(plan, datasource_id, root), options)


def asked_of(plan: Plan, found: Sequence[Dataset], options: ReadOptions | None) -> list[Asked]:
    """These data sets of the plan, in their order, each with what is said of how it is read.

    Raises:
        AirError: One of them is in a bucket, and cannot be found there.
    """
    first, *others = found
    return [
        Asked(looked_up(first, "plan.dataset"), options, "/read"),
        *(
            Asked(looked_up(dataset, f"plan.{key}[{index}].dataset"), part.read, f"/plan/{key}/{index}/read")
            for dataset, (key, index, part) in zip(others, _others(plan), strict=True)
        ),
    ]


def plan_through(
    plan: Plan,
    asked: Sequence[Asked],
    context: JobContext,
    consume: Callable[[Sequence[Dataset], Planned], T],
    on_step: OnStep = ignore_steps,
) -> tuple[T, Ran]:
    """What becomes of the plan's answer, and what it was made from.

    Args:
        plan: What to compute.
        asked: Its data sets.
        context: What the job may use.
        consume: Computes the answer, or raises where it is not to be computed; it is given the data sets,
            which are held open.
        on_step: Is told the stages of the plan.

    Raises:
        AirError: The plan does not fit the data, or a file cannot be read.
    """
    with context.scratch() as scratch, held([each.dataset for each in asked], scratch) as datasets:
        named = named_columns(plan)
        tell_input(datasets, named)

        def opens(options: list[ReadOptions | None], *, careful: bool, on_step: OnStep) -> Planned:
            return planned_frame(plan, datasets, options, context, scratch, careful=careful, on_step=on_step)

        try:
            done, planned = read_through(asked, opens, lambda planned: consume(datasets, planned), on_step)
        except InvalidPlan as error:
            options = [each.options for each in asked]
            raise mended(error, plan, bound_to(datasets, options, context, scratch)) from None
        return done, ran_over(datasets, planned.opened, named)


def bound_to(
    datasets: list[Dataset], options: Sequence[ReadOptions | None], context: JobContext, scratch: Path
) -> Bound:
    """These data sets, as what a changed plan is tried on."""

    def bind(plan: Plan) -> object:
        planned = planned_frame(plan, datasets, options, context, scratch, head_only=True)
        return planned.frame.collect_schema()

    def types(index: int) -> dict[str, str]:
        if index >= len(datasets):
            return {}
        alone = Plan(dataset=datasets[index].name)
        planned = planned_frame(alone, [datasets[index]], [options[index]], context, scratch, head_only=True)
        return {name: str(type_name(dtype)) for name, dtype in planned.frame.collect_schema().items()}

    def probe(plan: Plan) -> object:
        planned = planned_frame(plan, datasets[:1], options[:1], context, scratch, head_only=True)
        return planned.frame.collect(engine="streaming")

    return Bound(bind, types, probe)


def tell_input(datasets: Sequence[Dataset], columns: set[str] | None) -> None:
    """Tell how many bytes are to be read, where that is worth watching."""
    total = 0
    for dataset in datasets:
        if dataset.remote:
            continue  # what comes over the network is not counted
        size = sum(map(dataset.size, dataset.files))
        if size > LEAST_TOLD_BYTES and dataset.format == "parquet" and columns is not None:
            size = sum(_chunk_bytes(dataset.place(path), columns) for path in dataset.files)
        total += size
    if total > LEAST_TOLD_BYTES:
        tell(0, total, "bytes")


def planned_frame(  # noqa: PLR0913  each says one thing of how to open it
    plan: Plan,
    datasets: list[Dataset],
    options: Sequence[ReadOptions | None],
    context: JobContext,
    scratch: Path,
    *,
    careful: bool = False,
    head_only: bool = False,
    on_step: OnStep = ignore_steps,
) -> Planned:
    """The plan's answer; whoever collects it reads the files.

    Args:
        plan: What to compute.
        datasets: Those of `plan_datasets`, in that order.
        options: How each of them is to be read.
        context: What the job may use.
        scratch: Where files may be rewritten.
        careful: Whether text files are put into plain form first.
        head_only: Whether nothing is going to be read, so that no look at the whole of a file is worth it.
        on_step: Is told the stages of the plan.

    Raises:
        AirError: The plan does not fit the data.
    """
    plan = absolute(plan, context)
    first, *rest = datasets
    named = named_columns(plan)

    def opened(*, every_column: bool) -> Opened:
        return scan(
            first,
            options[0],
            infer_rows=context.infer_rows,
            scratch=scratch,
            every_column=every_column,
            filters=filters_seen(plan, 0),
            timezone=zone(plan.timezone),
            careful=careful,
            columns=named,
            copied=True,
            head_only=head_only,
        )

    source = opened(every_column=named is None and not head_only)
    if named is not None and first.format == "jsonl" and not head_only:
        schema = source.frame.collect_schema()
        if any(name not in schema or schema[name].is_nested() for name in named):
            source = opened(every_column=True)  # later rows may have keys that the first do not
    others = [
        scan(
            dataset,
            how,
            infer_rows=context.infer_rows,
            scratch=scratch,
            every_column=not head_only,
            filters=filters_seen(plan, 1 + place),
            timezone=zone(plan.timezone),
            careful=careful,
            copied=True,
            head_only=head_only,
        )
        for place, (dataset, how) in enumerate(zip(rest, options[1:], strict=True))
    ]
    frames = [other.frame for other in others]
    united = len(plan.union or [])
    answer = execute(
        plan, source.frame, frames[united:], frames[:united], on_step, max_join_rows=context.max_join_rows
    )
    return Planned(answer, [source, *others])


def filters_seen(plan: Plan, index: int) -> Sequence[Filter]:
    """The filters that see the rows of one of the plan's data sets as they are in its files.

    Only those can spare files; and only where no filter asks how rows stand among all.
    """
    if index:
        key, _, part = _others(plan)[index - 1]
        if part.clean or any(relations_in(part.filters or [])):
            return []
        # Filters of the plan see what is united too; a column that is left out of a union is null there.
        late = filters_seen(plan, 0) if key == "union" and not part.select else []
        return [*(part.filters or []), *late]
    direct = not (plan.clean or plan.unpivot or any(relations_in([plan.derive, plan.filters]))) and not any(
        join.how in {"right", "full"} or join.validate_ in {"1:1", "1:m"} for join in plan.joins or []
    )
    made = {item.as_ for item in plan.derive or []}
    return [item for item in plan.filters or [] if direct and not columns_in(item) & made]


def _others(plan: Plan) -> list[tuple[str, int, UnionedDataset | Join]]:
    """Where other data sets stand in the plan, and what it says of each: those united, then those joined."""
    parts: tuple[tuple[str, Sequence[UnionedDataset | Join]], ...] = (
        ("union", plan.union or []),
        ("joins", plan.joins or []),
    )
    return [(key, index, part) for key, those in parts for index, part in enumerate(those)]


def _chunk_bytes(path: Path, columns: set[str]) -> int:
    """Bytes of these columns in a Parquet file."""
    footer = pq.read_metadata(path)
    chunks = (
        group.column(place)
        for group in map(footer.row_group, range(footer.num_row_groups))
        for place in range(group.num_columns)
    )
    return sum(
        chunk.total_compressed_size for chunk in chunks if chunk.path_in_schema.partition(".")[0] in columns
    )

"""Finds the data sets of a plan and runs it over them, lazily."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airpy.engine.execute import execute
from airpy.engine.literals import zone
from airpy.engine.plan import check_plan, named_columns
from airpy.engine.steps import ignore_steps
from airpy.files.datasets import find_dataset
from airpy.files.scan import scan

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from airpy.contract import Plan
    from airpy.engine.steps import OnStep
    from airpy.files.datasets import Dataset
    from airpy.files.paths import FileRoot
    from airpy.jobs.context import JobContext

__all__ = ["check_planned", "plan_datasets", "planned_frame"]


def check_planned(plan: Plan, datasource_id: str, root: FileRoot) -> None:
    """Refuse a plan that cannot be run, without reading data.

    Raises:
        InvalidPlan: Its parts contradict one another.
        AirError: One of its data sets cannot be found.
    """
    check_plan(plan)
    plan_datasets(plan, datasource_id, root)


def plan_datasets(plan: Plan, datasource_id: str, root: FileRoot) -> list[Dataset]:
    """The plan's data set, then those it joins.

    Raises:
        AirError: One of them cannot be found.
    """
    joined = [
        find_dataset(root, datasource_id, join.dataset, f"plan.joins[{index}].dataset")
        for index, join in enumerate(plan.joins or [])
    ]
    return [find_dataset(root, datasource_id, plan.dataset, "plan.dataset"), *joined]


def planned_frame(
    plan: Plan, datasets: list[Dataset], context: JobContext, scratch: Path, on_step: OnStep = ignore_steps
) -> pl.LazyFrame:
    """The plan's answer; whoever collects it reads the files.

    Raises:
        AirError: The plan does not fit the data.
    """
    first, *joined = datasets
    # Only filters that see the rows as they are in the files can spare files.
    direct = not plan.clean and not any(join.how in {"right", "full"} for join in plan.joins or [])
    named = named_columns(plan)

    def opened(*, every_column: bool) -> pl.LazyFrame:
        return scan(
            first,
            infer_rows=context.infer_rows,
            scratch=scratch,
            every_column=every_column,
            filters=(plan.filters or []) if direct else [],
            timezone=zone(plan.timezone),
        )

    source = opened(every_column=named is None)
    if named is not None and not named <= set(source.collect_schema()):
        source = opened(every_column=True)  # later rows may have what the first do not
    others = [scan(dataset, infer_rows=context.infer_rows, scratch=scratch) for dataset in joined]
    return execute(plan, source, others, on_step)

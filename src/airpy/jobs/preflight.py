"""Says what would come of a plan instead of running it: its columns, what it reads, needs and breaks.

The server lists the data sets and picks some of their files; a child, which alone opens files, binds the plan
to those and reads their footers. Where the plan does not fit the files that were picked, as many are looked
at as a job would look into before it is refused.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from airpy.engine.encoding import encode_model, encode_object, portable
from airpy.engine.explain import explained
from airpy.engine.failures import failure
from airpy.engine.moments import fixed
from airpy.engine.plan import check_plan
from airpy.engine.schema import describe_schema
from airpy.errors import InvalidPlan
from airpy.files.holding import held
from airpy.jobs.affording import assessed, surveyed
from airpy.jobs.context import JobContext
from airpy.jobs.planning import absolute, asked_of, bound_to, plan_datasets, planned_frame
from airpy.jobs.repairs import mended

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from airpy.contract import QueryRequest
    from airpy.engine.steps import OnStep
    from airpy.errors import AirError
    from airpy.files.paths import FileRoot
    from airpy.jobs.affording import Surveyed
    from airpy.jobs.costs import Bounds

__all__ = ["may_differ", "preflight", "survey"]

NO_TOKEN = 0


def survey(request: QueryRequest, root: FileRoot, *, thorough: bool = False) -> list[Surveyed]:
    """The data sets of the plan, with some of the files that its filters leave of each.

    Args:
        request: With the plan.
        root: Where data sets may lie.
        thorough: Pick as many files as a job would look into.

    Raises:
        AirError: One of them cannot be found.
    """
    datasets = plan_datasets(request.plan, request.datasource_id, root)
    try:
        plan = fixed(request.plan, dt.datetime.now(dt.UTC))
    except InvalidPlan:  # which is told when the plan is checked
        plan = request.plan.model_copy(update={"filters": None, "timezone": None})
    # What is held open crosses to no other process.
    return surveyed(plan, [each._replace(held={}) for each in datasets], thorough=thorough)


def may_differ(error: AirError, sets: Sequence[Surveyed]) -> bool:
    """Whether a plan that does not fit these files may fit the data set: others may have other columns."""
    partial = any(not each.whole or each.sample.format == "jsonl" for each in sets)
    return partial and error.reason in {"UNKNOWN_COLUMN", "TYPE_MISMATCH", "INVALID_PLAN"}


def preflight(
    request: QueryRequest,
    sets: Sequence[Surveyed],
    root: FileRoot,
    infer_rows: int,
    bounds: Bounds,
    *,
    thorough: bool = False,
    on_step: OnStep,
) -> bytes:
    """The answer to a dry run, as JSON.

    Args:
        request: With the plan.
        sets: What `survey` has picked.
        root: Where data sets may lie.
        infer_rows: Rows that decide the types of text.
        bounds: What the query may take, and what past ones took.
        thorough: Look through JSON for every key, as a job would.
        on_step: Is told nothing, as nothing is slow enough to be reported.

    Raises:
        InvalidPlan: The plan contradicts itself, or does not fit the data; with what helps, if found.
        FileUnavailable: A file cannot be read.
    """
    del on_step
    plan = request.plan
    with TemporaryDirectory(prefix="airpy-preflight-") as folder:
        scratch = Path(folder)
        context = JobContext(root, scratch, scratch, NO_TOKEN, infer_rows, max_rows_json=0)
        asked = asked_of(plan, [each.sample for each in sets], request.read)
        with held([each.dataset for each in asked], scratch) as samples:
            options = [each.options for each in asked]
            try:
                check_plan(plan)
                planned = planned_frame(plan, samples, options, context, scratch, head_only=not thorough)
                schema = portable(planned.frame).collect_schema()
            except BaseException as error:  # noqa: BLE001  a panic in native code is no Exception
                told = failure(error)
                if not thorough and may_differ(told, sets):  # which is looked into before anything is mended
                    raise told from None
                raise mended(told, plan, bound_to(samples, options, context, scratch)) from None
            open_sets = [each._replace(sample=sample) for each, sample in zip(sets, samples, strict=True)]
            at_once = request.model_copy(update={"plan": absolute(plan, context)})
            found = assessed(at_once, open_sets, planned, schema, bounds)
    return encode_object(
        schema=encode_model(describe_schema(schema, list(schema))),
        datasets=_array(found.datasets),
        estimate=encode_model(found.estimate),
        verdict=b'"refused"' if found.breaks else b'"ok"',
        breaks=_array(found.breaks),
        explanation=_array(explained(plan)),
    )


def _array(models: Sequence[BaseModel]) -> bytes:
    return b"[" + b",".join(map(encode_model, models)) + b"]"

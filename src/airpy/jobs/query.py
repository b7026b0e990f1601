"""The query job: a plan in, a result frame out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from airpy.contract import QueryMetrics
from airpy.engine.encoding import (
    arrow_schema,
    encode_first_rows,
    encode_model,
    encode_object,
    write_arrow,
    write_parquet,
)
from airpy.engine.steps import counted
from airpy.files.datasets import load_of
from airpy.jobs.affording import check_affordable, check_rows, check_scan
from airpy.jobs.planning import absolute, check_planned, plan_asked, plan_through
from airpy.jobs.provenance import provenance
from airpy.jobs.results import encode_head, frame_file, result_frame, write_data, write_schema
from airpy.jobs.states import keep_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airpy.contract import QueryRequest
    from airpy.engine.encoding import Written
    from airpy.engine.steps import OnStep
    from airpy.files.datasets import Dataset, Load
    from airpy.files.paths import FileRoot
    from airpy.jobs.context import JobContext
    from airpy.jobs.reading import Planned
    from airpy.jobs.record import ResultFrame

__all__ = ["check_query", "query"]


def check_query(request: QueryRequest, root: FileRoot) -> Load:
    """Refuse a request that cannot be met, without reading data, and say what it will read.

    Raises:
        AirError: The plan contradicts itself, or one of its data sets cannot be found.
    """
    datasets = check_planned(request.plan, request.datasource_id, root)
    if request.budget and request.budget.scan_bytes is not None:
        check_scan(datasets, request.budget.scan_bytes)
    return load_of(datasets)


def query(request: QueryRequest, context: JobContext, *, on_step: OnStep) -> ResultFrame:
    """Run the plan, stream its answer into a file, and keep the first rows beside it."""
    request = request.model_copy(update={"plan": absolute(request.plan, context)})
    began, began_s = time.monotonic(), time.time()
    asked = plan_asked(request.plan, request.datasource_id, context.files, request.read)
    main = asked[0].dataset
    count = len(main.files) or 1
    on_step("file_found", f"Found {main.name}: {counted(count, f'{main.format} file')}")
    on_step("loading_data", "Loading data from files")
    target = frame_file(context.folder, request.output)
    write = write_parquet if request.output == "parquet" else write_arrow
    budget = request.budget.rows if request.budget else None

    def consumed(datasets: Sequence[Dataset], planned: Planned) -> Written:
        check_affordable(request, datasets, planned, context.bounds)
        if budget is None:
            return write(planned.frame, target, context.max_rows_json)
        written = write(planned.frame.head(budget + 1), target, context.max_rows_json)
        check_rows(written.rows, request.budget)
        return written

    written, ran = plan_through(request.plan, asked, context, consumed, on_step)
    rows, shown = encode_first_rows(written.preview)
    metrics = QueryMetrics(
        rows=written.rows,
        bytes=written.bytes,
        execution_time_ms=round((time.monotonic() - began) * 1000),
        cache_hit=False,
    )
    write_schema(context.folder, written.schema)
    write_data(
        context.folder,
        encode_object(
            **encode_head(metrics, context.token),
            rows=rows,
            schema=encode_model(written.schema),
            truncated=b"true" if shown < written.rows else b"false",
            reading=encode_model(ran.reading),
            provenance=encode_model(provenance(request, request.plan, ran)),
        ),
    )
    keep_state(context.folder, load_of(each.dataset for each in asked), context.ground, began_s)
    on_step("query_complete", f"Query execution completed: {counted(written.rows, 'row')}")
    return result_frame(request.output, written.rows, arrow_schema(written.preview))

"""Reads the first rows of a data set; runs in a child like a job, and answers at once."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from airpy.contract import PreviewStats
from airpy.engine.encoding import encode_first_rows, encode_model, encode_object, portable
from airpy.engine.schema import describe_schema
from airpy.files.counting import COUNTED_BYTES, total_rows
from airpy.files.datasets import dataset_at, looked_up
from airpy.files.holding import held
from airpy.files.scan import scan
from airpy.files.sources import seen
from airpy.jobs.reading import Asked, Planned, read_through, reading_of

if TYPE_CHECKING:
    import polars as pl

    from airpy.contract import PreviewRequest, ReadOptions
    from airpy.engine.steps import OnStep
    from airpy.files.paths import FileRoot

__all__ = ["preview"]

MOST_INFERRED = 1_000
"""Rows that decide the types of a preview; so few are read and judged within milliseconds."""


def preview(
    request: PreviewRequest, root: FileRoot, infer_rows: int, max_rows_json: int, *, on_step: OnStep
) -> bytes:
    """The answer to a preview request, as JSON."""
    del on_step  # nothing is slow enough to be reported
    dataset = looked_up(dataset_at(root, request.path, "path"), "path")
    limit = min(request.limit, max_rows_json)
    with TemporaryDirectory(prefix="airpy-preview-") as scratch, held([dataset], Path(scratch)) as [source]:
        # One row more tells whether these are all. Columns that only later rows have are none of a preview.
        inferred = max(min(infer_rows or MOST_INFERRED, MOST_INFERRED), limit + 1)

        def opens(options: list[ReadOptions | None], *, careful: bool, on_step: OnStep) -> Planned:
            del on_step
            opened = scan(
                source,
                options[0],
                infer_rows=inferred,
                scratch=Path(scratch),
                every_column=False,
                head_only=True,
                most_unpacked=COUNTED_BYTES,
                careful=careful,
            )
            return Planned(portable(opened.frame), [opened])

        def first(planned: Planned) -> pl.DataFrame:
            at_hand = planned.opened[0].head(limit + 1)
            rows = planned.frame.head(limit + 1) if at_hand is None else portable(at_hand)
            return rows.collect(engine="streaming")

        head, planned = read_through([Asked(dataset, request.read, "/read")], opens, first)
        [opened] = planned.opened
        more = head.height > limit or not opened.whole
        head = head.head(limit)
        total, exact = total_rows(source, planned.frame, whole=opened.whole) if more else (head.height, True)
        reading = reading_of(seen([source]), [opened])
    rows, shown = encode_first_rows(head)
    return encode_object(
        rows=rows,
        schema=encode_model(
            describe_schema(head.schema, [column.name for column in head if more or column.null_count()])
        ),
        stats=encode_model(
            PreviewStats(
                sampled=total > shown or more, total_rows=total, total_rows_exact=exact, sample_size=shown
            )
        ),
        reading=encode_model(reading),
    )

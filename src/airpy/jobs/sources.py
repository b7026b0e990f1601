"""What an analysis is of: a frame that was sent, a result, or what an earlier analysis has measured."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from airpy.contract import AnalyzeRequest
from airpy.engine.encoding import decode_arrow, decode_parquet, portable
from airpy.errors import InvalidRequest, within
from airpy.jobs.planning import absolute, check_planned, plan_asked, plan_through

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from airpy.contract import Baseline, Plan, ReadOptions
    from airpy.files.datasets import Dataset
    from airpy.files.paths import FileRoot
    from airpy.jobs.context import JobContext
    from airpy.jobs.provenance import Ran

__all__ = ["Source", "check_source", "frame_of", "source_of"]

WAYS = ("frame_ref", "plan", "token")
BASELINE = "baseline."
DECODERS = {"arrow": decode_arrow, "parquet": decode_parquet}


class Source(NamedTuple):
    """Where the frame is from; or, in the form of a state, what was measured of it."""

    form: Literal["arrow", "parquet", "state", "plan"]
    field: str
    """Where the request says so."""
    path: Path | None = None
    """The file that it is in, unless a plan yields it."""
    plan: Plan | None = None
    datasource_id: str | None = None
    read: ReadOptions | None = None


def check_source(part: AnalyzeRequest | Baseline, root: FileRoot) -> list[Dataset]:
    """Refuse what names no frame, or more than one, and give the data sets that will be read.

    Raises:
        InvalidRequest: Its members contradict one another.
        AirError: The plan contradicts itself, or one of its data sets cannot be found.
    """
    if sum(getattr(part, way) is not None for way in WAYS) != 1:
        what = "an analysis" if isinstance(part, AnalyzeRequest) else "a baseline"
        raise InvalidRequest(
            f"{what} is of a frame, of a plan's result, or of a job's",
            field="frame_ref",
            constraint=f"exactly one of: {', '.join(WAYS)}",
        )
    if part.plan is None:
        if part.read is not None:
            raise InvalidRequest(
                "read says how files are read, and there are none", field="read", constraint="only with plan"
            )
        return []
    if part.datasource_id is None:
        raise InvalidRequest(
            "a plan needs a datasource_id", field="datasource_id", constraint="required with plan"
        )
    return check_planned(part.plan, part.datasource_id, root)


def source_of(part: AnalyzeRequest | Baseline, context: JobContext) -> Source:
    """What the job is to look at: the subject of the request, or its baseline. Relative times are fixed."""
    of_baseline = not isinstance(part, AnalyzeRequest)
    if part.plan is not None:
        field = f"{BASELINE}plan" if of_baseline else "plan"
        return Source("plan", field, None, absolute(part.plan, context), part.datasource_id, part.read)
    path = next(each for each in context.input.iterdir() if each.name.startswith(BASELINE) == of_baseline)
    form = cast("Literal['arrow', 'parquet', 'state']", path.suffix.removeprefix("."))
    return Source(form, path.stem, path)


def frame_of(source: Source, context: JobContext) -> tuple[pl.DataFrame, Ran | None]:
    """The frame, in memory and in types that every reader knows, and what it was made from if that was files.

    Raises:
        InvalidFrame: What was sent is no readable frame.
        AirError: The plan does not fit the data, or a file cannot be read.
    """
    if source.plan is not None and source.datasource_id is not None:
        with within("baseline") if source.field.startswith(BASELINE) else nullcontext():
            asked = plan_asked(source.plan, source.datasource_id, context.files, source.read)
            return plan_through(
                source.plan, asked, context, lambda frame: portable(frame).collect(engine="streaming")
            )
    if source.path is None or source.form not in DECODERS:
        raise TypeError(f"a {source.form} is no frame")
    return portable(DECODERS[source.form](source.path, source.field).lazy()).collect(), None

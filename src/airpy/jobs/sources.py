"""What an analysis is of: a frame that was sent, a result, or what an earlier analysis has measured."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, cast

from airpy.contract import AnalyzeRequest
from airpy.engine.encoding import decode_arrow, decode_parquet, portable, spooled
from airpy.engine.profile.keeping import state_from
from airpy.engine.profile.measuring import measured
from airpy.errors import InvalidRequest, within
from airpy.jobs.planning import absolute, check_planned, plan_asked, plan_through
from airpy.jobs.profiling import Subject, is_plain, settled, state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    import polars as pl

    from airpy.contract import Baseline, Plan, ReadOptions
    from airpy.engine.encoding import FrameForm
    from airpy.engine.profile.states import FrameState
    from airpy.files.datasets import Dataset
    from airpy.files.paths import FileRoot
    from airpy.jobs.context import JobContext
    from airpy.jobs.provenance import Ran
    from airpy.jobs.reading import Planned

    T = TypeVar("T")
    Measure: TypeAlias = Callable[[], FrameState]

__all__ = ["Source", "check_source", "source_of", "state_in", "through"]

WAYS = ("frame_ref", "plan", "token")
BASELINE = "baseline."
MOST_HELD = 64 * 1024 * 1024
"""Bytes of a frame that is held in memory."""
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


def through(
    source: Source, context: JobContext, consume: Callable[[pl.LazyFrame, Measure], T]
) -> tuple[T, Ran | None]:
    """What becomes of the frame, in types that every reader knows, and of what files it was made if it was.

    `consume` is given a frame that it may read again and again, and a function that measures it in one pass.

    Raises:
        InvalidFrame: What was sent is no readable frame.
        AirError: The plan does not fit the data, or a file cannot be read.
    """
    with context.scratch() as scratch:
        if source.plan is not None and source.datasource_id is not None:
            with within("baseline") if source.field.startswith(BASELINE) else nullcontext():
                return _through_plan(source.plan, source, context, scratch, consume)
        frame = _sent(source, scratch)
        return consume(frame, lambda: measured(frame)), None


def state_in(source: Source) -> FrameState:
    """What an earlier analysis has measured.

    Raises:
        InvalidRequest: It was kept by another version.
    """
    try:
        return state_from((source.path or Path()).read_bytes())
    except ValueError:
        raise InvalidRequest(
            "what the analysis has measured was kept by another version",
            field=f"{BASELINE}token",
            constraint="an analysis by this version; ask it again",
        ) from None


def _through_plan(
    plan: Plan,
    source: Source,
    context: JobContext,
    scratch: Path,
    consume: Callable[[pl.LazyFrame, Measure], T],
) -> tuple[T, Ran]:
    """The same of a plan's answer. What is not plain Parquet is put into a file, once, that is."""
    asked = plan_asked(plan, source.datasource_id or "", context.files, source.read)

    def consumed(datasets: Sequence[Dataset], planned: Planned) -> T:
        frame, first = portable(planned.frame), datasets[0]
        if not is_plain(plan):
            frame = settled(frame, scratch)
            return consume(frame, lambda: measured(frame))
        subject = Subject(first, source.read, scratch)
        rows = frame if first.format == "parquet" else settled(frame, scratch)
        return consume(rows, lambda: state_of(subject, rows, context))

    return plan_through(plan, asked, context, consumed)


def _sent(source: Source, scratch: Path) -> pl.LazyFrame:
    """A frame that was sent, or a job's result: in memory, unless it is large."""
    if source.path is None or source.form in {"state", "plan"}:
        raise TypeError(f"a {source.form} is no frame")
    form: FrameForm = "parquet" if source.form == "parquet" else "arrow"
    if source.path.stat().st_size > MOST_HELD:
        return portable(spooled(source.path, form, source.field, scratch))
    return portable(DECODERS[form](source.path, source.field).lazy()).collect().lazy()

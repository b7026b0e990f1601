"""The analyze job: a frame or a plan in, a report out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airpy.contract import AnalyzeOptions
from airpy.engine.encoding import encode_model, encode_object, encode_rows
from airpy.engine.profile.report import report
from airpy.engine.profile.rules import check_rules
from airpy.engine.steps import counted
from airpy.errors import InvalidOptions, within
from airpy.files.datasets import load_of
from airpy.jobs.planning import absolute
from airpy.jobs.provenance import provenance
from airpy.jobs.results import write_data
from airpy.jobs.sources import check_source, frame_of, source_of

if TYPE_CHECKING:
    from airpy.contract import AnalyzeRequest, Baseline, FrameComparison
    from airpy.engine.steps import OnStep
    from airpy.files.datasets import Load
    from airpy.files.paths import FileRoot
    from airpy.jobs.context import JobContext

__all__ = ["analyze", "check_analyze"]

SAMPLE_ROWS = 10


def check_analyze(request: AnalyzeRequest, root: FileRoot) -> Load:
    """Refuse a request that cannot be met, without reading data, and say what it will read.

    Raises:
        InvalidRequest: It, or its baseline, has not exactly one of a frame, a plan and a token.
        InvalidOptions: Rules or the baseline are missing, or there where they mean nothing.
        AirError: A plan contradicts itself, or one of its data sets cannot be found.
    """
    rules = request.options.rules if request.options else None
    if bool(rules) != (request.job_kind == "validate"):
        raise InvalidOptions(
            'job_kind "validate" needs options.rules, and no other takes them',
            field="options.rules",
            constraint='at least one rule with "validate", none with the others',
        )
    check_rules(rules or [])
    if (request.baseline is not None) != (request.job_kind == "compare"):
        raise InvalidOptions(
            'job_kind "compare" needs a baseline, and no other takes one',
            field="baseline",
            constraint='required with "compare", left out with the others',
        )
    datasets = check_source(request, root)
    if request.baseline is not None:
        with within("baseline"):
            datasets += check_source(request.baseline, root)
    # What was sent is named by its digest in the request itself, and a token's result never changes.
    return load_of(datasets)


def analyze(request: AnalyzeRequest, context: JobContext, *, on_step: OnStep) -> None:
    """Describe the frame: metrics, issues, chart hints, the verdict on rules, and what has changed."""
    if request.plan is not None:
        request = request.model_copy(update={"plan": absolute(request.plan, context)})
    on_step("loading_data", "Loading data for analysis")
    options = request.options or AnalyzeOptions()
    frame, ran = frame_of(source_of(request, context), context)
    found = report(frame, request.job_kind, options, on_step)
    members = {
        "job_kind": b'"%s"' % request.job_kind.encode(),
        "metrics": encode_model(found.metrics),
        "issues": b"[" + b",".join(map(encode_model, found.issues)) + b"]",
        "chart_hints": b"[" + b",".join(map(encode_model, found.chart_hints)) + b"]",
        "sample": encode_rows(frame.head(SAMPLE_ROWS)),
        "schema": encode_model(found.schema),
    }
    del frame  # the baseline's is not read beside it
    if found.validation is not None:
        members["validation"] = encode_model(found.validation)
    if request.baseline is not None:
        members["comparison"] = encode_model(_comparison(request.baseline, context))
    if ran is not None and request.plan is not None:
        members["reading"] = encode_model(ran.reading)
        members["provenance"] = encode_model(provenance(request, request.plan, ran))
    write_data(context.folder, encode_object(**members))
    on_step("analysis_complete", f"Analysis completed: {counted(len(found.issues), 'issue')}")


def _comparison(baseline: Baseline, context: JobContext) -> FrameComparison:
    """What has changed since the baseline."""
    source = source_of(baseline, context)
    if source.form != "state":
        frame_of(source, context)
    # To be joined here: engine.profile.comparison.compare(before, after, options), `before` is the state in
    # `source.path` or that of the frame above, `after` the subject's.
    raise InvalidOptions("comparisons are not made yet", field="job_kind", constraint="another job_kind")

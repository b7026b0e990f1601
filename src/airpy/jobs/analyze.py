"""The analyze job: a frame or a plan in, a report out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from airpy.contract import AnalyzeOptions, IssueThresholds
from airpy.engine.encoding import encode_model, encode_object, encode_rows
from airpy.engine.literals import zone
from airpy.engine.profile.comparison import compare
from airpy.engine.profile.keeping import state_to
from airpy.engine.profile.redaction import redacted
from airpy.engine.profile.report import report
from airpy.engine.profile.rule_checks import check_rules
from airpy.engine.profile.rules import Around
from airpy.engine.profile.sides import sides_of, slim
from airpy.engine.steps import counted
from airpy.errors import InvalidOptions, within
from airpy.files.datasets import load_of
from airpy.jobs.planning import absolute
from airpy.jobs.provenance import provenance, together
from airpy.jobs.references import check_references, with_references
from airpy.jobs.results import ANALYSIS_STATE, write_data
from airpy.jobs.sources import check_source, source_of, state_in, through

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

    from airpy.contract import AnalyzeRequest, Baseline, FrameComparison, Rule
    from airpy.engine.profile.report import Report
    from airpy.engine.profile.states import FrameState
    from airpy.engine.steps import OnStep
    from airpy.files.datasets import Load
    from airpy.files.paths import FileRoot
    from airpy.jobs.context import JobContext
    from airpy.jobs.provenance import Ran

__all__ = ["analyze", "check_analyze"]

SAMPLE_ROWS = 10


class Described(NamedTuple):
    """What is said of a frame."""

    report: Report
    sample: bytes
    """Its first rows, as JSON."""
    beside: Ran | None
    """What foreign keys refer to."""


def check_analyze(request: AnalyzeRequest, root: FileRoot) -> Load:
    """Refuse a request that cannot be met, without reading data, and say what it will read.

    Raises:
        InvalidRequest: It, or its baseline, has not exactly one of a frame, a plan and a token.
        InvalidOptions: Rules or the baseline are missing, say nothing, or are there where they mean nothing.
        AirError: A plan contradicts itself, or a data set cannot be found.
    """
    rules = _check_rules(request)
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
    return load_of([*datasets, *check_references(rules, request.datasource_id, root)])


def analyze(request: AnalyzeRequest, context: JobContext, *, on_step: OnStep) -> None:
    """Describe the frame: metrics, issues, chart hints, the verdict on rules, and what has changed."""
    if request.plan is not None:
        request = request.model_copy(update={"plan": absolute(request.plan, context)})
    on_step("loading_data", "Loading data for analysis")
    described, ran = through(
        source_of(request, context),
        context,
        lambda frame, measure: _described(request, context, frame, measure, on_step),
    )
    found, ran = described.report, together(ran, described.beside)
    members = {
        "job_kind": b'"%s"' % request.job_kind.encode(),
        "metrics": encode_model(found.metrics),
        "issues": b"[" + b",".join(map(encode_model, found.issues)) + b"]",
        "chart_hints": b"[" + b",".join(map(encode_model, found.chart_hints)) + b"]",
        "sample": described.sample,
        "schema": encode_model(found.schema),
    }
    if found.validation is not None:
        members["validation"] = encode_model(found.validation)
    if request.baseline is not None:
        comparison, earlier = _comparison(request, request.baseline, found.state, context)
        members["comparison"], ran = encode_model(comparison), together(ran, earlier)
    if ran is not None:
        members["reading"] = encode_model(ran.reading)
    if request.options is not None and request.options.redact:
        members = {name: _redacted(member, found.personal) for name, member in members.items()}
    if ran is not None and request.plan is not None:
        members["provenance"] = encode_model(provenance(request, request.plan, ran))
    (context.folder / ANALYSIS_STATE).write_bytes(state_to(slim(found.state)))
    write_data(context.folder, encode_object(**members))
    on_step("analysis_complete", f"Analysis completed: {counted(len(found.issues), 'issue')}")


def _check_rules(request: AnalyzeRequest) -> Sequence[Rule]:
    """The rules of the request, which say something, and are there where they mean something."""
    options = request.options or AnalyzeOptions()
    rules = options.rules or []
    if bool(rules or options.suggest) != (request.job_kind == "validate"):
        raise InvalidOptions(
            'job_kind "validate" needs options.rules or options.suggest, and no other takes either',
            field="options.suggest" if options.suggest and not rules else "options.rules",
            constraint='at least one rule, or suggest, with "validate"; neither with the others',
        )
    check_rules(rules)
    return rules


def _described(
    request: AnalyzeRequest,
    context: JobContext,
    frame: pl.LazyFrame,
    measure: Callable[[], FrameState],
    on_step: OnStep,
) -> Described:
    options = request.options or AnalyzeOptions()

    def reported(others: Mapping[int, pl.LazyFrame], on_step: OnStep) -> Report:
        return report(
            frame,
            request.job_kind,
            options,
            on_step,
            measure=measure,
            plan=request.plan,
            now=context.asked_at,
            around=_around(request, others),
        )

    found, beside = with_references(options.rules or [], request.datasource_id, context, reported, on_step)
    return Described(found, encode_rows(frame.head(SAMPLE_ROWS).collect()), beside)


def _around(request: AnalyzeRequest, others: Mapping[int, pl.LazyFrame]) -> Around:
    """What rules are judged by, beside the frame."""
    timezone = zone(request.plan.timezone if request.plan else None)
    return Around(others=others, timezone=timezone, datasource_id=request.datasource_id)


def _comparison(
    request: AnalyzeRequest, baseline: Baseline, after: FrameState, context: JobContext
) -> tuple[FrameComparison, Ran | None]:
    """What has changed since the baseline, and from which files that was made, if it was."""
    source = source_of(baseline, context)
    before, ran = (
        (state_in(source), None)
        if source.form == "state"
        else through(source, context, lambda _, measure: measure())
    )
    options = request.options or AnalyzeOptions()
    return compare(*sides_of(before, after), options.thresholds or IssueThresholds()), ran


def _redacted(member: bytes, personal: Mapping[str, Any]) -> bytes:
    """A part of the answer without personal data."""
    return json.dumps(
        redacted(json.loads(member), personal), ensure_ascii=False, separators=(",", ":")
    ).encode()

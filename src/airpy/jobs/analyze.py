"""The analyze job: a frame or a plan in, a report out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airpy.contract import AnalyzeOptions
from airpy.engine.encoding import (
    decode_arrow,
    decode_parquet,
    encode_model,
    encode_object,
    encode_rows,
    portable,
)
from airpy.engine.literals import zone
from airpy.engine.profile.report import report
from airpy.engine.profile.rule_checks import check_rules
from airpy.engine.profile.rules import Around
from airpy.engine.steps import counted
from airpy.errors import InvalidOptions, InvalidRequest
from airpy.files.datasets import load_of
from airpy.jobs.planning import absolute, check_planned, plan_asked, plan_through
from airpy.jobs.provenance import provenance
from airpy.jobs.references import check_references, with_references
from airpy.jobs.results import write_data

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from airpy.contract import AnalyzeRequest, Rule
    from airpy.engine.steps import OnStep
    from airpy.files.datasets import Load
    from airpy.files.paths import FileRoot
    from airpy.jobs.context import JobContext
    from airpy.jobs.provenance import Ran

__all__ = ["analyze", "check_analyze"]

SAMPLE_ROWS = 10
DECODERS = {"arrow": decode_arrow, "parquet": decode_parquet}


def check_analyze(request: AnalyzeRequest, root: FileRoot) -> Load:
    """Refuse a request that cannot be met, without reading data, and say what it will read.

    Raises:
        InvalidRequest: It has not exactly one of a frame and a plan.
        InvalidOptions: Rules are missing, say nothing, or are there where they mean nothing.
        AirError: The plan contradicts itself, or one of its data sets cannot be found.
    """
    if (request.frame_ref is None) == (request.plan is None):
        raise InvalidRequest(
            "an analysis is of a frame or of a plan's result",
            field="frame_ref",
            constraint="exactly one of: frame_ref, plan",
        )
    rules = _check_rules(request)
    references = check_references(rules, request.datasource_id, root)
    if request.plan is not None:
        if request.datasource_id is None:
            raise InvalidRequest(
                "a plan needs a datasource_id", field="datasource_id", constraint="required with plan"
            )
        return load_of([*check_planned(request.plan, request.datasource_id, root), *references])
    if request.read is not None:
        raise InvalidRequest(
            "read says how files are read, and there are none", field="read", constraint="only with plan"
        )
    # A frame is named by its digest in the request itself.
    return load_of(references)


def analyze(request: AnalyzeRequest, context: JobContext, *, on_step: OnStep) -> None:
    """Describe the frame, or the plan's result: metrics, issues, chart hints, and the verdict on rules."""
    if request.plan is not None:
        request = request.model_copy(update={"plan": absolute(request.plan, context)})
    on_step("loading_data", "Loading data for analysis")
    options = request.options or AnalyzeOptions()
    frame, ran = _frame(request, context)
    found = with_references(
        options.rules or [],
        request.datasource_id,
        context,
        lambda others, on_step: report(
            frame.lazy(),
            request.job_kind,
            options,
            on_step,
            plan=request.plan,
            now=context.asked_at,
            around=_around(request, others),
        ),
        on_step,
    )
    members = {
        "job_kind": b'"%s"' % request.job_kind.encode(),
        "metrics": encode_model(found.metrics),
        "issues": b"[" + b",".join(map(encode_model, found.issues)) + b"]",
        "chart_hints": b"[" + b",".join(map(encode_model, found.chart_hints)) + b"]",
        "sample": encode_rows(frame.head(SAMPLE_ROWS)),
        "schema": encode_model(found.schema),
    }
    if found.validation is not None:
        members["validation"] = encode_model(found.validation)
    if ran is not None and request.plan is not None:
        members["reading"] = encode_model(ran.reading)
        members["provenance"] = encode_model(provenance(request, request.plan, ran))
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


def _around(request: AnalyzeRequest, others: Mapping[int, pl.LazyFrame]) -> Around:
    """What rules are judged by, beside the frame."""
    timezone = zone(request.plan.timezone if request.plan else None)
    return Around(others=others, timezone=timezone, datasource_id=request.datasource_id)


def _frame(request: AnalyzeRequest, context: JobContext) -> tuple[pl.DataFrame, Ran | None]:
    """The frame to describe, and what it was made from where that was files."""
    if request.plan is None or request.datasource_id is None:
        form = request.frame_ref.type if request.frame_ref else "arrow"
        return portable(DECODERS[form](context.input).lazy()).collect(), None
    asked = plan_asked(request.plan, request.datasource_id, context.files, request.read)
    return plan_through(
        request.plan, asked, context, lambda frame: portable(frame).collect(engine="streaming")
    )

"""Answers about a frame as Markdown: its schema, or its analysis, for a person or a model to read."""

from __future__ import annotations

import json
import posixpath
from typing import TYPE_CHECKING, Any, TypeAlias

from airpy.engine.profile.markup import code, percent, plain, table, type_of, value
from airpy.engine.steps import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airpy.contract import AnalysisKind, JobType

__all__ = ["DOCUMENTS", "analysis_markdown", "schema_markdown"]

Answer: TypeAlias = dict[str, Any]
"""What the service answers, as the contract has it; optional members may be missing."""

TITLES: dict[AnalysisKind, str] = {
    "eda": "Exploration",
    "profile": "Profile",
    "validate": "Validation",
    "compare": "Comparison",
}
MOST_VALUES = 3
"""Of one column."""


def schema_markdown(answer: Answer) -> str:
    """What the contract's `InferSchemaResult` says, without its rows."""
    stats, rows = answer["stats"], answer["sample_preview"]
    evidence = {column["name"]: column for column in answer.get("columns", [])}
    about = "" if stats["rows_exact"] else "About "
    size = f"{about}{counted(stats['rows'], 'row')}, {counted(stats['columns'], 'column')}"
    size += f", {counted(stats['files'], 'file')}."
    if stats["sampled_rows"] < stats["rows"]:
        size += f" Types, nulls and distinct values are of {counted(stats['sampled_rows'], 'row')}."
    counts = "" if stats["unique_exact"] else "~"

    def cells(field: Answer) -> list[str]:
        name = field["name"]
        distinct = stats["unique_counts"].get(name)
        return [
            *_field(field),
            percent(stats["null_ratio"].get(name, 0)),
            "" if distinct is None else f"{counts}{distinct:,}",
            _first_values(row.get(name) for row in rows),
            "; ".join(_reasons(evidence.get(name, {}))),
        ]

    titles = ["Column", "Type", "Nullable", "Missing", "Distinct", "First values", "Notes"]
    columns = table(titles, map(cells, answer["schema"]["fields"]), ["Missing", "Distinct"])
    return _document(_title("Schema", answer), size, "## Columns", columns)


def analysis_markdown(answer: Answer) -> str:
    """What the contract's `AnalyzeResult` says, without its rows."""
    metrics = answer["metrics"]
    size = f"{counted(metrics['rows'], 'row')}, {counted(metrics['columns'], 'column')}"
    if (repeated := metrics.get("duplicate_rows")) is not None:
        size += f", {counted(repeated, 'duplicate row')}"
    keys = [_names(key) for key in metrics.get("candidate_keys", [])]
    return _document(
        _title(TITLES.get(answer["job_kind"], "Analysis"), answer),
        f"{size}.",
        f"Every row is named by {' or by '.join(keys)}." if keys else "",
        *_validation(answer.get("validation")),
        *_comparison(answer.get("comparison")),
        "## Columns",
        _columns(answer["schema"]["fields"], metrics.get("column_metrics")),
        "## Issues",
        _list(map(_issue, answer["issues"])) or "None was found.",
        *_section("## Charts worth drawing", _list(map(_hint, answer["chart_hints"]))),
    )


DOCUMENTS: dict[JobType, Callable[[Answer], str]] = {
    "infer_schema": schema_markdown,
    "analyze": analysis_markdown,
}
"""By kind of job, what makes its answer Markdown."""


def _title(what: str, answer: Answer) -> str:
    """A heading with the name of the data set, where the answer has it."""
    name = answer.get("provenance", {}).get("plan", {}).get("dataset", "").removeprefix("./")
    paths = [file["path"] for file in answer.get("reading", {}).get("sources", {}).get("files", [])]
    if not name and len(paths) == 1:
        name = posixpath.basename(paths[0])
    elif not name and paths:
        name = posixpath.basename(posixpath.commonpath(list(map(posixpath.dirname, paths))))
    return f"# {what} of {code(name)}" if name else f"# {what}"


def _field(field: Answer) -> list[str]:
    return [code(field["name"]), plain(type_of(field)), "yes" if field["nullable"] else "no"]


def _columns(fields: Sequence[Answer], metrics: Sequence[Answer] | None) -> str:
    """A table of the columns: with their metrics, where those were asked for."""
    titles = ["Column", "Type", "Nullable"]
    if metrics is None:
        return table(titles, map(_field, fields))
    rows = ([*_field(field), *_measures(one)] for field, one in zip(fields, metrics, strict=False))
    return table([*titles, "Missing", "Distinct", "Values", "Notes"], rows, ["Missing", "Distinct"])


def _measures(one: Answer) -> list[str]:
    distinct, rows = one.get("unique"), one["missing"] + one["count"]
    estimated = any(estimate["metric"] == "unique" for estimate in one.get("estimates", []))
    return [
        percent(one["missing"] / rows) if rows else "",
        "" if distinct is None else ("~" if estimated else "") + f"{distinct:,}",
        _values(one),
        "; ".join(_notes(one)),
    ]


def _values(one: Answer) -> str:
    """The range of a column whose values lie in one, and the most frequent values of the others."""
    first, last, top = one.get("min"), one.get("max"), one.get("top_values") or []
    ordered = one.get("type") not in {"string", "boolean", "binary"}
    if top and not (ordered and first is not None):
        return ", ".join(f"{value(each['value'])} ({percent(each['share'])})" for each in top[:MOST_VALUES])
    return "" if first is None else f"{value(first)} to {value(last)}"


def _notes(one: Answer) -> Iterator[str]:
    """What else is worth a word of a column."""
    if one.get("is_constant"):
        yield "constant"
    elif one.get("is_unique"):
        yield "unique"
    if outliers := one.get("outliers"):
        yield counted(outliers, "outlier")
    for kind in (one.get("text") or {}).get("kinds", []):
        yield f"{percent(kind['share'])} look like {plain(kind['kind'])}"
    for kind in one.get("personal") or []:
        yield f"suspected personal data: {plain(kind['kind'])}"


def _reasons(column: Answer) -> Iterator[str]:
    """Why a column of text has its type."""
    if form := column.get("form"):
        yield f"written as {code(form)}"
    if note := column.get("note"):
        yield plain(note)
    if markers := column.get("null_markers"):
        yield f"null is {_names(markers)}"


def _first_values(values: Iterator[Any]) -> str:
    shown = dict.fromkeys(value(each) for each in values if each is not None)
    return ", ".join(list(shown)[:MOST_VALUES])


def _issue(issue: Answer) -> str:
    column = f" in {code(issue['column'])}" if issue.get("column") else ""
    share = f", {percent(issue['share'])}" if "share" in issue else ""
    rows = f"{counted(issue['affected_rows'], 'row')}{share}"
    return f"**{issue['severity']}** {code(issue['code'])}{column}: {plain(issue['detail'])} ({rows})"


def _hint(hint: Answer) -> str:
    reason = f": {plain(hint['reason'])}" if hint.get("reason") else ""
    return f"{plain(hint['type'])} {code(hint['x'])} × {code(hint['y'])}, {plain(hint['title'])}{reason}"


def _validation(found: Answer | None) -> Iterator[str]:
    if found is None:
        return
    yield f"## Verdict: {found['verdict']}"
    rows = (
        [
            code(rule["name"]),
            rule["severity"],
            "yes" if rule["passed"] else "**no**",
            f"{rule['rows_checked']:,}",
            f"{rule['rows_failed']:,}",
            plain(rule["observed"]),
        ]
        for rule in found["rules"]
    )
    if found["rules"]:
        yield table(["Rule", "Severity", "Met", "Checked", "Failed", "Found"], rows, ["Checked", "Failed"])
    suggested = (f"{_json(one['rule'])}: {plain(one['evidence'])}" for one in found.get("suggested", []))
    yield from _section("## Rules that the data meets", _list(suggested))


def _comparison(found: Answer | None) -> Iterator[str]:
    if found is None:
        return
    rows = found["rows"]
    grown = f" ({100 * rows['change']:+.1f} %)" if rows.get("change") is not None else ""
    yield f"## Since the baseline: {found['verdict']}"
    yield f"Rows: {rows['before']:,} before, {rows['after']:,} now{grown}."
    changes = (
        [
            plain(each["kind"]),
            code(each["column"]),
            *(plain(each.get(when, "")) for when in ("before", "after")),
            "**yes**" if each["breaking"] else "no",
            plain(each["detail"]),
        ]
        for each in found["schema_changes"]
    )
    if found["schema_changes"]:
        yield table(["Change", "Column", "Before", "Now", "Breaking", "Detail"], changes)
    if drifted := [each for each in found["drift"] if each["drifted"]]:
        yield table(["Drifted column", "Type", "By", "New values", "Gone values"], map(_drift, drifted))
    yield from _section("", _list(map(_key, found["keys"])))


def _drift(each: Answer) -> list[str]:
    tests = (
        f"{test['statistic']} {test['value']:.3g} (at most {test['threshold']:.3g})"
        for test in each["tests"]
        if test["drifted"]
    )
    new, gone = (
        ", ".join(value(one["value"]) for one in each.get(f"{which}_categories", [])[:MOST_VALUES])
        for which in ("new", "gone")
    )
    return [code(each["column"]), plain(each["type"]), ", ".join(tests), new, gone]


def _key(key: Answer) -> str:
    became = "names every row now" if key["after"] else "no longer names every row"
    return f"{_names(key['columns'])} {became}" + (" (**breaking**)" if key["breaking"] else "")


def _names(names: Any) -> str:  # noqa: ANN401  any iterable of text
    return ", ".join(map(code, names))


def _json(document: Any) -> str:  # noqa: ANN401  JSON is any
    return code(json.dumps(document, ensure_ascii=False))


def _list(items: Any) -> str:  # noqa: ANN401  any iterable of text
    return "\n".join(f"- {item}" for item in items)


def _section(heading: str, body: str) -> tuple[str, ...]:
    """The heading and what is under it; nothing where that is nothing."""
    return (heading, body) if body else ()


def _document(*blocks: str) -> str:
    return "\n\n".join(block for block in blocks if block) + "\n"

"""The commands on files: preview, schema, query, profile, validate, compare; they need no service."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airpy.commands.at_hand import AtHand
    from airpy.contract import JobType
    from airpy.engine.steps import OnStep

__all__ = ["compare", "preview", "profile", "query", "schema", "validate"]

FEW_ROWS = 10
"""A preview's, when a person reads it."""
MOST_ROWS = 30
"""Of a query's answer that are shown."""

File = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="A CSV, Parquet or JSONL file; or a directory or a glob (in quotes) of such files, read as one.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the service's answer, for programs.")]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Print a page of Markdown, for notes.")]
Words = list[str] | None
Read = Annotated[
    Words,
    typer.Option(
        "--read",
        "-r",
        metavar="NAME=VALUE",
        help="How to read text files, where what is found should not decide: delimiter, encoding, header, "
        "skip, types, types.COLUMN, null_markers, decimal, thousands, date_format, on_error …",
        show_default=False,
    ),
]


def preview(
    file: File,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            "-n",
            help="How many rows. Default 10, or 100 as JSON.",
            min=1,
            max=1_000_000,
            show_default=False,
        ),
    ] = None,
    *,
    read: Read = None,
    as_json: AsJson = False,
) -> None:
    """Show the first rows of a file.

    For example:

        airpy preview measurements.csv -n 5
        airpy preview export.csv -r encoding=cp1252 -r types.zip=string
    """
    options = _read_options(read)
    place = _find(file)
    with _progress() as on_step:
        on_step("reading_file", f"Reading {Path(file).name or file}")
        answer = place.preview(limit or (100 if as_json else FEW_ROWS), options)
    if as_json:
        _print_json(answer)
        return
    from airpy.commands.tables import show_rows, table_console  # noqa: PLC0415  not needed for JSON

    console = table_console()
    data = json.loads(answer)
    show_rows(data["rows"], data["schema"]["fields"], console)
    stats = data["stats"]
    _show_count(stats["sample_size"], stats["total_rows"], "-n shows more", exact=stats["total_rows_exact"])
    _show_reading(data)


def schema(
    file: File,
    infer_rows: Annotated[
        int | None,
        typer.Option(
            help="Rows to read for types and nulls; 0 for all. Default PY_INFER_ROWS.",
            min=0,
            show_default=False,
        ),
    ] = None,
    sample_files: Annotated[
        int, typer.Option(help="Of many files, how many to read rows from.", min=1, max=1000)
    ] = 3,
    *,
    read: Read = None,
    as_json: AsJson = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """Show the columns of a file: types, nulls, distinct values, and the number of rows.

    For example, of many files that are one data set:

        airpy schema 'energy/**/*.parquet'
        airpy schema measurements.parquet --markdown > NOTES.md
    """
    place = _find(file)
    request = {"uri": place.name, "sample_files": sample_files, "infer_rows": infer_rows}
    request |= _asked(read)
    with TemporaryDirectory(prefix="airpy-") as folder:
        answer = _answer("infer_schema", place, request, Path(folder))
    if _printed("infer_schema", answer, as_json=as_json, as_markdown=as_markdown):
        return
    from airpy.commands.reports import show_schema  # noqa: PLC0415
    from airpy.commands.tables import table_console  # noqa: PLC0415

    data = json.loads(answer)
    show_schema(data, table_console())
    _show_reading(data)


def query(  # noqa: PLR0913  one for each member of a plan
    file: File,
    *,
    select: Annotated[Words, typer.Option("--select", "-s", metavar="A,B", help="Columns to keep.")] = None,
    where: Annotated[
        Words,
        typer.Option(
            "--where", "-w", metavar="CONDITION", help="Rows to keep; each time one more that must hold."
        ),
    ] = None,
    groupby: Annotated[
        Words, typer.Option("--groupby", "-g", metavar="A,B", help="Columns to group by.")
    ] = None,
    agg: Annotated[
        Words, typer.Option("--agg", "-a", metavar="FN(A) AS B", help="Aggregates of each group.")
    ] = None,
    order: Annotated[
        Words, typer.Option("--order", metavar="A:desc", help="What to sort the answer by.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", help="Give no more rows than this.", min=1, show_default=False),
    ] = None,
    grain: Annotated[
        str | None,
        typer.Option(metavar="WIDTH", help='The width of a time bucket: "1 day", "15 minutes", "1 month".'),
    ] = None,
    time_col: Annotated[
        str | None, typer.Option(metavar="A", help="The column that --grain buckets.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Where a day begins, as in Europe/Berlin.")
    ] = None,
    plan: Annotated[
        str | None,
        typer.Option(
            metavar="JSON",
            help="A file with a plan (- for standard input); the other options replace its parts.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write the whole answer: .arrow, .parquet, .csv, .json or .jsonl."
        ),
    ] = None,
    show_plan: Annotated[
        bool,
        typer.Option("--show-plan", help="Print the plan, as POST /v1/py/query takes it, and run nothing."),
    ] = False,
    read: Read = None,
    as_json: AsJson = False,
) -> None:
    """Filter, group, sort: run a plan over a file.

    The options make a plan, which `--show-plan` prints. One that `--plan` gives may also clean, and join data
    sets that lie beside FILE; FILE takes the place of its `dataset`. For example:

        airpy query energy.csv -w "kwh > 3" -g site_id -a "sum(kwh) as kwh" --order kwh:desc
        airpy query energy.csv --grain "1 day" -a "mean(kwh), count(*)" -o days.parquet
        airpy query energy.csv -w "site_id in (a, b)" -w "cost is not null" --select site_id,cost
    """
    from airpy.commands.at_hand import checked, read_document  # noqa: PLC0415  the engine is heavy, and help needs none
    from airpy.commands.plan_options import aggregates, conditions, names, orders  # noqa: PLC0415

    document = read_document(plan, "plan") if plan else {}
    options = {
        "filters": conditions(where or []),
        "select": names(select or []),
        "groupby": names(groupby or []),
        "aggs": aggregates(agg or []),
        "grain": grain,
        "time_col": time_col,
        "timezone": timezone,
        "order": orders(order or []),
        "limit": limit,
    }
    if isinstance(document, dict):
        given = {name: value for name, value in options.items() if value not in (None, [])}
        document = {"dataset": file} | document | given | {"dataset": file}
    whole = checked("Plan", document, "plan")
    if show_plan:
        _check_plan(whole)
        print(json.dumps(whole, ensure_ascii=False, indent=2))  # noqa: T201
        return
    _run_query(file, {"plan": whole} | _asked(read), output, as_json=as_json)


def profile(
    file: File,
    outlier_method: Annotated[
        str, typer.Option(metavar="iqr|zscore|mad", help="How outliers are told.")
    ] = "iqr",
    max_hints: Annotated[int, typer.Option(help="The most charts to suggest.", min=0, max=50)] = 6,
    *,
    read: Read = None,
    as_json: AsJson = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """Describe a file: metrics of its columns, correlations, issues, and charts to draw.

    For example:

        airpy profile measurements.parquet
    """
    options = {"outlier_method": outlier_method, "max_hints": max_hints}
    answer = _analysis(file, "profile", options, read)
    if _printed("analyze", answer, as_json=as_json, as_markdown=as_markdown):
        return
    from airpy.commands.reports import show_profile  # noqa: PLC0415
    from airpy.commands.tables import table_console  # noqa: PLC0415

    data = json.loads(answer)
    show_profile(data, table_console())
    _show_reading(data)


def validate(
    file: File,
    rules: Annotated[
        str | None,
        typer.Option(
            metavar="JSON",
            help="A file with a list of rules, or with an answer that proposes some; - for standard input.",
            show_default=False,
        ),
    ] = None,
    *,
    suggest: Annotated[bool, typer.Option("--suggest", help="Propose rules that the file meets.")] = False,
    read: Read = None,
    as_json: AsJson = False,
) -> None:
    """Hold a file to rules; fails when one of severity `error` is not met.

    For example, with this in rules.json:

        [{"rule": "not_null", "col": "kwh"}, {"rule": "in_range", "col": "kwh", "min": 0}]

    … one asks, or has rules proposed:

        airpy validate measurements.csv --rules rules.json
        airpy validate measurements.csv --suggest
    """
    if rules is None and not suggest:
        raise typer.BadParameter("name a file of rules, or ask for some with --suggest", param_hint="--rules")
    from airpy.commands.at_hand import read_document  # noqa: PLC0415

    options: dict[str, Any] = {"suggest": True} if suggest else {}
    if rules is not None:
        options["rules"] = _rules_of(read_document(rules, "rules"))
    answer = _analysis(file, "validate", options, read)
    data = json.loads(answer)
    if as_json:
        _print_json(answer)
    else:
        from airpy.commands.tables import table_console  # noqa: PLC0415
        from airpy.commands.verdicts import show_validation  # noqa: PLC0415

        show_validation(data, table_console())
    if data["validation"]["verdict"] == "fail":
        raise typer.Exit(1)


def compare(
    file: File,
    baseline: Annotated[
        str,
        typer.Argument(
            metavar="BASELINE", help="What FILE is compared with, in the same ways.", show_default=False
        ),
    ],
    *,
    read: Read = None,
    as_json: AsJson = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """Tell what has changed since a baseline; fails when that breaks who relies on the file.

    Columns and keys that are gone or are others break; new columns, and values that have drifted, do not. For
    example:

        airpy compare energy/2025/09 energy/2025/08
    """
    place, before = _find(file).beside(_find(baseline))
    asked = _asked(read)
    request = {
        "job_kind": "compare",
        "plan": {"dataset": place.name},
        "baseline": {"datasource_id": _data_source(), "plan": {"dataset": before}} | asked,
        "options": {"max_hints": 0},
    } | asked
    with TemporaryDirectory(prefix="airpy-") as folder:
        answer = _answer("analyze", place, request, Path(folder))
    data = json.loads(answer)
    if not _printed("analyze", answer, as_json=as_json, as_markdown=as_markdown):
        from airpy.commands.comparisons import show_comparison  # noqa: PLC0415
        from airpy.commands.tables import table_console  # noqa: PLC0415

        show_comparison(data["comparison"], table_console())
        _show_reading(data)
    if data["comparison"]["verdict"] == "breaking":
        raise typer.Exit(1)


def _rules_of(document: Any) -> Any:  # noqa: ANN401  JSON is any
    """The rules in a document: a list, one called `rules`, or those that an answer proposes."""
    if not isinstance(document, dict):
        return document
    proposed = document.get("validation", document)
    if isinstance(proposed, dict) and isinstance(suggested := proposed.get("suggested"), list):
        return [each["rule"] if isinstance(each, dict) and "rule" in each else each for each in suggested]
    return document.get("rules", document)


def _find(file: str) -> AtHand:
    from airpy.commands.at_hand import AtHand  # noqa: PLC0415  the engine is heavy, and help needs none
    from airpy.config import Reading  # noqa: PLC0415

    return AtHand.find(file, Reading.from_env())


def _run_query(file: str, request: dict[str, Any], output: Path | None, *, as_json: bool) -> None:
    from airpy.commands.export import check_export, export, kept_as  # noqa: PLC0415

    if output is not None:
        check_export(output)
    place = _find(file)
    if not as_json:  # no more rows are read back than are shown
        place = place._replace(reading=place.reading.model_copy(update={"max_rows_json": MOST_ROWS}))
    plan = request["plan"] | {"dataset": place.name}
    request |= {"plan": plan, "output": kept_as(output) if output else "json"}
    # Where the answer is to go there is room for it, and its last step is a change of name.
    with TemporaryDirectory(prefix=".airpy-", dir=output.parent if output else None) as folder:
        answer = _answer("query", place, request, Path(folder))
        if output is not None:
            export(Path(folder), output)
    if as_json:
        _print_json(answer)
        return
    from airpy.commands.tables import show_rows, table_console  # noqa: PLC0415
    from airpy.engine.steps import counted  # noqa: PLC0415

    data = json.loads(answer)
    rows = data["metrics"]["rows"]
    if output is not None:
        table_console().print(f"{counted(rows, 'row')} written to {output}", markup=False)
        return
    show_rows(data["rows"], data["schema"]["fields"], table_console())
    _show_count(len(data["rows"]), rows, "-o FILE writes them all")
    _show_reading(data)


def _analysis(file: str, kind: str, options: dict[str, Any], read: Words) -> bytes:
    """The data of an analysis of the whole file."""
    from airpy.commands.at_hand import checked  # noqa: PLC0415

    place = _find(file)
    checked("AnalyzeOptions", options, "options")
    request = {"job_kind": kind, "plan": {"dataset": place.name}, "options": options} | _asked(read)
    with TemporaryDirectory(prefix="airpy-") as folder:
        return _answer("analyze", place, request, Path(folder))


def _answer(kind: Any, place: AtHand, request: dict[str, Any], folder: Path) -> bytes:  # noqa: ANN401  JobType
    """The data of a job, as JSON."""
    with _progress() as on_step:
        place.run(kind, {"datasource_id": _data_source(), **request}, folder, on_step=on_step)
    return (folder / "data.json").read_bytes()


def _data_source() -> str:
    from airpy.commands.at_hand import DATA_SOURCE  # noqa: PLC0415

    return DATA_SOURCE


def _printed(kind: JobType, answer: bytes, *, as_json: bool, as_markdown: bool) -> bool:
    """Whether the answer was printed, as the options ask; JSON, where they ask for both."""
    if as_json:
        _print_json(answer)
    elif as_markdown:
        from airpy.engine.profile.markdown import DOCUMENTS  # noqa: PLC0415

        sys.stdout.buffer.write(DOCUMENTS[kind](json.loads(answer)).encode())
    return as_json or as_markdown


def _read_options(read: Words) -> dict[str, Any]:
    """How files are to be read, as the contract has it."""
    from airpy.commands.at_hand import checked  # noqa: PLC0415
    from airpy.commands.read_options import read_options  # noqa: PLC0415

    return checked("ReadOptions", read_options(read), "read") if read else {}


def _asked(read: Words) -> dict[str, Any]:
    """The part of a request that says how files are to be read."""
    options = _read_options(read)
    return {"read": options} if options else {}


def _check_plan(plan: dict[str, Any]) -> None:
    from airpy.contract import Plan  # noqa: PLC0415
    from airpy.engine.plan import check_plan  # noqa: PLC0415

    check_plan(Plan.model_validate(plan))


@contextmanager
def _progress() -> Iterator[OnStep]:
    """What is to be told of steps: on a terminal a line on stderr shows them, else nobody listens."""
    console = None
    if sys.stderr.isatty():
        from airpy.commands.tables import table_console  # noqa: PLC0415

        console = table_console(stderr=True)
    if console is None or console.is_dumb_terminal:
        from airpy.engine.steps import ignore_steps  # noqa: PLC0415

        yield ignore_steps
    else:
        from airpy.commands.progress import progress_shown  # noqa: PLC0415

        with progress_shown(console) as on_step:
            yield on_step


def _show_count(shown: int, total: int, more: str, *, exact: bool = True) -> None:
    """Say how many rows there are, and how to see those that are not shown."""
    from airpy.commands.tables import table_console  # noqa: PLC0415
    from airpy.engine.steps import counted  # noqa: PLC0415

    about = "" if exact else "about "
    told = (
        f"{about}{counted(total, 'row')}"
        if shown >= total
        else f"… {about}{total - shown:,} more of {counted(total, 'row')}; {more}"
    )
    table_console().print(told, style="dim", markup=False)


def _show_reading(data: dict[str, Any]) -> None:
    """Say how files were read, where that was not plain."""
    from airpy.commands.reports import show_reading  # noqa: PLC0415
    from airpy.commands.tables import table_console  # noqa: PLC0415

    show_reading(data["reading"], table_console())


def _print_json(answer: bytes) -> None:
    sys.stdout.buffer.write(answer + b"\n")
    sys.stdout.buffer.flush()

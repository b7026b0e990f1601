"""The commands on files, as a person calls them."""

from __future__ import annotations

import json
import os
import pty
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from tests.conftest import energy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.service import Service

FILES = ("energy/measurements.parquet", "csv/measurements.csv", "jsonl/measurements.jsonl")
RULES = [
    {"rule": "not_null", "col": "kwh", "severity": "warning"},
    {"rule": "in_range", "col": "kwh", "min": 0, "max": 3},
]


def environment(**settings: str) -> dict[str, str]:
    """An environment with no setting of ours but these, 80 characters wide."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PY_")} | {
        "COLUMNS": "80",
        "REDIS_URL": "unix:///nowhere/redis.sock",
        **settings,
    }


def airpy(
    folder: Path, *arguments: str, given: str = "", **settings: str
) -> subprocess.CompletedProcess[str]:
    """What the command printed, run in the folder."""
    run = subprocess.run(
        [sys.executable, "-m", "airpy", *arguments],
        cwd=folder,
        env=environment(**settings),
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in run.stderr
    return run


def answer(folder: Path, *arguments: str, given: str = "", **settings: str) -> Any:
    """What the command printed for programs."""
    run = airpy(folder, *arguments, "--json", given=given, **settings)
    assert (run.returncode, run.stderr) == (0, "")
    return json.loads(run.stdout)


def lines(text: str) -> list[list[str]]:
    """The words of each line that has any."""
    return [line.split() for line in text.splitlines() if line.strip()]


@pytest.mark.e2e
@pytest.mark.parametrize("file", FILES)
def test_answers_for_programs_are_the_services_own(base: Path, service: Service, file: str) -> None:
    source = {"datasource_id": "energy-files"}
    plan = {
        "dataset": file,
        "filters": [{"col": "kwh", "op": ">", "val": 1}],
        "groupby": ["site_id"],
        "aggs": [{"col": "kwh", "fn": "sum", "as": "kwh"}],
        "grain": "1 day",
        "order": [{"col": "kwh", "dir": "desc"}],
    }
    analysis = {"datasource_id": "energy-files", "plan": {"dataset": file}}
    options = ["--where", "kwh > 1", "--groupby", "site_id", "--agg", "sum(kwh) as kwh", "--grain", "1 day"]

    shown = answer(base, "preview", file)
    columns = answer(base, "schema", file)
    rows = answer(base, "query", file, *options, "--order", "kwh:desc")
    profiled = answer(base, "profile", file)
    judged = answer(base, "validate", file, "--rules", "-", given=json.dumps(RULES))

    assert shown == service.post("preview", source | {"path": file}).json()
    assert columns == service.data("infer_schema", source | {"uri": file})
    measured = service.data("analyze", analysis | {"job_kind": "profile"})
    checked = service.data("analyze", analysis | {"job_kind": "validate", "options": {"rules": RULES}})
    expected = service.data("query", source | {"plan": plan})
    for each in (rows, expected):
        del each["download"], each["metrics"]["execution_time_ms"]
    for each in (profiled, judged, rows, measured, checked, expected):
        del each["provenance"]  # when, and by which request
        for hint in each.get("chart_hints", []):
            # As the file is called from the folder that it is in.
            assert hint["plan"].pop("dataset") in {file, f"./{file.rpartition('/')[2]}"}
    assert (profiled, judged, rows) == (measured, checked, expected)
    assert rows["rows"][0] == {"day": "2025-08-31", "site_id": "site_003", "kwh": 12.0}


def test_the_services_settings_hold_here_too(base: Path) -> None:
    rows = answer(base, "query", "csv/measurements.csv", PY_MAX_ROWS_JSON="2")
    columns = answer(base, "schema", "csv/measurements.csv", PY_INFER_ROWS="5")
    wrong = airpy(base, "schema", "csv/measurements.csv", PY_INFER_ROWS="few")

    assert (len(rows["rows"]), rows["truncated"], rows["metrics"]["rows"]) == (2, True, 36)
    assert columns["stats"]["sampled_rows"] == 5
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "PY_INFER_ROWS" in wrong.stderr


@pytest.mark.parametrize("file", FILES)
def test_a_preview_shows_the_first_rows_and_how_many_there_are(base: Path, file: str) -> None:
    run = airpy(base, "preview", file, "--limit", "4")

    assert (run.returncode, run.stderr) == (0, "")
    assert lines(run.stdout) == [
        ["timestamp", "site_id", "kwh", "cost"],
        ["timestamp", "UTC", "string", "float64", "float64"],
        ["─" * 47],
        ["2025-08-31", "00:00:00", "site_001", "1.0", "0.15"],
        ["2025-08-31", "00:00:00", "site_002", "2.0", "0.30"],
        ["2025-08-31", "00:00:00", "site_003", "3.0", "0.45"],
        ["2025-08-31", "06:00:00", "site_001", "1.0", "0.15"],
        ["…", "32", "more", "of", "36", "rows;", "-n", "shows", "more"],
    ]


def test_directories_globs_links_and_paths_from_anywhere_are_taken(base: Path, tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(base / "csv" / "measurements.csv")
    (tmp_path / "here").mkdir()

    assert answer(base, "preview", "energy")["stats"]["total_rows"] == 36
    assert answer(base, "preview", "*/*.jsonl")["stats"]["total_rows"] == 36
    assert answer(tmp_path, "preview", str(base / "csv"))["stats"]["total_rows"] == 36
    assert answer(tmp_path / "here", "preview", "../link.csv")["stats"]["total_rows"] == 36


def test_a_schema_is_shown_by_column(base: Path) -> None:
    run = airpy(base, "schema", "csv/measurements.csv")

    assert run.returncode == 0
    assert ["kwh", "float64", "2.8%", "3", "1.0"] in lines(run.stdout)  # 1 of 36 is null
    assert ["site_id", "string", "none", "3", "site_001"] in lines(run.stdout)
    assert "36 rows, 4 columns, 1 file" in run.stdout


@pytest.mark.parametrize(
    ("command", "title"),
    [("schema", "# Schema of `measurements.csv`"), ("profile", "# Profile of `measurements.csv`")],
)
def test_a_file_is_described_in_markdown(base: Path, command: str, title: str) -> None:
    run = airpy(base, command, "csv/measurements.csv", "--markdown")

    assert run.returncode == 0
    assert run.stdout.startswith(f"{title}\n\n36 rows, 4 columns, ")
    assert "\n| `site_id` | string | no | 0 % | 3 | " in run.stdout


def test_a_schema_of_a_sample_says_so(base: Path) -> None:
    run = airpy(base, "schema", "csv/measurements.csv", "--infer-rows", "9")

    assert "of 9 rows. --infer-rows 0 reads them all." in run.stdout


def test_a_query_is_made_of_options(base: Path) -> None:
    run = airpy(
        base,
        *("query", "energy", "-w", "site_id in (site_001, site_002)", "-w", "timestamp >= 2025-09-01"),
        *("-g", "site_id", "-a", "sum(kwh) as kwh, count(*)", "--order", "kwh:desc"),
    )

    assert (run.returncode, run.stderr) == (0, "")
    # Four readings on each of two days.
    assert lines(run.stdout)[3:] == [["site_002", "16.0", "8"], ["site_001", "8.0", "8"], ["2", "rows"]]


def test_a_plan_is_shown_and_taken_again(base: Path, tmp_path: Path) -> None:
    options = ["--select", "site_id,kwh", "--where", "kwh > 2", "--limit", "2", "--timezone", "Europe/Berlin"]

    shown = airpy(base, "query", "csv/measurements.csv", *options, "--show-plan")
    (tmp_path / "plan.json").write_text(shown.stdout)
    again = answer(base, "query", "energy", "--plan", str(tmp_path / "plan.json"))
    piped = answer(base, "query", "energy", "--plan", "-", "--limit", "1", given=shown.stdout)

    assert json.loads(shown.stdout) == {
        "dataset": "csv/measurements.csv",
        "filters": [{"col": "kwh", "op": ">", "val": 2}],
        "select": ["site_id", "kwh"],
        "timezone": "Europe/Berlin",
        "limit": 2,
    }
    assert again["rows"] == [{"site_id": "site_003", "kwh": 3.0}] * 2
    assert piped["rows"] == [{"site_id": "site_003", "kwh": 3.0}]


def test_a_plan_joins_what_lies_beside_the_file(tmp_path: Path) -> None:
    energy().write_csv(tmp_path / "energy.csv")
    pl.DataFrame({"site_id": ["site_002"], "region": ["north"]}).write_csv(tmp_path / "sites.csv")
    plan = {
        "joins": [{"dataset": "sites", "on": ["site_id"]}],
        "groupby": ["region"],
        "aggs": [{"fn": "count"}],
    }

    assert answer(tmp_path, "query", "energy.csv", "--plan", "-", given=json.dumps(plan))["rows"] == [
        {"region": "north", "count": 12}
    ]


@pytest.mark.parametrize("extension", ["arrow", "parquet", "csv", "json", "jsonl"])
def test_an_answer_is_written_whole(base: Path, tmp_path: Path, extension: str) -> None:
    target = tmp_path / f"out.{extension}"

    run = airpy(base, "query", "energy", "--where", "kwh >= 0", "-o", str(target))

    read = {
        "arrow": pl.read_ipc_stream,
        "parquet": pl.read_parquet,
        "csv": lambda path: pl.read_csv(path, try_parse_dates=True),
        "json": lambda path: pl.DataFrame(json.loads(path.read_text())),
        "jsonl": pl.read_ndjson,
    }[extension]
    written = read(target)  # type: ignore[no-untyped-call]
    assert (run.returncode, run.stdout.split()[:3]) == (0, ["35", "rows", "written"])
    assert written.drop("timestamp").equals(energy().drop_nulls().drop("timestamp"))
    if extension in {"json", "jsonl"}:
        assert written["timestamp"][0] == "2025-08-31T00:00:00Z"
    else:
        assert written["timestamp"].to_list() == energy().drop_nulls()["timestamp"].to_list()
    assert [path.name for path in tmp_path.iterdir()] == [target.name]  # no draft is left


@pytest.mark.parametrize("extension", ["csv", "json", "jsonl"])
def test_an_answer_without_rows_is_written(base: Path, tmp_path: Path, extension: str) -> None:
    airpy(base, "query", "energy", "--where", "kwh > 99", "-o", str(tmp_path / f"out.{extension}"))

    assert (tmp_path / f"out.{extension}").read_text() == {
        "csv": "timestamp,site_id,kwh,cost\n",
        "json": "[]\n",
        "jsonl": "",
    }[extension]


def test_a_file_may_be_replaced_by_its_own_answer(tmp_path: Path) -> None:
    energy().write_csv(tmp_path / "energy.csv")

    airpy(tmp_path, "query", "energy.csv", "--limit", "3", "-o", "energy.csv")

    assert pl.read_csv(tmp_path / "energy.csv").height == 3


@pytest.mark.parametrize(
    ("target", "code", "told"),
    [
        ("out.xlsx", 2, "Try out.arrow or out.parquet"),
        ("nowhere/out.csv", 1, 'there is no directory "nowhere"'),
        ("folder.csv", 1, '"folder.csv" is a directory'),
    ],
)
def test_what_cannot_be_written_is_told(tmp_path: Path, target: str, code: int, told: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    pl.DataFrame({"a": [[1]]}).write_parquet(tmp_path / "data.parquet")

    run = airpy(tmp_path, "query", "data.parquet", "-o", target)

    assert (run.returncode, run.stdout) == (code, "")
    assert told in run.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.parquet", "folder.csv"]


def test_nested_values_are_json_in_csv(tmp_path: Path) -> None:
    pl.DataFrame({"a": [[1, 2]]}).write_parquet(tmp_path / "data.parquet")

    run = airpy(tmp_path, "query", "data.parquet", "-o", "nested.csv")

    assert run.returncode == 0
    assert (tmp_path / "nested.csv").read_bytes() == b'a\r\n"[1,2]"\r\n'


def test_a_profile_is_shown_with_metrics_issues_and_charts(base: Path) -> None:
    run = airpy(base, "profile", "csv/measurements.csv")

    told = lines(run.stdout)
    assert run.returncode == 0
    assert ["kwh", "float64", "1", "3", "–", "–"] in told  # nulls, distinct values, zeros, outliers
    assert ["timestamp", "2025-08-31", "00:00:00", "2025-09-02", "18:00:00"] in told
    assert ["kwh", "cost", "1.000"] in told
    # In 35 of the 36 rows neither is missing.
    assert ["HIGH_CORRELATION", "kwh", "35", "(97.2%)"] in [line[:4] for line in told]
    assert ["line", "timestamp", "kwh", "kwh", "over", "time"] in [line[:6] for line in told]
    assert all(len(line) <= 80 for line in run.stdout.splitlines())


@pytest.mark.parametrize(
    ("top", "severity", "code", "verdict"),
    [(3, "error", 0, "✓ pass"), (2, "warning", 0, "! warn"), (2, "error", 1, "✗ fail")],
)
def test_a_validation_ends_as_its_verdict_says(
    base: Path, tmp_path: Path, top: int, severity: str, code: int, verdict: str
) -> None:
    rules = [{"rule": "in_range", "col": "kwh", "max": top, "severity": severity}]
    (tmp_path / "rules.json").write_text(json.dumps(rules))

    run = airpy(base, "validate", "energy", "--rules", str(tmp_path / "rules.json"))
    as_json = airpy(base, "validate", "energy", "--json", "--rules", "-", given=json.dumps({"rules": rules}))

    assert run.returncode == as_json.returncode == code
    assert run.stdout.splitlines()[-1].startswith(verdict)
    assert json.loads(as_json.stdout)["validation"]["verdict"] == verdict.split()[1]


def test_rows_that_fail_are_counted_and_shown_with_their_numbers(base: Path) -> None:
    rules = [
        {"rule": "in_range", "col": "kwh", "max": 2, "name": "modest"},
        {"rule": "not_null", "col": "cost"},
    ]

    run = airpy(base, "validate", "energy", "--rules", "-", given=json.dumps(rules))

    told = lines(run.stdout)
    assert run.returncode == 1
    # 11 of the 35 readings are of 3 kWh, the first of them in the third row; the last of all is missing.
    assert ["✗", "modest", "35", "11", "(31.4%)", "from", "1", "to", "3"] in [
        [word.removesuffix(".0") for word in line] for line in told
    ]
    assert "modest: the first of 11 rows" in run.stdout
    assert ["3", "3.0", "2025-08-31", "00:00:00", "site_003", "0.45"] in told
    assert "not_null(cost): the rows" in run.stdout
    assert run.stdout.splitlines()[-1].startswith("✗ fail")


def test_rules_are_proposed_and_may_be_handed_back(base: Path, tmp_path: Path) -> None:
    run = airpy(base, "validate", "energy", "--suggest")
    as_json = airpy(base, "validate", "energy", "--suggest", "--json")
    (tmp_path / "answer.json").write_text(as_json.stdout)
    again = airpy(base, "validate", "energy", "--rules", str(tmp_path / "answer.json"))

    assert (run.returncode, as_json.returncode) == (0, 0)
    assert '{"rule": "not_null", "col": "site_id"}' in run.stdout
    assert "none of 36 values is null" in run.stdout
    assert again.stdout.splitlines()[-1].startswith("✓ pass")


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        ("preview csv/mesurements.csv", 1, 'did you mean "csv/measurements.csv"?'),
        ("preview nowhere/x.csv", 1, 'there is no directory "nowhere"'),
        ("preview csv/*.parquet", 1, 'no data file that matches "*.parquet"'),
        ("schema notes.txt", 1, "Try notes.csv or notes.parquet or notes.jsonl."),
        ("preview .", 1, "holds files of different formats"),
        ("profile broken.parquet", 1, "Is it whole, may you read it"),
        ("preview s3://bucket/x.csv", 1, "Allowed: PY_CLOUD_PREFIXES: none."),
        ("query energy -w kwhh>3", 1, 'unknown column "kwhh"; did you mean "kwh"?'),
        ("query energy -w kwh~3", 1, "plan.filters[0].op: '~' is not one of: =, =="),
        ("query energy -w kwh", 2, '--where "kwh" is no condition'),
        ("query energy -w site_id=7", 1, "text of digits is quoted once more"),
        ("query energy -a sume(kwh)", 1, 'did you mean "sum"?'),
        ("query energy --grain 1day", 1, "plan.grain"),
        ("query energy --order kwh -g site_id", 1, 'no column "kwh" to order by'),
        ("query energy --plan nothing.json", 1, '--plan "nothing.json" cannot be read'),
        ("query energy --plan -", 1, "--plan is not valid JSON"),
        ("validate energy --rules -", 1, "--rules is not valid JSON"),
        ("profile energy --outlier-method zscor", 1, 'did you mean "zscore"?'),
        ("preview energy --limit 0", 2, "--limit"),
        ("validate energy", 2, "--rules"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(
    tmp_path: Path, base: Path, command: str, code: int, told: str
) -> None:
    for place in base.iterdir():
        (tmp_path / place.name).symlink_to(place)
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and nothing else")

    run = airpy(tmp_path, *command.split(), COLUMNS="160")

    assert (run.returncode, run.stdout) == (code, "")
    assert told in run.stderr
    assert code == 2 or len(run.stderr.splitlines()) <= 2


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    run = airpy(tmp_path, "preview", os.fsdecode(b"\xff.csv"))

    assert (run.returncode, run.stdout) == (1, "")
    assert "is not valid Unicode" in run.stderr


def test_a_plan_that_contradicts_itself_is_not_shown(base: Path) -> None:
    run = airpy(base, "query", "energy", "--time-col", "timestamp", "--show-plan")

    assert (run.returncode, run.stdout) == (1, "")
    assert "there is neither plan.grain nor plan.resample" in run.stderr


def test_what_is_piped_has_no_colors_and_a_reader_may_leave(base: Path) -> None:
    run = airpy(base, "preview", "energy")
    left = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m airpy query energy --json | head -c 1"],
        cwd=base,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert "\x1b" not in run.stdout
    assert (left.stdout, left.stderr) == ("{", "")


def test_what_has_changed_since_a_baseline_is_shown(tmp_path: Path) -> None:
    for folder, rows in {"old": "1,a,9\n2,b,9\n3,a,9\n4,b,9\n", "new/er": "1,a,x\n2,c,y\n"}.items():
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "rows.csv").write_text(f"id,kind,{'n' if folder == 'old' else 'm'}\n{rows}")

    run = airpy(tmp_path, "compare", "new/er/rows.csv", "old/rows.csv")
    as_json = airpy(tmp_path, "compare", "new/er/rows.csv", "old/rows.csv", "--json")
    as_markdown = airpy(tmp_path, "compare", "new/er/rows.csv", "old/rows.csv", "--markdown")
    same = airpy(tmp_path, "compare", "old/rows.csv", str(tmp_path / "old" / "*.csv"))

    told = lines(run.stdout)
    assert (run.returncode, run.stderr) == (1, "")
    assert told[0] == ["4", "rows", "before,", "2", "now", "(-50.0%)"]
    assert ["✗", "n", "int64", "–", "it", "is", "gone"] in told
    assert ["·", "m", "–", "string", "it", "is", "new"] in told
    assert "new: c; gone: b" in run.stdout
    assert run.stdout.splitlines()[-1] == "✗ breaking"
    assert all(len(line) <= 80 for line in run.stdout.splitlines())
    assert as_json.returncode == as_markdown.returncode == 1
    assert json.loads(as_json.stdout)["comparison"]["rows"]["after"] == 2
    assert "## Since the baseline: breaking" in as_markdown.stdout
    assert (same.returncode, same.stdout) == (0, "4 rows before, 4 now\n✓ same\n")


def test_a_baseline_that_is_not_there_is_told(base: Path) -> None:
    run = airpy(base, "compare", "csv/measurements.csv", "csv/measurement.csv")

    assert run.returncode == 1
    assert "csv/measurements.csv" in run.stderr


@pytest.mark.parametrize("command", ["preview", "schema", "query", "profile"])
def test_commands_on_files_import_nothing_of_the_service(base: Path, command: str) -> None:
    program = (
        "import sys; from airpy.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*{'connexion', 'dramatiq', 'httpx2', 'jwt', 'redis', 'structlog', 'uvicorn'} & {*sys.modules})"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, command, "energy"],
        cwd=base,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert run.stderr == ""
    assert run.stdout.splitlines()[-1] == ""


def in_terminal(folder: Path, *arguments: str, **settings: str) -> tuple[str, str]:
    """What the command printed to its output, and to the terminal that its errors go to."""
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-m", "airpy", *arguments],
            cwd=folder,
            env=environment(TERM="xterm", **settings),
            stdout=subprocess.PIPE,
            stderr=theirs,
        ) as process:
            os.close(theirs)
            drawn = b""
            try:
                while more := os.read(ours, 65_536):
                    drawn += more
            except OSError:  # how the kernel says that nobody has the other end any more
                pass
            printed = process.stdout.read() if process.stdout else b""
        assert process.returncode == 0, drawn
    finally:
        os.close(ours)
    return printed.decode(), drawn.decode()


def test_a_terminal_sees_steps_and_how_far_the_work_is(tmp_path: Path) -> None:
    # Each of a million rows has ten bytes and more.
    pl.DataFrame({"number": pl.int_range(10**9, 10**9 + 1_000_000, eager=True)}).write_csv(
        tmp_path / "long.csv"
    )

    printed, drawn = in_terminal(tmp_path, "query", "long.csv", "-a", "max(number)", "--json")

    assert json.loads(printed)["rows"] == [{"number_max": 10**9 + 999_999}]
    assert "Computing 1 aggregate" in drawn
    assert "of 11.0 MB" in drawn  # 11 bytes a row


def test_a_terminal_without_colors_gets_none(base: Path) -> None:
    _, drawn = in_terminal(base, "query", "energy", NO_COLOR="1")

    assert "Collecting" in drawn or "collecting" in drawn
    assert "\x1b[3" not in drawn


ODD = {
    "semicolons.csv": "a;b\n1;x\n2;y\n",
    "codes.csv": "zip,n\n00501,1\n10001,2\n",
}


@pytest.mark.parametrize(
    ("command", "name", "options", "told"),
    [
        ("preview", "semicolons.csv", [], "delimited by ';'"),
        ("schema", "semicolons.csv", [], "delimited by ';'"),
        ("query", "semicolons.csv", [], "delimited by ';'"),
        ("profile", "semicolons.csv", [], "delimited by ';'"),
        ("preview", "semicolons.csv", ["-r", "header=false"], "without a header"),
    ],
)
def test_a_person_is_told_how_odd_files_were_read(
    tmp_path: Path, command: str, name: str, options: list[str], told: str
) -> None:
    (tmp_path / name).write_text(ODD[name])

    run = airpy(tmp_path, command, name, *options)

    assert run.returncode == 0
    assert told in " ".join(run.stdout.split())


@pytest.mark.parametrize(
    ("options", "names", "types"),
    [
        ([], ["zip", "n"], ["string", "int64"]),
        (["types=string"], ["zip", "n"], ["string", "string"]),
        (["types.zip=int64"], ["zip", "n"], ["int64", "int64"]),
        (["header=false"], ["column_1", "column_2"], ["string", "string"]),
        (["skip=1", "header=false"], ["column_1", "column_2"], ["string", "int64"]),
        (["delimiter=;"], ["zip,n"], ["string"]),
    ],
)
def test_options_say_how_a_file_is_read(
    tmp_path: Path, options: list[str], names: list[str], types: list[str]
) -> None:
    (tmp_path / "codes.csv").write_text(ODD["codes.csv"])

    shown = answer(tmp_path, "preview", "codes.csv", *(word for option in options for word in ("-r", option)))

    fields = shown["schema"]["fields"]
    assert [field["name"] for field in fields] == names
    assert [field["type"] for field in fields] == types


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("delimitr=;", 'did you mean "delimiter"?'),
        ("header", "sets nothing"),
        ("header=maybe", '"maybe" is not of type "boolean"'),
        ("skip=-1", "read.skip"),
        ("types.zip=number", "read.types"),
        ("on_error=ignore", "read.on_error"),
    ],
)
def test_an_option_that_means_nothing_is_refused(tmp_path: Path, option: str, told: str) -> None:
    (tmp_path / "codes.csv").write_text(ODD["codes.csv"])

    run = airpy(tmp_path, "preview", "codes.csv", "-r", option)

    assert run.returncode in {1, 2}
    assert told in run.stderr


def test_null_markers_and_types_are_read_from_their_options() -> None:
    from airpy.commands.read_options import read_options

    assert read_options(
        ["null_markers=-", "null_markers=", "types.a=date", "types.b.c=string", "skip=3", "infer_rows=0"]
    ) == {
        "null_markers": ["-", ""],
        "types": {"a": "date", "b.c": "string"},
        "skip": 3,
        "infer_rows": 0,
    }


def test_options_are_written_as_they_are_read() -> None:
    from airpy.commands.read_options import read_options, written

    texts = ["types.a b=date", "null_markers=-", "null_markers=n/a", "header=false", "skip=3", "delimiter=;"]

    assert sorted(written(read_options(texts))) == sorted(texts)
    assert written({"types": "string", "on_error": "fail"}) == ["types=string"]
    assert written({"null_markers": []}) == ["null_markers="]


def test_what_helps_is_told_as_options_that_do(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n m\n1\nx\n")
    options = ["-r", "types.n m=int64", "-r", "delimiter=;"]

    failed = airpy(tmp_path, "query", "a.csv", *options)
    _, _, told = failed.stderr.partition("Try ")
    mended = airpy(tmp_path, "query", "a.csv", *shlex.split(told.removesuffix(".\n")))

    assert failed.returncode == 1
    assert told == "-r 'delimiter=;' -r 'types.n m=int64' -r on_error=null.\n"
    assert mended.returncode == 0

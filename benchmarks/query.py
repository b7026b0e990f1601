"""How long a heavy query takes through the service, beside raw Polars and DuckDB.

    python benchmarks/query.py [rounds] [format/plan …]

TPC-H's `lineitem` at scale 1 (6 million rows) as Parquet, CSV and JSONL, made once under benchmarks/data, and
three plans, in peers.py. The service's time is its caller's: from the POST, over polls of 5 ms or a twentieth
of the time gone by, to the last byte of the Arrow download. A peer does the same work in a fresh process, and
its imports are not counted. They take turns, and the best of the rounds counts. All answers are compared
before anything is reported.

Memory is sampled every 10 ms: of the service the server and the job's child together, of a peer its process.
`anonymous` is memory that is the process's own, `resident` has the mapped files as well.
"""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import psutil
from beside import SETTLE_S
from memory import Memory, watched
from peers import PLANS
from polars.testing import assert_frame_equal
from service import DATA, Caller, running

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMATS = ("parquet", "csv", "jsonl")
CASES = [f"{form}/{plan}" for form in FORMATS for plan in PLANS]
SIDES = ("service", "polars", "duckdb")


class Measured(NamedTuple):
    """One run of one plan."""

    seconds: float
    memory: Memory


def main(rounds: int, cases: Sequence[str]) -> None:
    """Make the data, measure, compare the answers and print."""
    make_data()
    print(f"lineitem, 6,001,215 rows; best of {rounds} rounds; {dt.datetime.now(dt.UTC):%Y-%m-%d}")
    print(f"{'':<17}{'seconds':^24}{'service by':^16}{'anonymous MiB':^24}{'resident MiB':^24}")
    names = "".join(f"{side:>8}" for side in SIDES)
    print(f"{'format/plan':<17}{names}{'polars':>8}{'duckdb':>8}{names}{names}")
    with tempfile.TemporaryDirectory() as folder, running(DATA) as service, Caller(service.url) as caller:
        for case in cases:
            form, _, plan = case.partition("/")
            runs: dict[str, list[Measured]] = {side: [] for side in SIDES}
            answers = {side: Path(folder, f"{side}.arrow") for side in SIDES}
            for _ in range(rounds):
                runs["service"].append(in_service(caller, plan, form, answers["service"]))
                for peer in ("polars", "duckdb"):
                    runs[peer].append(in_peer(peer, plan, form, answers[peer]))
            same_answers(plan, answers)
            print_row(case, runs)


def make_data() -> None:
    """Write the table in the three formats, those that are not there yet."""
    DATA.mkdir(exist_ok=True)
    generator = Path(sys.executable).with_name("tpchgen-cli")
    for form in ("parquet", "csv"):
        if not Path(DATA, f"lineitem.{form}").exists():
            subprocess.run(
                [generator, form, "--scale-factor=1", "--tables=lineitem", f"--output-dir={DATA}"], check=True
            )
    target = Path(DATA, "lineitem.jsonl")
    if not target.exists():
        draft = target.with_suffix(".draft")
        # JSON has no decimals; Polars would write them as strings.
        numbers = pl.selectors.decimal().cast(pl.Float64)
        pl.scan_parquet(DATA / "lineitem.parquet").with_columns(numbers).sink_ndjson(draft)
        draft.rename(target)


def in_service(caller: Caller, plan: str, form: str, target: Path) -> Measured:
    """The plan over HTTP, its download read to the end."""
    time.sleep(SETTLE_S)
    server, children = processes()
    body = {
        "datasource_id": "bench",
        "plan": {"dataset": f"lineitem.{form}", **PLANS[plan]},
        "output": "arrow",
    }
    with watched(always=[server], one_of=children) as peak:
        began = time.perf_counter()
        token = caller.submit("query", body)
        caller.wait(token)
        caller.download(token, target)
        seconds = time.perf_counter() - began
    time.sleep(SETTLE_S)
    return Measured(seconds, peak.memory)


def processes() -> tuple[int, list[int]]:
    """The server, and the children of the worker that stand ready for a job."""
    server, children = 0, []
    for process in psutil.Process().children():
        command = process.cmdline()
        if "serve" in command:
            server = process.pid
        elif "airpy.worker" in command:
            children = [child.pid for child in process.children(recursive=True)]
    return server, children


def in_peer(peer: str, plan: str, form: str, target: Path) -> Measured:
    """The plan in raw Polars or DuckDB."""
    script, source = Path(__file__).with_name("peers.py"), DATA / f"lineitem.{form}"
    command = [sys.executable, str(script), peer, plan, str(source), str(target)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process,
        watched([process.pid]) as peak,
    ):
        said, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"{peer} failed with {process.returncode}")
    return Measured(float(said), peak.memory)


def same_answers(plan: str, answers: dict[str, Path]) -> None:
    """Stop unless all three are equal, floats to a millionth, whatever the types and the order of rows."""
    keys = PLANS[plan].get("groupby", [])
    numbers = pl.selectors.numeric().cast(pl.Float64)
    frames = {side: pl.read_ipc_stream(path).with_columns(numbers) for side, path in answers.items()}
    for peer in ("polars", "duckdb"):
        ours, theirs = (frames[side].sort(keys) if keys else frames[side] for side in ("service", peer))
        assert_frame_equal(ours, theirs, check_column_order=False, check_dtypes=False, rel_tol=1e-6)


def print_row(case: str, runs: dict[str, list[Measured]]) -> None:
    """One line of the table."""
    seconds = {side: min(run.seconds for run in runs[side]) for side in SIDES}
    anonymous = {side: max(run.memory.anonymous for run in runs[side]) for side in SIDES}
    resident = {side: max(run.memory.resident for run in runs[side]) for side in SIDES}
    print(
        f"{case:<17}"
        + "".join(f"{seconds[side]:>8.3f}" for side in SIDES)
        + "".join(f"{seconds['service'] / seconds[peer]:>8.2f}" for peer in SIDES[1:])
        + "".join(f"{anonymous[side]:>8.0f}" for side in SIDES)
        + "".join(f"{resident[side]:>8.0f}" for side in SIDES),
        flush=True,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3, sys.argv[2:] or CASES)

"""How long a whole profile of a table takes through the service, beside DuckDB, Polars and ydata-profiling.

    python benchmarks/profile.py [rounds] [part …]

Parts: `scale1` and `scale4`, TPC-H's `lineitem` (6 and 24 million rows of 16 columns) as Parquet, beside
DuckDB's `SUMMARIZE` and Polars' `describe`, which give a tenth of the metrics; `small`, its first 100,000
rows and its first million, beside ydata-profiling, which gives about the same; `again`, the same file when
it is known, and a folder of eight of which one is new; `frames`, frames of 10,000 rows and 12 columns, sent
with the request.

The service's time is its caller's, from the POST to the answer. A peer works in a fresh process, and its
imports are not counted. They take turns, and the best of the rounds counts. Memory is that of the job's
child, sampled every 10 ms. ydata-profiling asks for older libraries, and is given an environment of its own.
"""

from __future__ import annotations

import base64
import datetime as dt
import io
import math
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

sys.path.append(sys.path.pop(0))  # the standard library's own `profile` comes before this one

import polars as pl
import psutil
from memory import watched
from service import DATA, Caller, running

if TYPE_CHECKING:
    from collections.abc import Sequence

PARTS = ("scale1", "scale4", "small", "again", "frames")
SMALL_ROWS = (100_000, 1_000_000)
FILES = 8
FRAMES = 100
SETTLE_S = 0.5
AIMS = {"duckdb": "at most 1", "polars": "none", "ydata": "at most 0.05"}


class Run(NamedTuple):
    """A profile by the service."""

    seconds: float
    mebibytes: float
    columns: int


def main(rounds: int, parts: Sequence[str]) -> None:
    """Make the data, measure and print."""
    print(f"profiles; best of {rounds} rounds; {dt.datetime.now(dt.UTC):%Y-%m-%d}")
    with running(DATA) as service, Caller(service.url) as caller:
        for part in parts:
            match part:
                case "scale1":
                    beside(caller, table(1), ("duckdb", "polars"), rounds)
                case "scale4":
                    beside(caller, table(4), ("duckdb",), rounds)
                case "small":
                    for rows in SMALL_ROWS:
                        beside(caller, first_rows(rows), ("duckdb", "ydata"), rounds)
                case "again":
                    again(caller)
                case "frames":
                    frames(caller)


def beside(caller: Caller, path: Path, peers: Sequence[str], rounds: int) -> None:
    """The service and its peers in turns over one file."""
    best = dict.fromkeys(["service", *peers], math.inf)
    most = 0.0
    for number in range(rounds):
        run = profiled(caller, path.name, anew=1 + number)
        best["service"], most = min(best["service"], run.seconds), max(most, run.mebibytes)
        for peer in peers:
            best[peer] = min(best[peer], of_peer(peer, path))
    print(f"{path.name}: service {best['service']:.2f} s, at most {most:.0f} MiB")
    for peer in peers:
        ratio = best["service"] / best[peer]
        print(f"    {peer} {best[peer]:.2f} s; service by {peer} {ratio:.3f} (aim: {AIMS[peer]})", flush=True)


def profiled(caller: Caller, dataset: str, anew: int = 0) -> Run:
    """A profile of a data set, in which nothing is known that was found for another number `anew`."""
    time.sleep(SETTLE_S)
    body: dict[str, Any] = {"datasource_id": "bench", "plan": {"dataset": dataset}, "job_kind": "profile"}
    # What is known of a file is known of one way to read it; Parquet is read the same by all of these.
    body["read"] = {"infer_rows": 1_000 + anew}
    with watched(one_of=children()) as peak:
        began = time.perf_counter()
        job = caller.follow(caller.submit("analyze", body))
        seconds = time.perf_counter() - began
    return Run(seconds, peak.memory.anonymous, len(job["data"]["metrics"]["column_metrics"]))


def children() -> list[int]:
    """The children of the worker that stand ready for a job."""
    workers = [each for each in psutil.Process().children() if "airpy.worker" in each.cmdline()]
    return [child.pid for worker in workers for child in worker.children(recursive=True)]


def again(caller: Caller) -> None:
    """What is known need not be measured again."""
    path = table(1)
    first, second = profiled(caller, path.name), profiled(caller, path.name)
    print(f"{path.name}: first {first.seconds:.2f} s, known {second.seconds:.2f} s")
    folder = DATA / "profile-parts"
    folder.mkdir(exist_ok=True)
    rows = 6_001_215 // FILES
    for number in range(FILES):
        pl.scan_parquet(path).slice(number * rows, rows).sink_parquet(folder / f"part-{number}.parquet")
    time.sleep(3)  # a file that has just been written may change again
    first = profiled(caller, folder.name)
    known = profiled(caller, folder.name)
    pl.scan_parquet(path).slice(17, rows).sink_parquet(folder / f"part-{FILES - 1}.parquet")
    time.sleep(3)
    new = profiled(caller, folder.name)
    took = (
        f"{name} {run.seconds:.2f} s" for name, run in (("first", first), ("known", known), ("one new", new))
    )
    print(f"{FILES} files: {', '.join(took)}")


def frames(caller: Caller) -> None:
    """Frames of the usual size, one after the other."""
    took = []
    for number in range(FRAMES):
        data = base64.b64encode(frame(number)).decode()
        body = {"frame_ref": {"type": "arrow", "data": data}, "job_kind": "eda"}
        time.sleep(0.1)
        began = time.perf_counter()
        caller.follow(caller.submit("analyze", body))
        took.append((time.perf_counter() - began) * 1000)
    p50, p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
    print(f"{FRAMES} frames of 10,000 x 12: p50 {p50:.0f} ms, p95 {p95:.0f} ms (aim: 250)")


def frame(seed: int) -> bytes:
    """10,000 rows of readings, as an Arrow IPC stream."""
    made = random.Random(seed)  # noqa: S311  no secret
    rows = 10_000
    begin = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    readings = pl.DataFrame(
        {
            "timestamp": [begin + dt.timedelta(minutes=15 * (row // 10)) for row in range(rows)],
            "site_id": [f"site_{row % 10:03}" for row in range(rows)],
            **{f"reading_{n}": [made.gauss(100, 20) for _ in range(rows)] for n in range(6)},
            "count": [made.randrange(100) for _ in range(rows)],
            "alarm": [made.random() < 0.1 for _ in range(rows)],
            "kind": [made.choice(["solar", "wind", "gas", None]) for _ in range(rows)],
            "note": [f"note {made.randrange(5000)}" for _ in range(rows)],
        }
    )
    sink = io.BytesIO()
    readings.write_ipc_stream(sink)
    return sink.getvalue()


def of_peer(peer: str, path: Path) -> float:
    """The seconds that a peer takes."""
    python = ydata_python() if peer == "ydata" else Path(sys.executable)
    script = Path(__file__).with_name("profile_peers.py")
    command = [str(python), "-P", str(script), peer, str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return float(done.stdout.split()[-1])


def ydata_python() -> Path:
    """The interpreter of an environment with ydata-profiling, which is made once."""
    python = DATA / ".ydata" / "bin" / "python"  # mypy looks into no folder whose name is hidden
    if not python.exists():
        uv = Path(sys.executable).with_name("uv")
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, DATA / ".ydata"], check=True)
        needed = ["ydata-profiling", "setuptools<81", "pyarrow"]
        subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *needed], check=True)
    return python


def table(scale: int) -> Path:
    """The table at a scale, made where it is not there yet."""
    path = DATA / ("lineitem.parquet" if scale == 1 else f"lineitem-{scale}.parquet")
    if not path.exists():
        DATA.mkdir(exist_ok=True)
        folder = DATA / f"scale-{scale}"
        generator = Path(sys.executable).with_name("tpchgen-cli")
        options = [f"--scale-factor={scale}", "--tables=lineitem", f"--output-dir={folder}"]
        subprocess.run([generator, "parquet", *options], check=True)
        (folder / "lineitem.parquet").rename(path)
        folder.rmdir()
    return path


def first_rows(rows: int) -> Path:
    """So many rows of the table, from its first on."""
    path = DATA / f"lineitem-{rows}.parquet"
    if not path.exists():
        pl.scan_parquet(table(1)).head(rows).sink_parquet(path)
    return path


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2, sys.argv[2:] or PARTS)

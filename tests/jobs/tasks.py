"""Functions that tests run in a sandbox's child.

Nothing of ours is imported at the top, so that a child which imports this module shows what it had already.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from pathlib import Path

OnStep = Any


def add(left: int, right: int, *, on_step: OnStep) -> int:
    """The sum, after two steps that say the parts."""
    on_step("loading_data", str(left))
    on_step("aggregating", str(right))
    return left + right


def process_id(*, on_step: OnStep) -> int:
    """The child's process number."""
    del on_step
    return os.getpid()


def parent_id(*, on_step: OnStep) -> int:
    """The fork server's process number."""
    del on_step
    return os.getppid()


def refuse(*, on_step: OnStep) -> NoReturn:
    """Raise an error of ours."""
    from airpy.errors import UnknownColumn

    del on_step
    raise UnknownColumn.among("kwhh", ["kwh", "cost"], "plan.select[0]")


def raise_error(error: BaseException, *, on_step: OnStep) -> NoReturn:
    """Raise the error given."""
    del on_step
    raise error


def panic(*, on_step: OnStep) -> NoReturn:
    """Raise what the engine raises when its native code panics; it is no Exception."""
    import polars as pl

    del on_step
    raise pl.exceptions.PanicException("index out of bounds")


def leave(code: int, *, on_step: OnStep) -> NoReturn:
    """End the process without an answer."""
    del on_step
    os._exit(code)


def die(signal: int, last_words: str = "", *, on_step: OnStep) -> NoReturn:
    """End the process by a signal."""
    del on_step
    os.write(2, last_words.encode())
    os.kill(os.getpid(), signal)
    raise AssertionError("the signal did not arrive")


def sleep(seconds: float, *, on_step: OnStep) -> None:
    """Report a step, and take a while."""
    on_step("loading_data", str(os.getpid()))
    time.sleep(seconds)


def leave_a_file(seconds: float, *, on_step: OnStep) -> None:
    """Make a temporary file, say where, and take a while."""
    with tempfile.NamedTemporaryFile() as file:
        on_step("loading_data", file.name)
        time.sleep(seconds)


def reserve(mebibytes: int, *, on_step: OnStep) -> int:
    """Ask for memory at once."""
    del on_step
    return len(bytearray(mebibytes << 20))


def hold(mebibytes: int, seconds: float, *, on_step: OnStep) -> int:
    """Use memory, for a while."""
    del on_step
    held = b"x" * (mebibytes << 20)
    time.sleep(seconds)
    return len(held)


def fill_with_polars(rows: int, *, on_step: OnStep) -> int:
    """Make the engine hold so many numbers."""
    import polars as pl

    del on_step
    return pl.select(pl.int_range(rows).sort(descending=True)).height


def ask_of_polars(rows: int, *, on_step: OnStep) -> int:
    """Make the engine ask for so many numbers' memory at once, upon which it aborts."""
    import polars as pl

    del on_step
    return pl.repeat(1, rows, eager=True).len()


def fill_with_pyarrow(mebibytes: int, *, on_step: OnStep) -> int:
    """Make Arrow hold so much memory, in one piece."""
    import pyarrow as pa

    del on_step
    block = pa.array([bytes(1 << 20)])
    return int(pa.concat_arrays([block] * mebibytes).nbytes)


def query(rows: int, *, on_step: OnStep) -> int:
    """Run a query on the engine's threads."""
    import polars as pl

    del on_step
    frame = pl.LazyFrame({"group": [row % 7 for row in range(rows)]})
    return int(frame.group_by("group").len().collect(engine="streaming")["len"].sum())


def unsendable(*, on_step: OnStep) -> Callable[[], None]:
    """Give back what cannot be pickled."""
    del on_step
    return lambda: None


def send_loaded_modules(pipe: Connection) -> None:
    """Send what this process has imported before anything was asked of it."""
    pipe.send(sorted(sys.modules))


def late_imports(base: Path, folder: Path, *, on_step: OnStep) -> list[str]:
    """Modules, but for those of Python itself, that a query imported only when it ran."""
    from airpy.contract import QueryRequest
    from airpy.files.paths import FileRoot
    from airpy.jobs.context import JobContext
    from airpy.jobs.query import query as run

    del on_step
    before = set(sys.modules)
    request = QueryRequest.model_validate(
        {
            "datasource_id": "energy",
            "plan": {
                "dataset": "energy/measurements.parquet",
                "filters": [
                    {"col": "kwh", "op": ">", "val": 1},
                    {"col": "timestamp", "op": ">=", "val": "2025-09-01T00:00:00Z"},
                ],
                "groupby": ["site_id", "day"],
                "aggs": [{"col": "kwh", "fn": "sum"}],
                "grain": "1 day",
            },
        }
    )
    context = JobContext(FileRoot.at(base, (".parquet",)), folder, folder / "input", 1, 100, 100)
    run(request, context, on_step=lambda *_: None)
    return _imported_since(before)


def late_imports_of_analysis(base: Path, folder: Path, *, on_step: OnStep) -> list[str]:
    """The same of an analysis of a frame that was sent, which is in the folder's `input`."""
    from airpy.contract import AnalyzeRequest
    from airpy.files.paths import FileRoot
    from airpy.jobs.analyze import analyze as run
    from airpy.jobs.context import JobContext

    del on_step
    before = set(sys.modules)
    request = AnalyzeRequest.model_validate(
        {
            "frame_ref": {"type": "arrow", "data": "in a file"},
            "job_kind": "profile",
            "options": {"association_methods": ["pearson", "spearman", "cramers_v", "correlation_ratio"]},
        }
    )
    context = JobContext(FileRoot.at(base, (".parquet",)), folder, folder / "input", 1, 100, 100)
    run(request, context, on_step=lambda *_: None)
    return _imported_since(before)


def further_warm_ups(*, on_step: OnStep) -> list[bool]:
    """Whether a further warm-up is done: when it may not begin, when a call interrupts it, and else."""
    from airpy.jobs.preload import warm_up_further

    del on_step
    answers = iter([True, True, False])
    return [
        warm_up_further(lambda: False),
        warm_up_further(lambda: next(answers)),
        warm_up_further(lambda: True),
    ]


def _imported_since(before: set[str]) -> list[str]:
    late = set(sys.modules) - before
    return sorted(name for name in late if name.partition(".")[0] not in sys.stdlib_module_names)


def engine_threads(*, on_step: OnStep) -> tuple[int, list[str]]:
    """How many threads the engine says it computes with, and the names of all there are after a query."""
    import pathlib

    import polars as pl

    query(100_000, on_step=on_step)
    names = sorted(task.read_text().strip() for task in pathlib.Path("/proc/self/task").glob("*/comm"))
    return pl.thread_pool_size(), names


def count_files(number: int, *, on_step: OnStep) -> None:
    """Count so many files, with a step at each."""
    from airpy.jobs.work import counting

    for one in counting(range(number), number, "files"):
        on_step("files_found", str(one))


def read_bytes(path: Path, total: int, how: str, seconds: float, *, on_step: OnStep) -> int:
    """Tell of a total, read a file by reading or by mapping it, and take a while."""
    import mmap

    from airpy.jobs.work import tell

    del on_step
    tell(0, total, "bytes")
    time.sleep(seconds)
    with path.open("rb") as file:
        if how == "read":
            read = len(file.read())
            time.sleep(seconds)
            return read
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            read = sum(len(mapped[place : place + 1]) for place in range(0, len(mapped), mmap.PAGESIZE))
            time.sleep(seconds)
            return read


def leave_an_heir(seconds: float, talks: bool, *, on_step: OnStep) -> NoReturn:  # noqa: FBT001
    """End the process without an answer, and leave one that has all its open files, or only what it says."""
    del on_step
    if os.fork() == 0:
        if talks:
            os.closerange(3, 1024)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if talks:
                os.write(2, b"and another thing ")
            time.sleep(0.001)
    os._exit(7)

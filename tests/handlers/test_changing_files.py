"""Files that others change while the service reads them."""

from __future__ import annotations

import os
import random
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from tests.files.conftest import write as write_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.service import Service

ROWS = 20_000
JOBS = 6


def write(path: Path, version: int) -> None:
    """A version of the file: as many rows as it says, each with its number."""
    write_frame(pl.DataFrame({"v": [version] * (ROWS + version)}), path)


def renamed(path: Path, version: int) -> None:
    """As a good writer does: the file is whole at any moment."""
    fresh = path.with_name(f".{path.name}")
    write(fresh.with_suffix(path.suffix), version)
    fresh.rename(path)


def written_over(path: Path, version: int) -> None:
    """As a bad one does: for a while it is cut short."""
    whole = path.with_name(f".{path.name}")
    write(whole.with_suffix(path.suffix), version)
    content = whole.read_bytes()
    with path.open("r+b") as file:
        file.truncate(len(content) // 2)
        file.write(content)
        file.truncate()


def gone_for_a_while(path: Path, version: int) -> None:
    path.unlink(missing_ok=True)
    write(path, version)


def locked_for_a_while(path: Path, version: int) -> None:
    path.chmod(0)
    renamed(path, version)


@contextmanager
def changing(path: Path, change: Callable[[Path, int], None]) -> Iterator[None]:
    """The file changes all the time, with pauses of chance."""
    stop = threading.Event()
    chance = random.Random(1)  # noqa: S311  no secret
    write(path, 1)

    def go_on() -> None:
        version = 1
        while not stop.wait(chance.uniform(0.01, 0.2)):
            version = 3 - version
            change(path, version)

    changer = threading.Thread(target=go_on)
    changer.start()
    try:
        yield
    finally:
        stop.set()
        changer.join()


def summed(path: Path) -> dict[str, Any]:
    aggs = [{"col": "v", "fn": "count"}, {"col": "v", "fn": "min"}, {"col": "v", "fn": "max"}]
    return {"datasource_id": "changing", "plan": {"dataset": str(path), "aggs": aggs}}


@pytest.mark.parametrize("change", [renamed, written_over, gone_for_a_while, locked_for_a_while])
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_an_answer_is_of_one_version_or_says_that_there_were_several(
    service: Service, base: Path, form: str, change: Callable[[Path, int], None]
) -> None:
    folder = base / f"_changing-{change.__name__}-{form}"
    folder.mkdir()
    path = folder / f"a.{form}"
    with changing(path, change):
        jobs = []
        for _ in range(JOBS):
            answer = service.post("query", summed(path))
            if answer.status_code == 202:
                jobs.append(service.wait(answer.json()["token"]))
            else:  # it was gone at that very moment
                assert answer.json()["error"]["details"]["reason"] in {"FILE_MISSING", "FILE_CHANGED"}

    for job in jobs:
        if job["status"] == "completed":
            [row] = job["data"]["rows"]
            assert row["v_min"] == row["v_max"]
            assert row["v_count"] == ROWS + row["v_min"]
        else:
            assert job["code"] == 422
            # What was so when the job looked is as true an answer: cut short by half, or away.
            assert job["error"]["details"]["reason"] in {
                "FILE_CHANGED",
                "FILE_MISSING",
                "UNREADABLE_FILE",
                "FAULTY_ROW",
            }


def test_a_preview_says_so_too(service: Service, base: Path) -> None:
    folder = base / "_changing-preview"
    folder.mkdir()
    path = folder / "a.csv"
    with changing(path, renamed):
        answers = [
            service.post("preview", {"datasource_id": "changing", "path": str(path), "limit": 5})
            for _ in range(JOBS)
        ]

    for answer in answers:
        if answer.status_code == 200:
            [source] = answer.json()["reading"]["sources"]["files"]
            version = answer.json()["rows"][0]["v"]
            assert source["size_bytes"] == 2 + 2 * (ROWS + version)
        else:
            details = answer.json()["error"]["details"]
            assert (answer.status_code, details["reason"]) == (422, "FILE_CHANGED")
            assert details["retryable"]


def test_nothing_outside_the_base_path_is_told_however_often_a_link_is_swapped(
    service: Service, base: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("secret\n1\n")
    folder = base / "_swapped"
    folder.mkdir()
    path = folder / "a.csv"
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            fresh = folder / ".fresh"
            fresh.write_text("v\n1\n")
            fresh.replace(path)
            fresh.symlink_to(secret)
            fresh.replace(path)

    path.write_text("v\n1\n")
    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        answers = [
            service.post("preview", {"datasource_id": "swapped", "path": str(path)}) for _ in range(40)
        ]
    finally:
        stop.set()
        swapper.join()

    assert not any('"secret"' in answer.text for answer in answers)
    assert {answer.status_code for answer in answers} <= {200, 400, 422}
    for answer in answers:
        if answer.status_code == 200:
            assert answer.json()["rows"] == [{"v": 1}]


def test_what_is_done_with_a_bad_writer_is_counted_as_a_failure_that_may_pass(
    service: Service, base: Path
) -> None:
    """A file that changes all the time fails its job in the end, as FILE_CHANGED, after every attempt."""
    folder = base / "_restless"
    folder.mkdir()
    path = folder / "a.csv"
    stop = threading.Event()
    write(path, 1)

    def touch() -> None:
        while not stop.wait(0.0005):
            os.utime(path)

    toucher = threading.Thread(target=touch)
    toucher.start()
    try:
        job = service.run("query", summed(path))
    finally:
        stop.set()
        toucher.join()

    assert (job["status"], job["code"]) == ("failed", 422)
    assert job["error"]["details"]["reason"] == "FILE_CHANGED"
    assert job["error"]["details"]["retryable"]

from __future__ import annotations

import base64
import hashlib
import os
import time
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airpy.engine.steps import ignore_steps
from airpy.errors import JobUnavailable
from airpy.jobs.results import Results, frame_file, other_frame, result_frame, write_data

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """An empty folder of results."""
    return Results(tmp_path)


def aged(folder: Path, seconds: float) -> Path:
    """The folder, as if it had not changed for so long."""
    os.utime(folder, (time.time() - seconds,) * 2)
    return folder


def test_an_attempts_folder_is_fresh(results: Results) -> None:
    before = results.attempt(7, 1)
    (before / "left over").touch()

    folder = results.attempt(7, 1)

    assert folder == results.path / "7-1"
    assert list(folder.iterdir()) == []


def test_an_attempt_cannot_touch_anothers_folder(results: Results) -> None:
    (results.attempt(7, 1) / "data.json").write_bytes(b"1")
    results.attempt(7, 2)

    results.discard(7, 2)

    assert results.data("7-1", 7) == b"1"
    assert not (results.path / "7-2").exists()


def test_discarding_what_is_not_there_is_no_fault(results: Results) -> None:
    results.discard(7, 1)

    assert list(results.path.iterdir()) == []


def test_data_is_read_back(results: Results) -> None:
    folder = results.attempt(7, 1)

    write_data(folder, b'{"rows":[]}')

    assert results.data(folder.name, 7) == b'{"rows":[]}'
    assert results.folder("7-1") == folder


def test_data_that_is_gone_has_expired(results: Results) -> None:
    with pytest.raises(JobUnavailable) as caught:
        results.data("7-1", 7)

    assert caught.value.reason == "JOB_EXPIRED"
    assert str(results.path) not in caught.value.message


def test_inputs_are_kept_beside_each_other_until_dropped(results: Results) -> None:
    one, two = results.keep_input({"a": b"frame", "b": b"more"}), results.keep_input({"a": b"other"})
    read = [(results.input(one) / "b").read_bytes(), (results.input(two) / "a").read_bytes()]

    results.drop_input(one)
    results.drop_input(one)

    assert read == [b"more", b"other"]
    assert [place.name for place in results.path.iterdir()] == [two]


def swept(
    results: Results, existing: set[int], inputs: set[str] | None = None, kept: set[str] | None = None
) -> int:
    """How many places a sweep removes that is told of these tokens and frames."""
    return results.sweep(lambda _: existing, lambda: inputs or set(), lambda _: kept or set())


def test_a_sweep_removes_the_folders_of_jobs_that_are_gone(results: Results) -> None:
    for folder in (results.attempt(1, 1), results.attempt(1, 2), results.attempt(2, 1)):
        (folder / "data.json").touch()
        aged(folder, 601)

    assert swept(results, {2}) == 2
    assert [folder.name for folder in results.path.iterdir()] == ["2-1"]


def test_a_sweep_removes_inputs_that_nobody_needs(results: Results) -> None:
    needed, spare, young = (results.keep_input({"a": b"frame"}) for _ in range(3))
    aged(results.input(needed), 601)
    aged(results.input(spare), 601)

    assert swept(results, set(), {needed}) == 1
    assert {place.name for place in results.path.iterdir()} == {needed, young}


def test_a_sweep_asks_of_each_token_once_and_of_inputs_only_where_there_are_any(results: Results) -> None:
    for token, attempt in [(9, 1), (9, 2), (10, 1)]:
        aged(results.attempt(token, attempt), 601)
    asked: list[list[int]] = []

    def existing(tokens: list[int]) -> set[int]:
        asked.append(tokens)
        return set(tokens)

    def inputs() -> set[str]:
        raise AssertionError("there is no input")

    assert results.sweep(existing, inputs, lambda _: set()) == 0
    assert asked == [[9, 10]]


def test_a_sweep_leaves_young_folders_and_what_is_not_ours(results: Results) -> None:
    aged(results.attempt(1, 1), 590)
    (results.path / "notes").mkdir()
    aged(results.path / "notes", 10_000)

    assert swept(results, set()) == 0
    assert sorted(folder.name for folder in results.path.iterdir()) == ["1-1", "notes"]


def test_a_sweep_survives_what_another_worker_removes(results: Results) -> None:
    """A link to nothing is what a folder looks like that was removed since it was listed."""
    (results.path / "3-1").symlink_to(results.path / "removed")
    aged(results.attempt(4, 1), 601)

    assert swept(results, set()) == 1


@pytest.mark.parametrize(
    ("form", "name"), [("json", "frame.arrow"), ("arrow", "frame.arrow"), ("parquet", "frame.parquet")]
)
def test_json_keeps_its_frame_as_arrow(tmp_path: Path, form: str, name: str) -> None:
    assert frame_file(tmp_path, form) == tmp_path / name  # type: ignore[arg-type]


def test_the_other_format_is_made_from_the_one_there(results: Results) -> None:
    folder = results.attempt(7, 1)
    frame = pl.DataFrame({"site_id": ["site_001", None], "kwh": [1.5, 2.5]})
    frame.write_parquet(folder / "frame.parquet")

    other_frame(folder, "arrow", on_step=ignore_steps)

    with pa.ipc.open_stream(folder / "frame.arrow") as stream:
        assert stream.read_all().to_pylist() == frame.to_dicts()
    assert sorted(path.name for path in folder.iterdir()) == ["frame.arrow", "frame.parquet"]


def test_arrow_is_made_parquet(results: Results) -> None:
    folder = results.attempt(7, 1)
    table = pa.table({"kwh": [1, 2, 3]})
    with pa.ipc.new_stream(folder / "frame.arrow", table.schema) as writer:
        writer.write_table(table)

    other_frame(folder, "parquet", on_step=ignore_steps)

    assert pq.read_table(folder / "frame.parquet").to_pydict() == {"kwh": [1, 2, 3]}


def test_a_frames_schema_is_told_with_its_digest() -> None:
    schema = pa.schema([("kwh", pa.float64())])

    frame = result_frame("arrow", 3, schema)

    message = base64.b64decode(frame.schema)
    assert pa.ipc.read_schema(pa.py_buffer(message)) == schema
    assert frame.digest == f"sha256:{hashlib.sha256(message).hexdigest()}"
    assert (frame.format, frame.rows) == ("arrow", 3)

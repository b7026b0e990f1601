from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from airpy.contract import ReadOptions
from airpy.errors import AirError
from airpy.files.copies import Copies
from airpy.files.datasets import dataset_at
from airpy.files.paths import FileRoot
from airpy.files.scan import scan
from airpy.jobs.copying import copy

if TYPE_CHECKING:
    from pathlib import Path

    from airpy.files.opening import Opened

AN_HOUR_S = 3600
CSV = "id,day,kwh,ok,code\n1,01/09/2025,1.5,yes,007\n2,02/09/2025,,no,010\n3,30/09/2025,-2.25,yes,n/a\n"
JSONL = '{"a": 1, "when": "2025-09-01T10:00:00Z", "in": {"x": [1, 2]}}\n{"a": null, "b": "late"}\n'


class Bench:
    """A base path with files of a while ago, and copies of whatever is asked for."""

    def __init__(self, folder: Path, most_bytes: int = 1 << 20) -> None:
        self.base, self.scratch = folder / "base", folder / "scratch"
        self.base.mkdir()
        self.scratch.mkdir()
        self.copies = Copies(folder / "copies", most_bytes)
        self.root = FileRoot.at(self.base, (".csv", ".jsonl", ".parquet"), copies=self.copies.path)

    def write(self, name: str, text: str) -> Path:
        """A file that is taken to be done with."""
        path = self.base / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def read(self, name: str, *, copied: bool = True, **options: Any) -> Opened:
        """The data set, from its copy where there is one."""
        dataset = dataset_at(self.root, name, "path")
        given = ReadOptions.model_validate(options)
        return scan(dataset, given, infer_rows=100, scratch=self.scratch, copied=copied)

    def grant(self) -> int:
        """Make every copy that is wished for, and say how many."""
        count = 0
        while granted := self.copies.granted():
            copy(*granted, self.copies, self.root)
            count += 1
        return count

    def is_copy(self, opened: Opened) -> bool:
        """Whether the frame comes from a copy."""
        return "copy-" in opened.frame.explain()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A bench on which what is written is an hour old at once, since a file's own clock cannot be set."""
    now = __import__("time").time
    monkeypatch.setattr("airpy.files.copies.time.time", lambda: now() + AN_HOUR_S)
    monkeypatch.setattr("airpy.files.copies.LEAST_BYTES", 1)
    monkeypatch.setattr("os.nice", lambda _: 0)  # the test is to go on as before
    return Bench(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "options"),
    [
        ("a.csv", CSV, {}),
        ("a.csv", CSV, {"types": {"code": "string"}}),
        ("a.jsonl", JSONL, {}),
    ],
)
def test_a_copy_is_the_frame_and_what_was_told_of_it(
    bench: Bench, name: str, text: str, options: dict[str, Any]
) -> None:
    bench.write(name, text)
    first = bench.read(name, **options)
    assert not bench.is_copy(first)
    assert bench.grant() == 1

    second = bench.read(name, **options)

    assert bench.is_copy(second)
    assert second.frame.collect_schema() == first.frame.collect_schema()
    assert_frame_equal(second.frame.collect(), first.frame.collect())
    assert second.evolution() == first.evolution()
    told, before = second._asdict(), first._asdict()
    assert second.evidence() == first.evidence()
    for part in ("texts", "distinct", "faults", "whole", "notes"):
        assert told[part] == before[part], part
    assert bench.grant() == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda base: os.utime(base / "d" / "a.csv"),
        lambda base: (base / "d" / "a.csv").write_text(CSV.replace("1.5", "2.5")),
        lambda base: (base / "d" / "b.csv").write_text(CSV),
        lambda base: (base / "d" / "a.csv").rename(base / "d" / "c.csv"),
    ],
)
def test_a_copy_of_what_was_changed_is_not_read(bench: Bench, change: Any) -> None:
    bench.write("d/a.csv", CSV)
    bench.read("d")
    bench.grant()
    assert bench.is_copy(bench.read("d"))

    change(bench.base)

    assert not bench.is_copy(bench.read("d"))


def test_another_reading_has_another_copy(bench: Bench) -> None:
    bench.write("a.csv", CSV)
    bench.read("a.csv")
    bench.grant()

    other = bench.read("a.csv", types={"id": "string"})

    assert not bench.is_copy(other)
    assert other.frame.collect_schema()["id"] == pl.String


@pytest.mark.parametrize(
    ("name", "options"), [("a.csv", {"on_error": "null"}), ("d/year=2025/a.csv", {}), ("a.parquet", {})]
)
def test_what_depends_on_the_plan_has_no_copy(bench: Bench, name: str, options: dict[str, Any]) -> None:
    (bench.base / name).parent.mkdir(parents=True, exist_ok=True)
    if name.endswith(".parquet"):
        pl.DataFrame({"a": [1]}).write_parquet(bench.base / name)
    else:
        bench.write(name, CSV)

    opened = bench.read("d" if name.startswith("d/") else name, **options)

    assert not bench.is_copy(opened)
    assert bench.grant() == 0


def test_who_does_not_ask_for_a_copy_gets_none_and_wishes_none(bench: Bench) -> None:
    bench.write("a.csv", CSV)

    assert not bench.is_copy(bench.read("a.csv", copied=False))
    assert bench.grant() == 0


@pytest.mark.parametrize("damage", [b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1"])
def test_a_damaged_copy_is_none(bench: Bench, damage: bytes) -> None:
    bench.write("a.csv", CSV)
    bench.read("a.csv")
    bench.grant()
    [place] = bench.copies.path.glob("*.parquet")
    place.write_bytes(damage)

    opened = bench.read("a.csv")

    assert not bench.is_copy(opened)
    assert opened.frame.collect().height == 3
    assert list(bench.copies.path.glob("*.parquet")) == []


def test_one_bit_is_damage_too(bench: Bench) -> None:
    bench.write("a.csv", CSV)
    bench.read("a.csv")
    bench.grant()
    [place] = bench.copies.path.glob("*.parquet")
    content = bytearray(place.read_bytes())
    content[10] ^= 1
    place.write_bytes(content)

    assert not bench.is_copy(bench.read("a.csv"))


def test_what_cannot_be_read_has_no_copy(bench: Bench) -> None:
    bench.write("a.csv", "n\n" + "1\n" * 200 + "x\n")
    bench.read("a.csv")
    granted = bench.copies.granted()
    assert granted is not None

    with pytest.raises((AirError, pl.exceptions.PolarsError)):
        copy(*granted, bench.copies, bench.root)
    bench.copies.refuse(granted[0])
    bench.read("a.csv")

    assert bench.grant() == 0
    assert list(bench.copies.path.glob("*.parquet")) == []


def test_a_file_that_is_small_has_no_copy(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airpy.files.copies.LEAST_BYTES", len(CSV) + 1)
    bench.write("a.csv", CSV)
    bench.read("a.csv")

    assert bench.copies.granted() is None


def test_a_file_that_was_only_just_written_has_no_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airpy.files.copies.LEAST_BYTES", 1)
    bench = Bench(tmp_path)
    bench.write("a.csv", CSV)
    bench.read("a.csv")

    assert bench.copies.granted() is None


def test_copies_go_that_were_not_used_longest(bench: Bench) -> None:
    for name in ("a", "b", "c"):
        bench.write(f"{name}.csv", CSV)
        bench.read(f"{name}.csv")
        bench.grant()
    told = sorted(bench.copies.path.glob("*.json"), key=lambda place: place.stat().st_mtime_ns)
    for age, place in enumerate(told):
        os.utime(place, (age, age))
    bench.read("a.csv")  # it was the oldest
    one = next(bench.copies.path.glob("*.parquet")).stat().st_size

    bench.copies._replace(most_bytes=2 * one + one // 2).tidy()

    assert [bench.is_copy(bench.read(f"{name}.csv")) for name in ("a", "b", "c")] == [True, False, True]

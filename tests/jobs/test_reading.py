"""Files that are not what their beginnings promise, read for a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from airpy.contract import Plan, ReadOptions
from airpy.engine.failures import failure
from airpy.errors import AirError
from airpy.jobs.planning import plan_asked, plan_through

if TYPE_CHECKING:
    from airpy.contract import Reading
    from tests.jobs.conftest import Bench

GOOD = "".join(f"{row},{row}.5,2025-01-02\n" for row in range(3000))
HEADER = "id,kwh,day\n"


def answered(
    bench: Bench, name: str, read: dict[str, Any] | None = None, **parts: Any
) -> tuple[Any, Reading]:
    """The rows of a plan's answer, and how they were read."""
    plan = Plan.model_validate({"dataset": name, **parts})
    options = ReadOptions.model_validate(read) if read is not None else None
    context = bench.context._replace(infer_rows=100)

    def rows(frame: pl.LazyFrame) -> list[Any]:
        return frame.collect(engine="streaming").rows()

    asked = plan_asked(plan, "energy", bench.root, options)
    given, ran = plan_through(plan, asked, context, lambda _, planned: rows(planned.frame))
    return given, ran.reading


SUM: dict[str, Any] = {"aggs": [{"col": "kwh", "fn": "sum"}, {"fn": "count"}]}


@pytest.fixture
def late(bench: Bench) -> Bench:
    """A file whose row 3,001 is wrong, long after the rows that decided its types."""
    (bench.base / "late.csv").write_text(HEADER + GOOD + "3000,broken,2025-01-02\n")
    return bench


def test_a_late_value_that_is_none_fails_with_its_place_and_what_helps(late: Bench) -> None:
    with pytest.raises(AirError) as caught:
        answered(late, "late.csv", **SUM)

    error, fault = caught.value, caught.value.fault
    assert (error.code, error.reason, error.field) == ("IO_ERROR", "FAULTY_ROW", "read")
    assert fault is not None
    assert (fault.row, fault.line, fault.column, fault.kind, fault.text) == (
        3001,
        3002,
        "kwh",
        "bad_value",
        "broken",
    )
    assert fault.byte == len(HEADER + GOOD)
    # As text the column could be read, but not summed.
    assert [change.model_dump() for change in error.repair] == [
        {"op": "add", "path": "/read", "value": {"on_error": "null"}}
    ]


def test_what_helps_does_help(late: Bench) -> None:
    with pytest.raises(AirError) as caught:
        answered(late, "late.csv", select=["id", "kwh"])
    [change] = caught.value.repair

    rows, reading = answered(late, "late.csv", change.value, select=["id", "kwh"])

    assert change.value == {"infer_rows": 0, "on_error": "fail"}
    assert rows[-1] == (3000, "broken")
    assert reading.faults.values_nulled == 0


@pytest.mark.parametrize(
    ("on_error", "rows", "skipped", "nulled"),
    [("skip", 3000, 1, 0), ("null", 3001, 0, 1)],
)
def test_what_is_wrong_is_left_out_and_counted(
    late: Bench, on_error: str, rows: int, skipped: int, nulled: int
) -> None:
    [(_, count)], reading = answered(late, "late.csv", {"on_error": on_error}, **SUM)

    assert count == rows
    assert (reading.faults.rows_skipped, reading.faults.values_nulled) == (skipped, nulled)
    assert [example.row for example in reading.faults.examples] == [3001]


def test_a_late_row_that_is_too_long_is_read_with_care(bench: Bench) -> None:
    (bench.base / "long.csv").write_text(HEADER + GOOD * 4 + "1,2.5,2025-01-02,surplus\n")

    rows, reading = answered(bench, "long.csv")

    assert rows[-1][-1] == "surplus"
    assert len(rows) == 12_001
    assert reading.faults.rows_ragged == 1


def test_a_fault_of_a_joined_file_names_the_join(bench: Bench) -> None:
    (bench.base / "good.csv").write_text(HEADER + GOOD)
    (bench.base / "other.csv").write_text(
        "id,n\n" + "".join(f"{row},{row}\n" for row in range(200)) + "9,x\n"
    )

    with pytest.raises(AirError) as caught:
        answered(bench, "good.csv", joins=[{"dataset": "other.csv", "on": ["id"]}])

    assert caught.value.field == "plan.joins[0].read"
    assert [change.path for change in caught.value.repair] == ["/plan/joins/0/read"]


def test_a_plan_that_does_not_fit_is_no_fault_of_the_file(bench: Bench) -> None:
    (bench.base / "good.csv").write_text(HEADER + GOOD)

    with pytest.raises(pl.exceptions.InvalidOperationError) as caught:
        answered(bench, "good.csv", clean=[{"op": "cast", "col": "kwh", "type": "int64"}])

    assert failure(caught.value).reason == "CAST_FAILED"


def test_a_type_that_the_caller_names_holds_whatever_all_rows_say(bench: Bench) -> None:
    (bench.base / "named.csv").write_text("n\n1\nx\n3\n")

    with pytest.raises(AirError) as caught:
        answered(bench, "named.csv", {"types": {"n": "int64"}, "infer_rows": 0})

    assert caught.value.reason == "FAULTY_ROW"
    assert [change.model_dump()["value"]["on_error"] for change in caught.value.repair] == ["null"]

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pytest

from airpy.contract import AnalyzeRequest
from airpy.errors import AirError, InvalidFrame, InvalidRequest, UnknownColumn
from airpy.jobs.sources import source_of, state_in, through
from tests.jobs.test_analyze import parquet, stream

if TYPE_CHECKING:
    from airpy.jobs.context import JobContext
    from airpy.jobs.provenance import Ran
    from airpy.jobs.sources import Source
    from tests.jobs.conftest import Bench

TABLE = pa.table({"x": [1, 2]})
OTHER = pa.table({"x": [3]})
SENT = {"type": "arrow", "data": "sha256:00"}


def frame_of(source: Source, context: JobContext) -> tuple[pl.DataFrame, Ran | None]:
    """The frame, and what it was made from."""
    return through(source, context, lambda frame, _: frame.collect())


def request(**members: Any) -> AnalyzeRequest:
    return AnalyzeRequest.model_validate({"job_kind": "compare", **members})


def test_subject_and_baseline_are_told_apart(bench: Bench) -> None:
    bench.give(stream(TABLE))
    bench.give(parquet(OTHER), "parquet", "baseline.token")
    asked = request(frame_ref=SENT, baseline={"token": 1})
    assert asked.baseline is not None

    subject, baseline = source_of(asked, bench.context), source_of(asked.baseline, bench.context)

    assert (subject.form, subject.field) == ("arrow", "frame_ref.data")
    assert (baseline.form, baseline.field) == ("parquet", "baseline.token")
    assert frame_of(subject, bench.context)[0]["x"].to_list() == [1, 2]
    assert frame_of(baseline, bench.context)[0]["x"].to_list() == [3]


def test_what_an_analysis_has_measured_is_a_state_and_no_frame(bench: Bench) -> None:
    bench.give(b"measured", "state", "baseline.token")
    asked = request(frame_ref=SENT, baseline={"token": 1})
    assert asked.baseline is not None

    baseline = source_of(asked.baseline, bench.context)

    assert (baseline.form, baseline.path) == ("state", bench.context.input / "baseline.token.state")
    with pytest.raises(InvalidRequest) as caught:
        state_in(baseline)
    assert caught.value.field == "baseline.token"


def test_plans_are_read_each_from_its_own_data_source(bench: Bench) -> None:
    for folder, value in (("one", 1), ("two", 2)):
        (bench.base / folder).mkdir()
        pl.DataFrame({"x": [value]}).write_csv(bench.base / folder / "same.csv")
    plan = {"dataset": "same"}
    asked = request(datasource_id="one", plan=plan, baseline={"datasource_id": "two", "plan": plan})
    assert asked.baseline is not None

    frames = [frame_of(source_of(part, bench.context), bench.context) for part in (asked, asked.baseline)]

    assert [frame["x"].to_list() for frame, _ in frames] == [[1], [2]]
    assert all(ran is not None for _, ran in frames)


def test_a_fault_of_the_baseline_is_told_of_the_baseline(bench: Bench) -> None:
    pl.DataFrame({"kwh": [1]}).write_csv(bench.base / "energy.csv")
    bench.give(b"\xff\xff\xff\xff nothing", "arrow", "baseline.frame_ref.data")
    broken: list[tuple[dict[str, Any], type[AirError], str]] = [
        ({"frame_ref": SENT}, InvalidFrame, "baseline.frame_ref.data"),
        (
            {"datasource_id": "e", "plan": {"dataset": "energy", "select": ["kw"]}},
            UnknownColumn,
            "baseline.plan.select[0]",
        ),
    ]
    for baseline, kind, field in broken:
        asked = request(token=1, baseline=baseline)
        assert asked.baseline is not None

        with pytest.raises(kind) as caught:
            frame_of(source_of(asked.baseline, bench.context), bench.context)

        assert caught.value.field == field
        assert all(one.path.startswith("/baseline/plan/") for one in caught.value.repair)
    assert caught.value.repair

"""Plans as tables: rows, a plan, and the rows it must give or the error it must raise."""

from __future__ import annotations

import datetime as dt
import typing
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from polars.testing import assert_frame_equal

from airpy import contract
from airpy.engine.cleaning import CLEANERS
from airpy.engine.execute import execute
from airpy.engine.failures import failure
from airpy.engine.filter_trees import relations_in
from airpy.engine.plan import check_plan
from airpy.errors import AirError

TABLES = Path(__file__).parent / "plans"
TYPES: dict[str, pl.DataType] = {
    "bool": pl.Boolean(),
    "int8": pl.Int8(),
    "int16": pl.Int16(),
    "int32": pl.Int32(),
    "int64": pl.Int64(),
    "int128": pl.Int128(),
    "uint8": pl.UInt8(),
    "uint16": pl.UInt16(),
    "uint32": pl.UInt32(),
    "uint64": pl.UInt64(),
    "float16": pl.Float16(),
    "float32": pl.Float32(),
    "float64": pl.Float64(),
    "decimal(10,2)": pl.Decimal(10, 2),
    "decimal(38,0)": pl.Decimal(38, 0),
    "decimal(38,2)": pl.Decimal(38, 2),
    "decimal(11,3)": pl.Decimal(11, 3),
    "decimal(22,2)": pl.Decimal(22, 2),
    "decimal(38,4)": pl.Decimal(38, 4),
    "decimal(38,5)": pl.Decimal(38, 5),
    "decimal(38,6)": pl.Decimal(38, 6),
    "string": pl.String(),
    "categorical": pl.Categorical(),
    "enum": pl.Enum(["low", "mid", "high"]),
    "binary": pl.Binary(),
    "date": pl.Date(),
    "time": pl.Time(),
    "timestamp": pl.Datetime("us"),
    "timestamp[ms]": pl.Datetime("ms"),
    "timestamp[ns]": pl.Datetime("ns"),
    "timestamp[UTC]": pl.Datetime("us", "UTC"),
    "timestamp[Berlin]": pl.Datetime("us", "Europe/Berlin"),
    "duration": pl.Duration("us"),
    "list": pl.List(pl.Int64()),
    "list[string]": pl.List(pl.String()),
    "array": pl.Array(pl.Int64(), 2),
    "struct": pl.Struct({"x": pl.Int64()}),
    "null": pl.Null(),
}
# YAML has no words for these; everything else it reads as the value itself.
CELLS: dict[str, Any] = {
    "decimal(10,2)": Decimal,
    "decimal(38,0)": Decimal,
    "decimal(38,2)": Decimal,
    "decimal(11,3)": Decimal,
    "decimal(22,2)": Decimal,
    "decimal(38,4)": Decimal,
    "decimal(38,5)": Decimal,
    "decimal(38,6)": Decimal,
    "time": dt.time.fromisoformat,
    "duration": lambda days: dt.timedelta(days=days),
}


def cases() -> list[Any]:
    """Every case of every table, under its name."""
    return [
        pytest.param(case, id=f"{table.stem}-{case['name'].replace(' ', '_')}")
        for table in sorted(TABLES.glob("*.yaml"))
        for case in yaml.load(table.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    ]


def frame(table: dict[str, Any]) -> pl.DataFrame:
    """The frame that a table describes by `columns` (name to type) and `rows`."""
    columns: dict[str, str] = table["columns"]
    rows = [
        [
            cell if cell is None else CELLS.get(kind, lambda cell: cell)(cell)
            for kind, cell in zip(columns.values(), row, strict=True)
        ]
        for row in table["rows"]
    ]
    return pl.DataFrame(rows, {name: TYPES[kind] for name, kind in columns.items()}, orient="row")


def answer(case: dict[str, Any], source: pl.DataFrame) -> pl.LazyFrame:
    """What the case's plan makes of the source."""
    joins = [{"dataset": "other", **join} for join in case["plan"].get("joins", [])]
    union = [{"dataset": "other", **part} for part in case["plan"].get("union", [])]
    plan = contract.Plan.model_validate({"dataset": "table", **case["plan"], "joins": joins, "union": union})
    check_plan(plan)
    return execute(
        plan,
        source.lazy(),
        [frame(other).lazy() for other in case.get("others", [])],
        [frame(other).lazy() for other in case.get("unioned", [])],
    )


@pytest.mark.parametrize("case", cases())
def test_plan_gives_these_rows_or_this_error(case: dict[str, Any]) -> None:
    if "error" in case:
        expected = case["error"]
        with pytest.raises((AirError, pl.exceptions.PolarsError)) as raised:
            answer(case, frame(case)).collect()
        error = failure(raised.value)

        assert type(error).__name__ == expected["class"]
        assert error.reason == expected["reason"]
        assert error.field == expected.get("field")
        assert error.suggestion == expected.get("suggestion", [])
        assert expected["says"] in error.message
    else:
        lazily = answer(case, frame(case))
        promised, given = lazily.collect_schema(), lazily.collect()

        assert_frame_equal(given, frame(case["gives"]), rel_tol=0, abs_tol=1e-9)
        assert promised == given.schema


# Only the data tell what columns a pivot makes.
@pytest.mark.parametrize(
    "case",
    [case for case in cases() if "gives" in case.values[0] and "pivot" not in case.values[0]["plan"]],
)
def test_answer_of_no_rows_has_the_same_columns_and_types(case: dict[str, Any]) -> None:
    given = answer(case, frame(case).clear()).collect()

    assert given.schema == frame(case["gives"]).schema


def names_of(alias: Any) -> tuple[str, ...]:
    """The values of an enumeration of the contract."""
    return typing.get_args(getattr(alias.__value__, "__origin__", alias.__value__))


@pytest.mark.parametrize(
    ("place", "key", "names"),
    [
        ("filters", "op", names_of(contract.FilterOperator)),
        ("aggs", "fn", names_of(contract.AggregateFunction)),
        ("joins", "how", names_of(contract.JoinKind)),
        ("clean", "type", names_of(contract.CastType)),
        ("clean", "op", tuple(CLEANERS)),
        ("pivot", "fn", typing.get_args(contract.Pivot.model_fields["fn"].annotation)),
        ("top_n", "dir", names_of(contract.SortDirection)),
        ("derive", "type", names_of(contract.CastType)),
        ("window", "fn", names_of(contract.WindowFunction)),
    ],
)
def test_every_name_of_the_contract_has_a_case_that_gives_rows(
    place: str, key: str, names: tuple[str, ...]
) -> None:
    used: set[str] = set()
    for case in cases():
        if "gives" in case.values[0]:
            part = case.values[0]["plan"].get(place, [])
            used |= {item.get(key) for item in (part if isinstance(part, list) else [part])}

    assert set(names) - used == set()


def test_every_relation_of_rows_has_a_case_that_gives_rows() -> None:
    asked = [case.values[0]["plan"] for case in cases() if "gives" in case.values[0]]
    plans = [
        contract.Plan.model_validate({"dataset": "table", "filters": plan.get("filters")}) for plan in asked
    ]

    assert {rows.are for plan in plans for rows in relations_in(plan)} == set(names_of(contract.RowRelation))

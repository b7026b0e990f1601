"""Asks every question of the cookbook, and holds the contract to it: what a plan can say stands there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from airpy.engine.units import UNITS
from airpy.web.spec import load
from tests.docs.markdown import recipes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.docs.markdown import Recipe, Table
    from tests.service import Service

RECIPES = list(recipes("docs/cookbook.md"))
KINDS = {"Plan": "query", "QueryRequest": "query", "AnalyzeRequest": "analyze"}
SCHEMAS = load()["components"]["schemas"]

EXCUSED = {
    r"FrameRef\b.*|FrameFormat .*|AnalyzeRequest\.frame_ref": "a frame that is sent is not a plan",
    r"(CastType|DataType) .*": "one type is named as another is, and the contract's page lists them",
    r"Pivot\.fn .*": "a function of cells is named as that of groups is",
    r"Plan\.explode": "the sample data have no lists",
    r"AsofStrategy backward|Resample\.(fill none|closed left|label left)": "what is so when nothing is said",
    r"Weekday .*": "one day of the week is named as another is",
    r"ReadOptions\.thousands .": "one mark between thousands is named as another is",
    r"\w+Rule\.(name|severity)|(?!InRangeRule)\w+Rule\.(filter|tolerance|warn_within)": "they mean the "
    "same in every rule, and one recipe has them",
    r"DecreasingRule\.by": "a rule of order goes by groups as the other does",
    r"Comparison (?!<$).*": "one comparison of columns is named as another is, and filters have them all",
    r"IssueThresholds\.(?!ks|rows_change|seasonality|small_sample).*": "one threshold is set as another "
    "is, and the page on analyses lists them",
    r"(AnalyzeRequest|Baseline)\.token|Baseline\.frame_ref": "what a job left, or what is sent, is no plan",
    r"ForeignKeyRule\.read": "files are read as those of a plan are",
}
"""What the contract can say and no recipe has to, as patterns, and why."""


def asked(recipe: Recipe) -> dict[str, Any]:
    """The whole request, where the recipe shows its plan alone."""
    if recipe.schema == "Plan":
        return {"datasource_id": "energy-files", "plan": recipe.request}
    return recipe.request


@pytest.mark.e2e
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.question)
def test_the_answer_is_what_the_page_shows(recipe: Recipe, demo: Service) -> None:
    job = demo.run(KINDS[recipe.schema], asked(recipe))

    assert job["status"] == "completed", job["error"]
    for path, table in recipe.answers:
        compare(part_of(job["data"], path), table, whole=path == "rows")


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.question)
def test_a_recipe_has_an_answer_and_says_what_to_notice(recipe: Recipe) -> None:
    assert recipe.answers
    assert recipe.remark


def test_whatever_a_plan_can_say_occurs_in_the_cookbook() -> None:
    requests = {"query": {"$ref": "QueryRequest"}, "analyze": {"$ref": "AnalyzeRequest"}}
    seen: set[str] = set()
    can = {word for request in requests.values() for word in sayable(request, "", seen)}
    said = {word for recipe in RECIPES for word in spoken(requests[KINDS[recipe.schema]], asked(recipe), "")}

    missing = {word for word in can - said if not any(re.fullmatch(known, word) for known in EXCUSED)}
    assert not missing, f"docs/cookbook.md has no recipe with {', '.join(sorted(missing))}"


def test_every_unit_of_a_grain_occurs_in_the_cookbook() -> None:
    grains = [grain for recipe in RECIPES if (grain := asked(recipe)["plan"].get("grain"))]
    units = {word.rstrip("s") for grain in grains for word in re.findall("[a-z]+", grain)}

    assert units == set(UNITS)
    assert any(grain.startswith("P") for grain in grains)


def part_of(data: Any, path: str) -> list[Any]:
    """A part of a job's data as rows; one that is an object is a row of its own."""
    for name in path.split("."):
        data = data[name]
    return data if isinstance(data, list) else [data]


def compare(rows: list[dict[str, Any]], table: Table, *, whole: bool) -> None:
    """Fail unless the table shows these rows; of rows that are `whole` it shows every column."""
    if whole:
        assert [list(row) for row in rows[:1]] == [table.columns]
    assert len(rows) == len(table.rows)
    for row, cells in zip(rows, table.rows, strict=True):
        for column, cell in zip(table.columns, cells, strict=True):
            assert shows(cell, row[column]), f"{column}: the page has {cell!r}, the answer {row[column]!r}"


def shows(cell: str, value: Any) -> bool:
    """Whether the cell is the value, a float rounded to the digits that the cell has."""
    if isinstance(value, float):
        digits = len(cell.partition(".")[2])
        return digits > 0 and abs(float(cell) - value) <= 0.5 * 10.0**-digits + 1e-9
    words = {None: "null", True: "true", False: "false"}
    return cell == (words[value] if value is None or isinstance(value, bool) else str(value))


def resolved(schema: dict[str, Any], name: str) -> tuple[dict[str, Any], str]:
    """The schema that a reference means, and its name in the contract."""
    while True:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            schema = SCHEMAS[name]
        elif len(schema.get("allOf", [])) == 1:
            schema = schema["allOf"][0]
        else:
            return schema, name


def sayable(schema: dict[str, Any], name: str, seen: set[str]) -> Iterator[str]:
    """Every field and every word that a schema allows, as in `Filter.op` and `JoinKind semi`."""
    schema, name = resolved(schema, name)
    if name in seen:
        return
    seen.add(name)
    for one in schema.get("oneOf", []):
        yield from sayable(one, name, seen)
    for word in schema.get("enum", []):
        yield f"{name} {word}"
    for field, of_field in schema.get("properties", {}).items():
        yield f"{name}.{field}"
        yield from sayable(of_field, f"{name}.{field}", seen)
    if "items" in schema:
        yield from sayable(schema["items"], f"{name}[]", seen)


def spoken(schema: dict[str, Any], value: Any, name: str) -> Iterator[str]:
    """Every field and every word that a value uses of its schema."""
    schema, name = resolved(schema, name)
    if "discriminator" in schema:
        kind = value[schema["discriminator"]["propertyName"]]
        yield from spoken({"$ref": schema["discriminator"]["mapping"][kind]}, value, name)
    elif "enum" in schema:
        yield f"{name} {value}"
    elif "properties" in schema:
        for field, of_field in value.items():
            yield f"{name}.{field}"
            yield from spoken(schema["properties"][field], of_field, f"{name}.{field}")
    elif "items" in schema:
        for item in value:
            yield from spoken(schema["items"], item, f"{name}[]")

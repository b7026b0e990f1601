"""Holds contract, tables and tests to one another."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import yaml
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from openapi_spec_validator import OpenAPIV30SpecValidator

import airpy
import handlers
from airpy.engine.aggregations import AGGREGATIONS
from airpy.engine.cleaning import CAST_TYPES, CLEANERS
from airpy.engine.joins import JOINS
from airpy.engine.operators import FILTERS
from airpy.engine.profile.checks import CHECKS
from airpy.engine.profile.outliers import OUTLIER_METHODS
from airpy.engine.profile.rules import RULES
from airpy.engine.schema import type_name
from airpy.files.formats import EXTENSIONS
from airpy.files.scan import SCANS
from airpy.jobs.kinds import JOBS
from airpy.web.problems import FINER_STATUSES, STATUSES
from airpy.web.spec import internal, load, operations
from tests.second_opinion import check_event

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from airpy.web.spec import Operation

ROOT = Path(__file__).parents[2]
CONTRACT = load()
SCHEMAS: dict[str, Any] = CONTRACT["components"]["schemas"]
INTERNAL = internal(CONTRACT)
OPERATIONS = list(operations(INTERNAL))
PACKAGE, HANDLERS = Path(airpy.__path__[0]), Path(handlers.__path__[0])
MODULES = sorted([*PACKAGE.rglob("*.py"), *HANDLERS.glob("*.py")])


def enum(name: str) -> list[str]:
    """The values of an enum of the contract, in its order."""
    values: list[str] = SCHEMAS[name]["enum"]
    return values


def mapping(name: str) -> list[str]:
    """The values of the discriminator of a union of the contract."""
    return list(SCHEMAS[name]["discriminator"]["mapping"])


@pytest.mark.parametrize(
    ("promised", "done"),
    [
        pytest.param(enum("FilterOperator"), FILTERS, id="filters"),
        pytest.param(enum("AggregateFunction"), AGGREGATIONS, id="aggregations"),
        pytest.param(enum("JoinKind"), {*JOINS, "cross", "asof"}, id="joins"),
        pytest.param(mapping("CleanStep"), CLEANERS, id="cleaners"),
        pytest.param(enum("CastType"), CAST_TYPES, id="cast types"),
        pytest.param(mapping("Rule"), RULES, id="rules"),
        pytest.param(enum("OutlierMethod"), OUTLIER_METHODS, id="outlier methods"),
        pytest.param(enum("IssueCode"), {check.__name__.upper() for check in CHECKS}, id="checks"),
        pytest.param(enum("JobType"), JOBS, id="jobs"),
        pytest.param(enum("FileFormat"), SCANS, id="scans"),
        pytest.param(enum("FileFormat"), EXTENSIONS.values(), id="extensions"),
    ],
)
def test_what_the_contract_promises_is_what_there_is(promised: list[str], done: Collection[str]) -> None:
    assert sorted(promised) == sorted(done)


def test_a_union_is_told_apart_by_what_each_branch_calls_itself() -> None:
    for union in (schema for schema in SCHEMAS.values() if "discriminator" in schema):
        name = union["discriminator"]["propertyName"]
        branches = union["discriminator"]["mapping"]
        assert list(dict.fromkeys(branches.values())) == [branch["$ref"] for branch in union["oneOf"]]
        for reference in branches.values():
            branch = SCHEMAS[reference.rpartition("/")[2]]
            values = [value for value, its in branches.items() if its == reference]
            assert branch["properties"][name]["enum"] == values
            assert name in branch["required"]


def test_every_type_that_a_column_can_have_has_a_name_in_the_contract() -> None:
    kinds = [kind for kind in vars(pl).values() if isinstance(kind, type) and issubclass(kind, pl.DataType)]

    named = {kind.__name__: type_name(_instance(kind)) for kind in kinds if kind.__name__ in CONCRETE}

    assert named.keys() == CONCRETE
    assert set(named.values()) == set(enum("DataType"))


def test_cast_types_are_types() -> None:
    assert set(enum("CastType")) <= set(enum("DataType"))


@pytest.mark.parametrize("name", [name for name in SCHEMAS if "x-enum-varnames" in SCHEMAS[name]])
def test_every_value_of_an_enum_with_names_for_go_has_one(name: str) -> None:
    def word(text: str) -> str:
        return text.replace("_", "").lower()

    named = dict(zip(enum(name), SCHEMAS[name]["x-enum-varnames"], strict=True))
    assert len(set(named.values())) == len(named)
    spelled = {value: go for value, go in named.items() if value.replace("_", "").isalnum()}
    assert [word(go) for go in spelled.values()] == [word(value) for value in spelled]


def test_steps_are_promised_in_the_order_in_which_they_come() -> None:
    described = re.findall(r"`(\w+)`: ([\w, ]+)\.", SCHEMAS["StepName"]["description"])

    by_kind = {kind: names.split(", ") for kind, names in described}
    assert list(by_kind) == enum("JobType")
    assert list(dict.fromkeys(name for names in by_kind.values() for name in names)) == enum("StepName")
    for kind, names in by_kind.items():
        # The shared stages of a plan report steps of their own.
        rooms = [
            PACKAGE / "jobs" / f"{kind}.py",
            *(PACKAGE / "engine").rglob("*.py"),
        ]
        used = [literal for room in rooms for literal in literals(room)]
        assert set(names) <= set(used), kind


def test_every_reason_is_given_somewhere_and_no_other() -> None:
    used = {literal for path in MODULES if path.name != "contract.py" for literal in literals(path)}

    assert set(enum("ErrorReason")) - used == set()
    for path in MODULES:
        for reason in reasons(path):
            assert reason in enum("ErrorReason"), path


@pytest.mark.parametrize(
    ("promised", "stage", "key"),
    [
        (enum("FilterOperator"), "filters", "op"),
        (enum("AggregateFunction"), "aggs", "fn"),
        (enum("JoinKind"), "joins", "how"),
        (mapping("CleanStep"), "clean", "op"),
        (enum("CastType"), "clean", "type"),
    ],
)
def test_everything_a_plan_can_ask_for_has_a_case(promised: list[str], stage: str, key: str) -> None:
    asked = {step.get(key) for plan in plans() for step in plan.get(stage, [])}

    assert set(promised) <= asked, f"no case for {sorted(set(promised) - asked)}"


def test_the_contract_is_openapi() -> None:
    assert CONTRACT["openapi"] == "3.0.3"
    assert list(OpenAPIV30SpecValidator(CONTRACT).iter_errors()) == []
    assert list(OpenAPIV30SpecValidator(INTERNAL).iter_errors()) == []


@pytest.mark.skipif(not (ROOT / "src").is_dir(), reason="the sources are not here, only what is installed")
def test_the_models_are_those_of_the_contract() -> None:
    written = subprocess.run(
        [sys.executable, "-m", "airpy.web.spec"], capture_output=True, cwd=ROOT, check=True, timeout=120
    )

    # As `make check` does it.
    generator = Path(sys.executable).with_name("datamodel-codegen")
    checked = subprocess.run(
        [generator, "--check"], input=written.stdout, capture_output=True, cwd=ROOT, check=False, timeout=300
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_an_operation_says_all_that_a_caller_needs(operation: Operation) -> None:
    definition = operation.definition

    assert definition["summary"]
    assert len(definition["description"]) > 80
    assert definition["tags"][:2] == ["internal", "python"]
    (group,) = definition["tags"][2:]  # under which the documentation page shows it
    assert group in {tag["name"] for tag in INTERNAL["tags"]}
    assert definition["x-internal"] is True
    assert definition["responses"]["default"] == {"$ref": "#/components/responses/Failure"}
    assert "security" not in definition  # none of its own, so that the contract's holds
    assert INTERNAL["security"] == [{"bearerAuth": []}]


def test_every_status_that_a_failure_may_have_is_described() -> None:
    described = {
        int(number)
        for number in re.findall(
            r"\b[45]\d\d\b", INTERNAL["components"]["responses"]["Failure"]["description"]
        )
    }

    assert described == {*STATUSES.values(), *FINER_STATUSES.values()}


def test_a_failure_that_an_operation_tells_of_is_one() -> None:
    told = {
        (int(status), reason, operation.id)
        for operation in OPERATIONS
        for line in re.findall(r"^- (.+?):", operation.definition["description"], re.MULTILINE)
        for status, reasons in re.findall(r"`(\d{3})`((?:,? `[A-Z_]+`)+)", line)
        for reason in re.findall(r"[A-Z_]+", reasons)
    }

    assert {operation.id for operation in OPERATIONS} - {operation for *_, operation in told} == {
        "get_health",
        "list_jobs",
        "list_dead_letters",
        "get_limits",
        "get_metrics",
    }  # which fail only as every operation does
    for status, reason, operation in told:
        assert reason in enum("ErrorReason"), operation
        possible = {FINER_STATUSES[reason]} if reason in FINER_STATUSES else {*STATUSES.values()}
        assert status in possible, (operation, reason)


def test_every_reason_in_the_texts_is_one() -> None:
    texts = [INTERNAL["info"]["description"], *(one.definition["description"] for one in OPERATIONS)]
    words = {word for text in texts for word in re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", text)}

    assert {word for word in words if not word.startswith("PY_")} <= set(enum("ErrorReason"))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_every_example_is_one(operation: Operation) -> None:
    contents = list(json_contents(operation))

    assert contents
    for content in contents:
        given = [example["value"] for example in content.get("examples", {}).values()]
        given += [content["example"]] if "example" in content else []
        assert given, "a body of JSON has an example"
        schema = {**content["schema"], "components": INTERNAL["components"]}
        for example in given:
            OAS30Validator(schema, format_checker=oas30_format_checker).validate(example)


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if one.id != "download_job"], ids=lambda operation: operation.id
)
def test_every_answer_has_an_example(operation: Operation) -> None:
    for status, response in operation.definition["responses"].items():
        if status != "default" and "$ref" not in response:
            for kind, content in response["content"].items():
                assert "arrow" in kind or {"example", "examples"} & content.keys(), (status, kind)


def test_the_example_of_a_stream_is_one() -> None:
    content = INTERNAL["paths"]["/v1/py/jobs/{token}/events"]["get"]["responses"]["200"]["content"]
    (example,) = content["text/event-stream"]["examples"].values()

    blocks = [block for block in example["value"].rstrip("\n").split("\n\n") if not block.startswith(":")]
    events = [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]
    assert [event["event"] for event in events] == ["step", "progress", "end"]
    for event in events:
        check_event(event["event"], json.loads(event["data"]))


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if "{" in one.path], ids=lambda operation: operation.id
)
def test_an_operation_of_a_job_says_that_there_may_be_none(operation: Operation) -> None:
    assert operation.definition["parameters"][0] == {"$ref": "#/components/parameters/Token"}
    assert re.search(r"40[49]", operation.definition["description"])


def test_the_only_thing_that_a_path_names_is_a_job() -> None:
    """A path value that is out of bounds is answered as a job that never was."""
    named = {
        (parameter["in"], parameter["name"])
        for parameter in INTERNAL["components"]["parameters"].values()
        if parameter["in"] == "path"
    }

    assert named == {("path", "token")}


def test_every_schema_of_ours_is_closed_or_says_why_not() -> None:
    internal_schemas = INTERNAL["components"]["schemas"]
    is_open = [
        name
        for name, schema in internal_schemas.items()
        if schema.get("type") == "object" and schema.get("additionalProperties") is not False
    ]

    assert is_open == ["Row"]


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if path.name != "contract.py"],  # which is generated
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_a_module_opens_with_one_sentence_of_what_is_in_it(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8")))

    assert docstring
    opener, _, rest = docstring.partition("\n")
    assert opener.endswith("."), opener
    assert not re.search(r"\. [A-Z]", opener), "one sentence"
    assert not rest or rest.startswith("\n"), "a blank line after it"


CONCRETE = {
    "Boolean", "Int8", "Int16", "Int32", "Int64", "Int128", "UInt8", "UInt16", "UInt32", "UInt64", "UInt128",
    "Float16", "Float32", "Float64", "Decimal", "String", "Categorical", "Enum", "Binary", "Date", "Time",
    "Datetime", "Duration", "List", "Array", "Struct", "Null",
}  # fmt: skip
"""The types that Polars has columns of, by name."""


def _instance(kind: type[pl.DataType]) -> pl.DataType:
    arguments: dict[str, tuple[Any, ...]] = {
        "List": (pl.Int8,),
        "Array": (pl.Int8, 2),
        "Struct": ({"a": pl.Int8},),
        "Enum": (["a"],),
        "Decimal": (10, 2),
    }
    return kind(*arguments.get(kind.__name__, ()))


def json_contents(operation: Operation) -> Iterator[dict[str, Any]]:
    """Bodies of JSON that the operation takes and gives."""
    bodies = [operation.definition.get("requestBody", {})]
    for response in operation.definition["responses"].values():
        if "$ref" in response:
            bodies.append(INTERNAL["components"]["responses"][response["$ref"].rpartition("/")[2]])
        else:
            bodies.append(response)
    for body in bodies:
        if "application/json" in body.get("content", {}):
            yield body["content"]["application/json"]


def plans() -> Iterator[dict[str, Any]]:
    """The plan of every case in the engine's tables."""
    for table in sorted((ROOT / "tests" / "engine" / "plans").glob("*.yaml")):
        for case in yaml.load(table.read_text("utf-8"), Loader=yaml.CSafeLoader):
            yield case["plan"]


def literals(path: Path) -> Iterator[str]:
    """Every string in a module's code."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def reasons(path: Path) -> Iterator[str]:
    """Whatever a module calls the reason of a failure."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.keyword(arg="reason", value=ast.Constant(value=str(reason))):
                yield reason
            case ast.AnnAssign(target=ast.Name(id="reason"), value=ast.Constant(value=str(reason))):
                yield reason

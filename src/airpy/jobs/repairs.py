"""Finds a change of a plan that makes it fit the data: a table of what may help, tried before it is told.

What may help is looked for by where the plan is wrong and why. A change is told only once the changed plan
was bound to the columns that there are; where the change is a cast, the first rows were cast too. A plan with
several mistakes is mended step by step, as long as every step goes on to another mistake.
"""

from __future__ import annotations

import copy
import datetime as dt
import re
import time
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from pydantic import ValidationError

from airpy.contract import CastType, JsonPatchOperation, Plan, TimeUnit
from airpy.engine.failures import failure
from airpy.engine.plan import check_plan
from airpy.errors import AirError, InvalidPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["REPAIRS", "Bound", "mended"]

MOST_TRIES = 12
LONGEST_S = 2.0
"""How long changes are tried, in all; then the nearest names are told as they are."""
MOST_STEPS = 3
"""Mistakes of one plan that are mended."""
MOST_NAMES = 3
PROBED_ROWS = 1000

STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
DECIMAL = re.compile(r"[+-]?\d{1,3}(?:[ .'\u00a0\u202f]?\d{3})*,\d+|[+-]?\d+,\d+")
GROUPED = re.compile(r"[+-]?\d{1,3}(?:[ ,'\u00a0\u202f_]\d{3})+(?:\.\d+)?")
DATES = ("%Y-%d-%m", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y%m%d", "%d-%m-%Y")
ARGUMENTS = frozenset(
    {
        "q",
        "ddof",
        "by",
        "col2",
        "weight",
        "max",
        "sep",
        "closed",
        "every",
        "n",
        "frame",
        "origin",
        "week_start",
        "time_col",
    }
)
"""What a part of a plan may do without."""


class Bound(NamedTuple):
    """The data that a plan is to fit."""

    bind: Callable[[Plan], object]
    """Finds whether a plan fits their columns; raises an AirError where it does not."""
    types: Callable[[int], dict[str, str]]
    """The columns of one of the data sets, with their types in Arrow's words: the plan's own is 0, then come
    those that it unites, and those that it joins."""
    probe: Callable[[Plan], object]
    """Computes a plan's answer, which is of few rows."""


class Fault(NamedTuple):
    """What is wrong with which plan."""

    error: AirError
    plan: dict[str, Any]
    bound: Bound

    @property
    def path(self) -> list[str | int]:
        """Where it is, by the keys from the plan on."""
        found = STEP.findall((self.error.field or "").removeprefix("plan."))
        return [int(number) if number else name for name, number in found]

    @property
    def value(self) -> Any:  # noqa: ANN401  JSON is any
        """What stands there; None when there is nothing."""
        return at(self.plan, self.path)

    def replaced(self, value: Any) -> Change:  # noqa: ANN401
        """Something else in its place."""
        op = "add" if self.value is None else "replace"
        return [_operation(op, self.path, value)]

    def cast(self, column: str, dtype: str) -> Change:
        """The column cast, behind what the plan cleans already."""
        step = {"op": "cast", "col": column, "type": dtype}
        if self.plan.get("clean"):
            return [_operation("add", ["clean", "-"], step)]
        return [_operation("add", ["clean"], [step])]


Change = list[JsonPatchOperation]


def mended(error: AirError, plan: Plan, bound: Bound) -> AirError:
    """The error, with a change of the request that helps where one was found."""
    if not isinstance(error, InvalidPlan) or error.repair or not (error.field or "").startswith("plan"):
        return error
    ends = time.monotonic() + LONGEST_S
    document = plan.model_dump(mode="json", by_alias=True, exclude_unset=True)
    waiting: list[tuple[AirError, Change]] = [(error, [])]
    tries = 0
    while waiting:
        wrong, so_far = waiting.pop(0)
        for change in _changes(Fault(wrong, _patched(document, so_far), bound)):
            if tries >= MOST_TRIES or time.monotonic() > ends:
                return error
            tries += 1
            whole = so_far + change
            left = _tried(_patched(document, whole), whole, bound)
            if left is None:
                error.repair = whole
                return error
            if left.field != wrong.field and len(whole) < MOST_STEPS and isinstance(left, InvalidPlan):
                waiting.append((left, whole))
    return error


def _tried(document: dict[str, Any], change: Change, bound: Bound) -> AirError | None:
    """What is still wrong with the changed plan; nothing when it fits."""
    try:
        plan = Plan.model_validate(document)
        check_plan(plan)
        bound.bind(plan)
        for operation in change:
            if "/clean" in operation.path:
                _probed(plan, operation, bound)
    except ValidationError:
        return InvalidPlan("the change breaks the contract")
    except BaseException as error:  # noqa: BLE001  a panic in native code is no Exception
        return failure(error)
    return None


def _probed(plan: Plan, operation: JsonPatchOperation, bound: Bound) -> None:
    """Cast the first rows, where the change is a cast; later ones are cast when the plan runs."""
    step: Any = operation.value[0] if isinstance(operation.value, list) else operation.value
    if not (operation.path.startswith("/plan/clean") and isinstance(step, dict)):
        return
    parts = {"clean": plan.model_dump(mode="json", by_alias=True)["clean"], "select": [step["col"]]}
    bound.probe(Plan.model_validate({"dataset": plan.dataset, **parts, "limit": PROBED_ROWS}))


def _changes(fault: Fault) -> Iterator[Change]:
    """What may help, the likeliest first."""
    return chain.from_iterable(change(fault) for change in REPAIRS)


def another_name(fault: Fault) -> Iterator[Change]:
    """One of the nearest right answers in the place of what is there."""
    for name in fault.error.suggestion[:MOST_NAMES]:
        if name != fault.value:
            yield fault.replaced(name)


def its_aggregate(fault: Fault) -> Iterator[Change]:
    """Order by the aggregate of a column in place of the column, which an answer of groups has not."""
    match fault.path:
        case ["order", int(), "col"]:
            for item in fault.plan.get("aggs") or []:
                if item.get("col") == fault.value:
                    yield fault.replaced(item.get("as") or f"{item['col']}_{item['fn']}")


def its_grain(fault: Fault) -> Iterator[Change]:
    """A grain, where groups are asked for by a unit of time that no column is called."""
    match fault.path:
        case ["groupby", int()] if fault.value in get_args(TimeUnit.__value__) and "grain" not in fault.plan:
            yield [_operation("add", ["grain"], f"1 {fault.value}")]


def one_bucket(fault: Fault) -> Iterator[Change]:
    """`resample` alone, where there is a grain beside it."""
    if fault.plan.get("grain") and fault.plan.get("resample"):
        yield [_operation("remove", ["grain"])]


def as_written_here(fault: Fault) -> Iterator[Change]:
    """The value in the form that values of a plan have: `1,5` as 1.5, `25.12.2025` as 2025-12-25."""
    value = fault.value
    if "val" not in fault.path and "value" not in fault.path:
        return
    if isinstance(value, str):
        yield from map(fault.replaced, _rewritten(value.strip()))
        if value != value.strip():
            yield fault.replaced(value.strip())
    elif isinstance(value, (bool, int, float)):
        yield fault.replaced(str(value).lower() if isinstance(value, bool) else str(value))


def _rewritten(text: str) -> Iterator[Any]:
    if DECIMAL.fullmatch(text):
        yield float(re.sub(r"[^\d,+-]", "", text).replace(",", "."))
    if GROUPED.fullmatch(text):
        plain = re.sub(r"[^\d.+-]", "", text)
        yield float(plain) if "." in plain else int(plain)
    day, between, time_of_day = text.replace("T", " ").partition(" ")
    for form in DATES:
        try:
            date = dt.datetime.strptime(day, form).date()  # noqa: DTZ007  a date has no zone
        except ValueError:
            continue
        yield f"{date.isoformat()}T{time_of_day}" if between and time_of_day else date.isoformat()
    yield from WORDS.get(text.casefold(), ())


WORDS: dict[str, tuple[bool, ...]] = {
    **dict.fromkeys(("yes", "y", "on", "1", "t"), (True,)),
    **dict.fromkeys(("no", "n", "off", "0", "f"), (False,)),
}


def cast_to_number(fault: Fault) -> Iterator[Change]:
    """The column of text cast to numbers, for a function of numbers."""
    match fault.path:
        case ["aggs", int(), "fn"] | ["aggs", int(), "col"]:
            column = at(fault.plan, [*fault.path[:-1], "col"])
            if fault.bound.types(0).get(column) == "string":
                yield fault.cast(column, "float64")
        case ["time_col"]:
            columns = [name for name, kind in fault.bound.types(0).items() if kind == "string"]
            for column in [fault.value] if fault.value in columns else columns[:MOST_NAMES]:
                yield fault.cast(column, "timestamp")
                yield fault.cast(column, "date")


def cast_to_text(fault: Fault) -> Iterator[Change]:
    """The column cast to text, for an operator of text."""
    match fault.path:
        case [*item, "op"]:
            column = at(fault.plan, [*item, "col"])
            if fault.bound.types(0).get(column) in get_args(CastType.__value__):
                yield fault.cast(column, "string")


def cast_a_key(fault: Fault) -> Iterator[Change]:
    """A key of a join cast to the type of the other."""
    match fault.path:
        case ["joins", int() as number, *_] if fault.error.reason == "TYPE_MISMATCH":
            join = fault.plan["joins"][number]
            pairs = zip(
                join.get("on") or join.get("left_on") or [],
                join.get("on") or join.get("right_on") or [],
                strict=False,
            )
            left, right = (
                fault.bound.types(0),
                fault.bound.types(1 + len(fault.plan.get("union") or []) + number),
            )
            for one, two in pairs:
                kinds = left.get(one), right.get(two)
                if kinds[0] == kinds[1] or None in kinds:
                    continue
                for wanted in dict.fromkeys((kinds[1], "string")):
                    if wanted in get_args(CastType.__value__) and wanted != kinds[0]:
                        yield fault.cast(one, str(wanted))
                step = {"op": "cast", "col": two, "type": kinds[0]}
                if kinds[0] in get_args(CastType.__value__):
                    place, value = (["clean", "-"], step) if join.get("clean") else (["clean"], [step])
                    yield [_operation("add", ["joins", number, *place], value)]


def without_it(fault: Fault) -> Iterator[Change]:
    """The argument left out, where what it belongs to does not take it."""
    if fault.path and fault.path[-1] in ARGUMENTS and fault.value is not None:
        yield [_operation("remove", fault.path)]
    match fault.path:
        case ["order", int(), "col"]:
            alone = len(fault.plan["order"]) == 1
            yield [_operation("remove", ["order"] if alone else fault.path[:-1])]


REPAIRS: tuple[Callable[[Fault], Iterator[Change]], ...] = (
    its_grain,
    one_bucket,
    its_aggregate,
    as_written_here,
    cast_to_number,
    cast_a_key,
    another_name,
    cast_to_text,
    without_it,
)
"""What may help, what keeps to the plan's meaning first; each gives nothing where it does not apply."""


def at(document: Any, path: list[str | int]) -> Any:  # noqa: ANN401  JSON is any
    """What stands there in the document; None when there is nothing."""
    for step in path:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return None
    return document


def _operation(op: str, path: list[str | int], value: Any = None) -> JsonPatchOperation:  # noqa: ANN401
    pointer = "/plan" + "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
    given = {} if op == "remove" else {"value": value}
    return JsonPatchOperation.model_validate({"op": op, "path": pointer, **given})


def _patched(plan: dict[str, Any], change: Change) -> dict[str, Any]:
    """The plan with the operations applied, as RFC 6902 has it."""
    changed = copy.deepcopy(plan)
    for operation in change:
        *way, last = [step.replace("~1", "/").replace("~0", "~") for step in operation.path.split("/")[2:]]
        place: Any = changed
        for step in way:
            place = place[int(step) if isinstance(place, list) else step]
        if isinstance(place, list) and operation.op == "add":
            place.insert(len(place) if last == "-" else int(last), operation.value)
        elif operation.op == "remove":
            del place[int(last) if isinstance(place, list) else last]
        else:
            place[int(last) if isinstance(place, list) else last] = operation.value
    return changed

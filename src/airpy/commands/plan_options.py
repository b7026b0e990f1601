"""Reads the short options of `airpy query` into a plan, as the contract has it.

    --where "kwh > 3"                {"col": "kwh", "op": ">", "val": 3}
    --where "site in (a, b)"         {"col": "site", "op": "in", "val": ["a", "b"]}
    --agg "sum(kwh) as total"        {"col": "kwh", "fn": "sum", "as": "total"}
    --order total:desc               {"col": "total", "dir": "desc"}

A name or value with spaces, commas or an operator in it stands in quotes. A value without quotes is a number,
true or false where it looks like one, and text otherwise. What is well formed here may still be no plan: the
contract says which operators and functions there are.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from airpy.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["aggregates", "conditions", "names", "orders"]

QUOTED = r"\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*'|`[^`]+`"
NAME = rf"(?:{QUOTED}|[^\s\"'`=<>!~(),]+)"
WORDS = {
    "is null": "is_null",
    "is not null": "not_null",
    "not null": "not_null",
    "not in": "not_in",
    "not like": "not_like",
    "is distinct from": "is_distinct_from",
}
"""How SQL says what the contract has a word of its own for."""
ALONE = {"is_null", "not_null", "is_nan", "is_finite", "is_blank"}
"""Operators that take no value."""
TEXTS = {
    "like",
    "not_like",
    "ilike",
    "contains",
    "icontains",
    "starts_with",
    "ends_with",
    "regex",
    "not_regex",
}
"""Operators whose value is text, whatever it looks like."""
CONDITION = re.compile(
    rf"\s*(?P<col>{NAME})\s*"
    r"(?:(?P<symbol>[=<>!~]+)|(?P<words>(?<=[\s\"'`])(?:is\s+(?:not\s+)?null|not\s+null|not\s+in|not\s+like|is\s+distinct\s+from|[a-z_]+)))"
    r"(?P<rest>.*)",
    re.DOTALL | re.IGNORECASE,
)
SEVERAL = re.compile(
    rf"(?:{QUOTED}|[^\"'`])*?\s(?:and|or)\s+{NAME}\s*(?:[=<>!~]|\sis\s).*", re.IGNORECASE | re.DOTALL
)
BETWEEN = re.compile(rf"\s*(?P<low>{QUOTED}|\S+)\s+and\s+(?P<high>{QUOTED}|\S+)\s*", re.IGNORECASE)
AGGREGATE = re.compile(
    rf"\s*(?P<fn>\w+)\s*\(\s*(?P<col>{QUOTED}|[^()\"'`]*?)\s*\)\s*(?:\bas\s+(?P<alias>{QUOTED}|.+?)\s*)?",
    re.IGNORECASE | re.DOTALL,
)
ORDER = re.compile(
    rf"\s*(?P<col>{QUOTED}|.+?)\s*(?:[:\s]\s*(?P<dir>asc|desc))?(?:[:\s]\s*nulls[:\s]\s*(?P<nulls>first|last))?\s*",
    re.IGNORECASE | re.DOTALL,
)
PARTS = re.compile(rf"(?:{QUOTED}|\([^()]*\)|[^,])+")
"""What stands between commas that are in no quotes and no parentheses."""
INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def names(texts: Iterable[str]) -> list[str]:
    """The names in comma-separated lists."""
    return [_name(part) for text in texts for part in _parts(text)]


def conditions(texts: Iterable[str]) -> list[dict[str, Any]]:
    """A filter for each condition.

    Raises:
        InvalidRequest: One is no condition.
    """
    return [_condition(text) for text in texts]


def aggregates(texts: Iterable[str]) -> list[dict[str, Any]]:
    """The aggregates in comma-separated lists.

    Raises:
        InvalidRequest: One is no aggregate.
    """
    return [_aggregate(part) for text in texts for part in _parts(text)]


def orders(texts: Iterable[str]) -> list[dict[str, Any]]:
    """What to sort by, in comma-separated lists.

    Raises:
        InvalidRequest: One names no column.
    """
    return [_order(part) for text in texts for part in _parts(text)]


def _condition(text: str) -> dict[str, Any]:
    found = CONDITION.fullmatch(text)
    if found is None:
        raise _no_condition(text)
    said = " ".join((found["symbol"] or found["words"]).lower().split())
    if SEVERAL.fullmatch(found["rest"]):
        raise InvalidRequest(
            f'--where "{text}" is more than one condition',
            field="--where",
            constraint="one condition each time, as in: --where 'kwh > 3' --where 'cost < 1'",
        )
    op, rest = WORDS.get(said, said), found["rest"].strip()
    condition: dict[str, Any] = {"col": _name(found["col"]), "op": op}
    if op in ALONE and not rest:
        return condition
    if not rest:
        raise _no_condition(text)
    if op == "between" and (ends := BETWEEN.fullmatch(rest)):
        return condition | {"val": [_value(ends["low"]), _value(ends["high"])]}
    if op in TEXTS:
        return condition | {"val": _name(rest)}
    if op in {"in", "not_in", "between"}:
        listed = rest[1:-1] if rest[0] + rest[-1] in {"()", "[]"} else rest
        return condition | {"val": [_value(part) for part in _parts(listed)]}
    return condition | {"val": _value(rest)}


def _aggregate(text: str) -> dict[str, Any]:
    found = AGGREGATE.fullmatch(text)
    if found is None:
        raise InvalidRequest(
            f'--agg "{text.strip()}" is no aggregate',
            field="--agg",
            constraint="a function of a column, as in: sum(kwh) as kwh",
            suggestion=["sum(kwh) as kwh", "count(*)"],
        )
    aggregate: dict[str, Any] = {"col": _name(found["col"])} if found["col"] else {}
    aggregate["fn"] = found["fn"].lower()
    return aggregate | ({"as": _name(found["alias"])} if found["alias"] else {})


def _order(text: str) -> dict[str, Any]:
    found = ORDER.fullmatch(text)
    if found is None:
        raise InvalidRequest(
            f'--order "{text}" names no column', field="--order", constraint="as in: kwh:desc"
        )
    given = {"dir": found["dir"], "nulls": found["nulls"]}
    return {"col": _name(found["col"])} | {key: value.lower() for key, value in given.items() if value}


def _parts(text: str) -> list[str]:
    return [part for part in PARTS.findall(text) if part.strip()]


def _name(text: str) -> str:
    text = text.strip()
    return _unquoted(text) if re.fullmatch(QUOTED, text) else text


def _value(text: str) -> str | int | float | bool:
    text = text.strip()
    if re.fullmatch(QUOTED, text):
        return _unquoted(text)
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if INTEGER.fullmatch(text):
        return int(text)
    return float(text) if FLOAT.fullmatch(text) and math.isfinite(float(text)) else text


def _unquoted(text: str) -> str:
    return text[1:-1].replace(text[0] * 2, text[0])


def _no_condition(text: str) -> InvalidRequest:
    return InvalidRequest(
        f'--where "{text}" is no condition',
        field="--where",
        constraint="a column, an operator and a value, as in: kwh > 3",
        suggestion=["kwh > 3", "site_id in (a, b)", "cost is null"],
    )

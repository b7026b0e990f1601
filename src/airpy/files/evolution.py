"""Tells how the columns of files that are read as one differ from file to file."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeVar

import polars as pl

from airpy.contract import SchemaChange, SchemaEvolution
from airpy.engine.schema import instance, type_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["evolution_of", "spellings"]

MOST_CHANGES = 1000

Key = TypeVar("Key")


def evolution_of(
    files: Mapping[str, Mapping[str, pl.DataType]],
    union: Mapping[str, pl.DataType],
    renamed: Mapping[str, Mapping[str, str]] | None = None,
) -> SchemaEvolution:
    """What each file introduced, dropped, retyped or wrote in other letters, in their order.

    Args:
        files: By the name that the caller knows, the types of a file's columns.
        union: The types of all columns, as they are read.
        renamed: By file, the names in the union of columns that it writes in other letters.
    """
    changes: list[SchemaChange] = []
    total = 0
    known: dict[str, pl.DataType] = {}
    written: dict[str, str] = {}
    before: set[str] = set()
    for place, (file, columns) in enumerate(files.items()):
        names = (renamed or {}).get(file, {})
        here = {names.get(name, name): (name, dtype) for name, dtype in columns.items()}
        told: list[dict[str, str | None]] = []
        for column, (name, dtype) in here.items():
            was = known.get(column)
            to = {"column": column, "to": _word(dtype), "cast": _cast(dtype, union.get(column))}
            if was is None and place:
                told.append({"change": "introduced", **to})
            elif was is not None and was != dtype and pl.Null() not in (was, dtype):
                told.append({"change": "retyped", "from": _word(was), **to})
            spelled = written.get(column, column)
            if name != spelled:
                told.append({"change": "renamed", "column": column, "from": spelled, "to": name})
            written[column] = name
            if was is None or dtype != pl.Null():
                known[column] = dtype
        told += [
            {"change": "dropped", "column": column, "from": _word(known[column])}
            for column in known
            if column in before and column not in here
        ]
        total += len(told)
        changes += [
            # What is never set is not told.
            SchemaChange.model_validate(
                {"file": file} | {key: word for key, word in each.items() if word is not None}
            )
            for each in told[: MOST_CHANGES - len(changes)]
        ]
        before = set(here)
    return SchemaEvolution(changes=changes, files_compared=len(files), total_changes=total)


def spellings(files: Mapping[Key, Iterable[str]]) -> dict[Key, dict[str, str]]:
    """By file, the columns that another file before it writes in other letters, and how that does.

    A name that one file has in two spellings is two names, and left alone everywhere.
    """
    columns = {file: list(names) for file, names in files.items()}
    twice = {
        folded
        for names in columns.values()
        for folded, count in Counter(map(str.casefold, names)).items()
        if count > 1
    }
    first: dict[str, str] = {}
    renamed: dict[Key, dict[str, str]] = {}
    for file, names in columns.items():
        for name in names:
            spelled = first.setdefault(name.casefold(), name)
            if spelled != name and name.casefold() not in twice:
                renamed.setdefault(file, {})[name] = spelled
    return renamed


def _cast(dtype: pl.DataType, union: pl.DataType | None) -> str | None:
    """The type that the column is read as, where that is another than the file's."""
    return None if union is None or union == dtype else _word(union)


def _word(dtype: pl.DataType) -> str:
    """The contract's name of a type, with what it is made of."""
    match dtype:
        case pl.Datetime() if dtype.time_zone is not None:
            return f"{type_name(dtype)}[{dtype.time_unit}, {dtype.time_zone}]"
        case pl.Datetime():
            return f"{type_name(dtype)}[{dtype.time_unit}]"
        case pl.Decimal():
            return f"decimal({dtype.precision}, {dtype.scale})"
        case pl.List():
            return f"list<{_word(instance(dtype.inner))}>"
        case pl.Struct():
            return "struct<" + ", ".join(f"{m.name}: {_word(instance(m.dtype))}" for m in dtype.fields) + ">"
        case _:
            return type_name(dtype)

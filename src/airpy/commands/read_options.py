"""Reads the option `--read` of the commands on files into the contract's `ReadOptions`.

    --read delimiter=;               {"delimiter": ";"}
    --read header=false              {"header": false}
    --read types=string              {"types": "string"}
    --read types.zip=string          {"types": {"zip": "string"}}
    --read null_markers=-            {"null_markers": ["-"]}, and each time one more

What is well formed here may still be no option: the contract says which there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airpy.contract import ReadOptions
from airpy.errors import InvalidRequest, did_you_mean, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["read_options", "written"]

WORDS = {"true": True, "false": False}
NUMBERS = {"skip", "infer_rows"}
TYPE_OF = "types."


def read_options(texts: Iterable[str]) -> dict[str, Any]:
    """The options that the texts give.

    Raises:
        InvalidRequest: One of them is no `NAME=VALUE`, or names no option.
    """
    options: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        known = name.startswith(TYPE_OF) or name in ReadOptions.model_fields
        if not equals or not known:
            close = nearest(name, ReadOptions.model_fields)
            raise InvalidRequest(
                f'--read "{text}" sets nothing{did_you_mean(close)}',
                field="--read",
                constraint=f"NAME=VALUE, with one of: {', '.join(ReadOptions.model_fields)}, types.COLUMN",
                suggestion=[f"{option}={value}" for option in close],
            )
        if name.startswith(TYPE_OF):
            types = options.setdefault("types", {})
            if isinstance(types, dict):
                types[name.removeprefix(TYPE_OF)] = value
        elif name == "null_markers":
            options.setdefault(name, []).append(value)
        elif name in NUMBERS and value.isdecimal():
            options[name] = int(value)
        else:
            options[name] = WORDS.get(value, value) if name == "header" else value
    return options


def written(options: dict[str, Any]) -> list[str]:
    """The texts that give the options; a choice that is made anyway is left out."""
    texts: list[str] = []
    for name, value in options.items():
        if value == ReadOptions.model_fields[name].default:
            continue
        if isinstance(value, dict):
            texts += [f"{TYPE_OF}{column}={kind}" for column, kind in value.items()]
        else:
            # No marker at all is one that is empty.
            many = (value or [""]) if isinstance(value, list) else [value]
            texts += [f"{name}={str(one).lower() if isinstance(one, bool) else one}" for one in many]
    return texts

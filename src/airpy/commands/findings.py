"""What a check of a set-up found, and what to do about it."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

__all__ = ["Finding", "State"]

State: TypeAlias = Literal["ok", "warning", "broken"]


class Finding(NamedTuple):
    """What a check found."""

    about: str
    state: State
    told: str
    next_step: str | None = None

"""The callback through which the engine reports progress, and how its messages word a count."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from airpy.contract import StepName

__all__ = ["OnStep", "counted", "ignore_steps"]

OnStep: TypeAlias = Callable[[StepName, str], None]
"""Takes a step's name and a message for a person; who listens is not the engine's business."""


def ignore_steps(step: StepName, message: str) -> None:
    """Listens to nothing."""


def counted(number: int, what: str) -> str:
    """A number and its noun, as one says them: `1 file`, `1,500 files`."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")

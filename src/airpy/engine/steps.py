"""The callback through which the engine reports progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from airpy.contract import StepName

__all__ = ["OnStep", "ignore_steps"]

OnStep: TypeAlias = Callable[[StepName, str], None]
"""Takes a step's name and a message for a person; who listens is not the engine's business."""


def ignore_steps(step: StepName, message: str) -> None:
    """Listens to nothing."""

"""Says on stderr what failed, and what to do about it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from airpy.errors import AirError

if TYPE_CHECKING:
    from airpy.contract import JsonPatchOperation

__all__ = ["complain"]

NEXT_STEPS = {
    "UNREACHABLE": "Is the service running there? `airpy up` starts one here, --url names another.",
    "UNAUTHORIZED": "Set PY_AUTH_SECRET to the secret that the service has.",
    "JOB_NOT_FOUND": "`airpy jobs list` shows the jobs that there are.",
    "JOB_EXPIRED": "`airpy jobs list` shows the jobs that there are.",
    "NO_DEAD_LETTER": "`airpy dead list` shows the dead letters that there are.",
    "UNKNOWN_COLUMN": "`airpy schema FILE` shows the columns that there are.",
    "TYPE_MISMATCH": "`airpy schema FILE` shows the types; text of digits is quoted once more: zip = '123'.",
    "UNREADABLE_FILE": "Is it whole, may you read it, and is it what its extension says?",
}
"""What the caller can do, by the reason of a refusal."""


def complain(error: Exception) -> int | None:
    """Say what failed and what to do about it; gives the exit code, or nothing for a fault of ours."""
    if isinstance(error, AirError):
        return _refused(error)

    from airpy.client import CallFailed  # noqa: PLC0415  heavy, and no failure of a file's is of these
    from airpy.config import SettingsError  # noqa: PLC0415
    from airpy.supervise import NotReady  # noqa: PLC0415

    if isinstance(error, SettingsError):
        _say("AIR-Py does not start.", f" Mend these settings:\n{error}")
        return 2
    if isinstance(error, NotReady):
        _say("AIR-Py does not start.", f" {error}")
        return 1
    if isinstance(error, CallFailed):
        _say(str(error), next_step=NEXT_STEPS.get(error.reason or ""))
        return 1
    return None


def _refused(error: AirError) -> int:
    """Say why files cannot be answered for; what an option cannot mean is a matter of usage."""
    close = [name for name in error.suggestion if name not in error.message]
    next_step: str | None = None
    if error.repair and all(change.path.endswith("read") for change in error.repair):
        next_step = f"Try {' '.join(map(_as_options, error.repair))}."
    elif error.reason in NEXT_STEPS:
        next_step = NEXT_STEPS[error.reason]
    elif close:
        next_step = f"Try {' or '.join(close)}."
    elif error.constraint and not error.suggestion and not error.constraint.startswith("enum: "):
        next_step = f"Allowed: {error.constraint}."
    _say(error.message, next_step=next_step)
    return 2 if (error.field or "").startswith("--") else 1


def _as_options(change: JsonPatchOperation) -> str:
    """A change of how files are read, as options of the command."""
    from airpy.commands.read_options import written  # noqa: PLC0415  few commands fail of files

    return " ".join(f"-r {shlex.quote(text)}" for text in written(change.value or {}))


def _say(alarm: str, text: str = "", next_step: str | None = None) -> None:
    """What failed, the alarming part in red, and a line on what to do."""
    stderr = Console(stderr=True, highlight=False, emoji=False)
    stderr.print(Text(alarm, "red").append(text, "default"), soft_wrap=True)
    if next_step:
        stderr.print(Text(next_step), soft_wrap=True)

"""What is counted of jobs, for every server to tell: by name in one Redis hash, so that no restart loses it.

ended:{kind}:{status}       jobs
wait:{kind}:{bound}         jobs that were in line for at most so many seconds; `+Inf` counts all
wait:{kind}:sum             seconds in line
run:{kind}:…                the same of seconds at work
memory:{kind}:…             the same of the most MiB in use
exit:{signal}               children that a signal ended
time:{format}:{kind}:…      of completed queries, their work in bytes (x) and seconds (y): how many (`n`), and
                            the sums `x`, `y`, `xx` and `xy`, through which `costs.py` draws a line
need:{format}:{kind}:…      the same of the memory that was expected (x) and was used (y), in MiB
reused                      jobs that were answered with the result of an equal one
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airpy.contract import JobStatus, JobType

__all__ = ["BOUNDS", "ended"]

BOUNDS: dict[str, tuple[float, ...]] = {
    "wait": (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300),
    "run": (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1200),
    "memory": (32, 64, 128, 256, 512, 1024, 2048, 4096, 8192),
}


def ended(
    kind: JobType, status: JobStatus, *, waited_ms: int, run_ms: int, peak_mb: float
) -> dict[str, float]:
    """What the end of a job adds to each counter."""
    measured = {"wait": waited_ms / 1000, "run": run_ms / 1000, "memory": peak_mb}
    added: dict[str, float] = {f"ended:{kind}:{status}": 1}
    for name, value in measured.items():
        added |= {f"{name}:{kind}:{bound:g}": 1 for bound in BOUNDS[name] if value <= bound}
        added |= {f"{name}:{kind}:+Inf": 1, f"{name}:{kind}:sum": value}
    return added

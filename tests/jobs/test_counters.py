from __future__ import annotations

import pytest

from airpy.jobs.counters import BOUNDS, ended


def test_a_job_counts_under_every_bound_that_it_stayed_within() -> None:
    added = ended("query", "completed", waited_ms=50, run_ms=4000, peak_mb=300.5)

    assert added == {
        "ended:query:completed": 1,
        # 0.05 s in line
        **{f"wait:query:{bound}": 1 for bound in ("0.05", "0.1", "0.5", "1", "5", "10", "30", "60", "300")},
        "wait:query:+Inf": 1,
        "wait:query:sum": 0.05,
        # 4 s at work
        **{f"run:query:{bound}": 1 for bound in ("5", "10", "30", "60", "300", "1200")},
        "run:query:+Inf": 1,
        "run:query:sum": 4,
        # 300.5 MiB
        **{f"memory:query:{bound}": 1 for bound in ("512", "1024", "2048", "4096", "8192")},
        "memory:query:+Inf": 1,
        "memory:query:sum": 300.5,
    }


def test_a_job_beyond_every_bound_counts_as_one_of_all() -> None:
    added = ended("analyze", "failed", waited_ms=301_000, run_ms=1_201_000, peak_mb=9000)

    assert [name for name in added if not name.endswith((":sum", ":failed"))] == [
        "wait:analyze:+Inf",
        "run:analyze:+Inf",
        "memory:analyze:+Inf",
    ]


@pytest.mark.parametrize("what", BOUNDS)
def test_bounds_rise(what: str) -> None:
    assert list(BOUNDS[what]) == sorted(set(BOUNDS[what]))

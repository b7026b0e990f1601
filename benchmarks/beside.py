"""Runs plans through the service, and the same questions by raw Polars and DuckDB, in turns.

The service's time is its caller's: from the POST, waiting to be told of its end, to the last byte of the
Arrow download; its cache is off. A peer runs in a fresh process, which prints its own seconds. The best of
the rounds counts, and all answers are compared before a line is printed.
"""

from __future__ import annotations

import datetime as dt
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from service import Caller, running

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["PEERS", "SETTLE_S", "compare"]

PEERS = ("polars", "duckdb")
SIDES = ("service", *PEERS)
SETTLE_S = 0.5
"""After a job its worker starts the next spare child, which is not to disturb what is measured next."""


def compare(
    title: str,
    script: Path,
    folder: Path,
    plans: Mapping[str, dict[str, Any]],
    check: Callable[[str, dict[str, pl.DataFrame]], None],
    rounds: int,
    **settings: str,
) -> None:
    """Measure, compare the answers and print.

    Args:
        title: What is measured.
        script: Runs a peer: `script polars|duckdb NAME FOLDER TARGET`.
        folder: Where the tables are.
        plans: The questions by name, as plans.
        check: Stops unless the three answers to a question are right.
        rounds: How often each side runs.
        settings: Of the service, where they are not the usual ones.
    """
    print(f"{title}; best of {rounds} rounds; {dt.datetime.now(dt.UTC):%Y-%m-%d}")
    heads = [*(f"{side} s" for side in SIDES), *(f"by {peer}" for peer in PEERS), "by better"]
    print(f"{'question':<10}" + "".join(f"{head:>11}" for head in heads))
    ratios = []
    with (
        tempfile.TemporaryDirectory() as answers,
        running(folder, worker=True, **settings) as service,
        Caller(service.url) as caller,
    ):
        caller.http.headers["Cache-Control"] = "no-cache"
        targets = {side: Path(answers, f"{side}.arrow") for side in SIDES}
        for name, plan in plans.items():
            best = dict.fromkeys(SIDES, math.inf)
            for _ in range(rounds):
                best["service"] = min(best["service"], _in_service(caller, plan, targets["service"]))
                for peer in PEERS:
                    took = _in_peer([str(script), peer, name, str(folder), str(targets[peer])])
                    best[peer] = min(best[peer], took)
            check(name, {side: pl.read_ipc_stream(target) for side, target in targets.items()})
            by = [best["service"] / best[peer] for peer in PEERS]
            ratios.append(max(by))
            cells = [*(f"{best[side]:.3f}" for side in SIDES), *(f"{ratio:.2f}" for ratio in (*by, max(by)))]
            print(f"{name:<10}" + "".join(f"{cell:>11}" for cell in cells), flush=True)
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    print(f"geometric mean by the better of the two: {mean:.2f}; the worst {max(ratios):.2f}")


def _in_service(caller: Caller, plan: dict[str, Any], target: Path) -> float:
    time.sleep(SETTLE_S)
    began = time.perf_counter()
    token = caller.submit("query", {"datasource_id": "bench", "plan": plan, "output": "arrow"})
    caller.follow(token)
    caller.download(token, target)
    return time.perf_counter() - began


def _in_peer(command: list[str]) -> float:
    run = subprocess.run([sys.executable, *command], stdout=subprocess.PIPE, text=True, check=True)
    return float(run.stdout)

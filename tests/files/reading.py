"""What the tests run in a sandbox's child."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from airpy.engine.encoding import encode_rows, portable
from airpy.engine.failures import failure
from airpy.files.datasets import dataset_at
from airpy.files.scan import scan

if TYPE_CHECKING:
    from airpy.engine.steps import OnStep
    from airpy.errors import AirError
    from airpy.files.paths import FileRoot

KEPT_ROWS = 100


class Whole(NamedTuple):
    """What a data set holds."""

    height: int
    columns: list[str]
    rows: list[dict[str, Any]]
    """The first of them, as an answer has them."""


def read_whole(root: FileRoot, requested: str, *, on_step: OnStep) -> Whole:
    """All of what a path names is read."""
    del on_step
    with TemporaryDirectory() as scratch:
        frame = scan(dataset_at(root, requested, "uri"), infer_rows=1000, scratch=Path(scratch)).frame
        whole = portable(frame).collect(engine="streaming")
        return Whole(whole.height, whole.columns, json.loads(encode_rows(whole.head(KEPT_ROWS))))


def read_all(root: FileRoot, names: list[str], *, on_step: OnStep) -> dict[str, Whole | AirError]:
    """What each of the paths holds, or what the caller is told instead."""
    outcomes: dict[str, Whole | AirError] = {}
    for name in names:
        try:
            outcomes[name] = read_whole(root, name, on_step=on_step)
        except BaseException as error:  # noqa: BLE001  as the sandbox does: a panic is no Exception
            outcomes[name] = failure(error)
    return outcomes

"""Keeps what large text files hold as Parquet too, so that who asks them again need not read text.

A copy has the very frame that reading the files gave, and beside it what was told of that reading. It is
named by all that tells the data set in this state from another, and by how it was read: once a file has
changed, a copy is never asked for again, and goes when room is needed. Who finds none leaves a wish; a worker
that has nothing else to do grants it. A copy that is damaged is none.

    {copies}/{key}.parquet   the frame
    {copies}/{key}.json      what was told, and what the frame's file is like; as old as its last use
    {copies}/{key}.wish      what is to be copied
    {copies}/{key}.none      what cannot be
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from airpy import __version__
from airpy.contract import ColumnEvidence, Faults, ReadingNote, SchemaEvolution, TextForm
from airpy.files.datasets import load_of
from airpy.files.memory import YOUNG_S
from airpy.files.opening import Opened
from airpy.files.sources import fingerprint

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel

    from airpy.contract import ReadOptions
    from airpy.files.datasets import Dataset

__all__ = ["Copies", "Wish"]

LEAST_BYTES = 32 * 1024 * 1024
"""Less text is read in a moment."""
KEPT_S = 7 * 86_400
"""How long a wish is kept that nobody grants, and what could not be copied is remembered."""


class Wish(NamedTuple):
    """A data set to copy, and how it is read."""

    name: str
    format: str
    files: list[str]
    directory: str | None
    options: dict[str, Any]
    infer_rows: int
    every_column: bool


class Copies(NamedTuple):
    """The folder of copies, shared by workers."""

    path: Path
    most_bytes: int = 0
    """How much is left when it is tidied."""

    def key(
        self, dataset: Dataset, options: ReadOptions, infer_rows: int, *, every_column: bool
    ) -> str | None:
        """Names the copy of the data set as it is now, read like this; None when it is not worth one."""
        load = load_of([dataset])
        if load.fingerprint is None or load.bytes < LEAST_BYTES or load.changed_s > time.time() - YOUNG_S:
            return None
        ground = __version__, pl.__version__, str(dataset.root.base), dataset.format
        read = options.model_dump_json(exclude_none=True), infer_rows, every_column
        return hashlib.sha256(repr((load.fingerprint, ground, read)).encode()).hexdigest()[:32]

    def find(self, key: str, scratch: Path) -> Opened | None:
        """The data set from its copy; None when there is none.

        Args:
            key: Its name.
            scratch: A directory of the job, in which the copy stays until the job is done.
        """
        held = scratch / f"copy-{uuid.uuid4().hex}.parquet"
        try:
            told = json.loads(self._place(key, "json").read_bytes())
            held.hardlink_to(self._place(key, "parquet"))
            frame = pl.scan_parquet(held, glob=False)
            frame.collect_schema()
            whole = fingerprint(held) == told["fingerprint"]
            os.utime(self._place(key, "json"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, pl.exceptions.PolarsError):
            whole = False
        if not whole:
            self._forget(key)
            return None
        return Opened(
            frame,
            texts=tuple(map(TextForm.model_validate, told["texts"])),
            evidence=lambda: tuple(map(ColumnEvidence.model_validate, told["evidence"])),
            evolution=lambda: SchemaEvolution.model_validate(told["evolution"]),
            distinct=told["distinct"],
            faults=Faults.model_validate(told["faults"]),
            notes=tuple(map(ReadingNote.model_validate, told["notes"])),
        )

    def wish(self, key: str, wish: Wish) -> None:
        """Leave word that a copy would be of use, unless it cannot be made."""
        if self._place(key, "none").exists():
            return
        with contextlib.suppress(OSError):  # a full disk is no reason to fail
            self.path.mkdir(parents=True, exist_ok=True)
            self._write(key, "wish", json.dumps(wish).encode())

    def granted(self) -> tuple[str, Wish] | None:
        """The wish that has waited longest, for the caller alone to grant."""
        for place in sorted(self.path.glob("*.wish"), key=_time_of):
            with contextlib.suppress(OSError, ValueError, TypeError):  # another worker was faster
                mine = place.with_suffix(f".{uuid.uuid4().hex}")
                place.rename(mine)
                text = mine.read_bytes()
                mine.unlink()
                return place.stem, Wish(*json.loads(text))
        return None

    def keep(self, key: str, opened: Opened) -> None:
        """Write the frame and what was told of it.

        Raises:
            ValueError: Parquet gives back another type than one of the frame's.
            OSError, PolarsError: It cannot be read, or not be written.
        """
        draft = self.path / f"{key}.{uuid.uuid4().hex}"
        try:
            opened.frame.sink_parquet(draft, compression="lz4", maintain_order=True, engine="streaming")
            if pl.scan_parquet(draft, glob=False).collect_schema() != opened.frame.collect_schema():
                raise ValueError("Parquet does not keep every type of the frame")
            told = {
                "fingerprint": fingerprint(draft),
                "texts": list(map(_plain, opened.texts)),
                "evidence": list(map(_plain, opened.evidence())),
                "evolution": _plain(opened.evolution()),
                "distinct": dict(opened.distinct),
                "faults": _plain(opened.faults),
                "notes": list(map(_plain, opened.notes)),
            }
            draft.replace(self._place(key, "parquet"))
            self._write(key, "json", json.dumps(told).encode())
        finally:
            draft.unlink(missing_ok=True)

    def refuse(self, key: str) -> None:
        """Remember that no copy can be made, so that none is tried again."""
        with contextlib.suppress(OSError):
            self._place(key, "none").touch()

    def free_bytes(self) -> int:
        """How much more the disk can hold."""
        return shutil.disk_usage(self.path).free if self.path.is_dir() else 0

    def tidy(self) -> None:
        """Remove what was not used longest until the copies fit, and what nobody needs any more."""
        old = time.time() - KEPT_S
        sizes: dict[str, int] = {}
        with contextlib.suppress(FileNotFoundError):  # another worker tidies too
            for place in list(self.path.iterdir()):
                if place.suffix == ".parquet":
                    sizes[place.stem] = place.stat().st_size
                elif place.suffix != ".json" and _time_of(place) < old:
                    place.unlink(missing_ok=True)
        total = sum(sizes.values())
        most = min(self.most_bytes, (self.free_bytes() + total) // 2)  # the rest of the disk is the results'
        for key in sorted(sizes, key=lambda key: _time_of(self._place(key, "json"))):
            if total <= most:
                break
            total -= sizes[key]
            self._forget(key)

    def _forget(self, key: str) -> None:
        for suffix in ("json", "parquet"):
            self._place(key, suffix).unlink(missing_ok=True)

    def _write(self, key: str, suffix: str, content: bytes) -> None:
        draft = self.path / f"{key}.{uuid.uuid4().hex}"
        draft.write_bytes(content)
        draft.replace(self._place(key, suffix))

    def _place(self, key: str, suffix: str) -> Path:
        return self.path / f"{key}.{suffix}"


def _plain(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _time_of(place: Path) -> float:
    try:
        return place.stat().st_mtime
    except OSError:
        return 0.0

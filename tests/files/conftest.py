"""A base path of its own for each test, and what lies outside it."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from airpy.engine.schema import type_name
from airpy.files.datasets import dataset_at
from airpy.files.paths import FileRoot
from airpy.files.scan import scan

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

EXTENSIONS = (".csv", ".parquet", ".jsonl")
NOBODY = 65_534


class Read(Protocol):
    """Reads what a path under the base path names."""

    def __call__(
        self,
        requested: str,
        *,
        infer_rows: int = 20_000,
        rows_per_file: int | None = None,
        every_column: bool = True,
    ) -> pl.DataFrame:
        """The whole of it as a frame."""


@pytest.fixture
def root(tmp_path: Path) -> FileRoot:
    """An empty base path."""
    base = tmp_path / "base"
    base.mkdir()
    return FileRoot.at(base, EXTENSIONS)


@pytest.fixture
def public_root() -> Iterator[FileRoot]:
    """A base path that everybody may enter; pytest's own are private."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        base = Path(folder) / "base"
        base.mkdir()
        yield FileRoot.at(base, EXTENSIONS)


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may read everything; so be nobody for a while."""
    if os.geteuid():
        yield
    else:
        os.seteuid(NOBODY)
        try:
            yield
        finally:
            os.seteuid(0)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory beside the base path, with data that nobody may read."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.csv").write_text("secret\n1\n")
    return outside


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Where files may be rewritten."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return scratch


@pytest.fixture
def read(root: FileRoot, scratch: Path) -> Read:
    """Reads under the base path of the test."""

    def read(
        requested: str,
        *,
        infer_rows: int = 20_000,
        rows_per_file: int | None = None,
        every_column: bool = True,
    ) -> pl.DataFrame:
        frame = scan(
            dataset_at(root, requested, "uri"),
            infer_rows=infer_rows,
            scratch=scratch,
            rows_per_file=rows_per_file,
            every_column=every_column,
        ).frame
        return frame.collect(engine="streaming")

    return read


def put(root: FileRoot, name: str, content: str | bytes = "v\n1\n") -> Path:
    """A file under the base path."""
    path = root.real / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def write(frame: pl.DataFrame, path: Path) -> None:
    """The frame in the format that the path's extension names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        frame.write_csv(path)
    elif path.suffix == ".jsonl":
        frame.write_ndjson(path)
    else:
        frame.write_parquet(path)


def held(frame: pl.DataFrame) -> tuple[dict[str, str], list[list[Any]]]:
    """The types and rows of a frame; NaN, which nothing equals, as its name."""
    types: dict[str, str] = {name: type_name(dtype) for name, dtype in frame.schema.items()}
    return types, [["NaN" if value != value else value for value in row] for row in frame.rows()]  # noqa: PLR0124

"""What a job may use, and what it leaves behind."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from airpy.jobs.costs import Bounds
from airpy.jobs.states import ground_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from airpy.files.paths import FileRoot

__all__ = ["JobContext"]


class JobContext(NamedTuple):
    """What the function of a job is given beside its request."""

    files: FileRoot
    folder: Path
    """Where its result goes."""
    input: Path
    """The folder with what it is given beside the request, if anything; `inputs.py` has the names."""
    token: int
    infer_rows: int
    max_rows_json: int
    bounds: Bounds = Bounds()
    """What a query may take; nothing is refused by it where there is none."""
    asked_at: dt.datetime | None = None
    """When its request came, for times that are counted from then; where nobody knows, it is now."""
    max_join_rows: int | None = None
    """How many rows a join may make; any number when None."""

    @property
    def ground(self) -> str:
        """What its answer depends on beside its request and the files."""
        return ground_of(self.files, self.infer_rows, self.max_rows_json)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A directory for files that are only needed while the job runs."""
        with TemporaryDirectory(dir=self.folder, prefix="scratch-") as scratch:
            yield Path(scratch)

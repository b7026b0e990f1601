"""A worker's client, a listener to counted work, and a place to run a job's function without a child."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import redis

from airpy.files.paths import FileRoot
from airpy.jobs import work
from airpy.jobs.context import JobContext
from airpy.jobs.kinds import JOBS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airpy.contract import JobType
    from airpy.jobs.record import ResultFrame
    from airpy.jobs.work import Unit


class Bench(NamedTuple):
    """A base path to put files under, a job's context, and the steps that were reported."""

    base: Path
    context: JobContext
    steps: list[tuple[str, str]]

    def check(self, kind: JobType, body: dict[str, Any]) -> None:
        """Check a request as the server does before it issues a token."""
        JOBS[kind].check(JOBS[kind].request.model_validate({"datasource_id": "energy", **body}), self.root)

    def run(self, kind: JobType, body: dict[str, Any]) -> ResultFrame | None:
        """Run a job of this kind."""
        self.steps.clear()
        request = JOBS[kind].request.model_validate({"datasource_id": "energy", **body})
        return JOBS[kind].run(request, self.context, on_step=lambda *step: self.steps.append(step))

    def data(self, kind: JobType, body: dict[str, Any]) -> dict[str, Any]:
        """The data of the job."""
        self.run(kind, body)
        data: dict[str, Any] = json.loads((self.context.folder / "data.json").read_bytes())
        return data

    def give(self, content: bytes, form: str = "arrow", field: str = "frame_ref.data") -> None:
        """Give the job this beside its request, as what stood in that field of it."""
        self.context.input.mkdir(exist_ok=True)
        (self.context.input / f"{field}.{form}").write_bytes(content)

    @property
    def root(self) -> FileRoot:
        """Where the files are."""
        return self.context.files

    @property
    def step_names(self) -> list[str]:
        """The names of the steps, in order."""
        return [name for name, _ in self.steps]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """An empty base path, and room for a result."""
    base, folder = tmp_path / "base", tmp_path / "result"
    base.mkdir()
    folder.mkdir()
    root = FileRoot.at(base, (".csv", ".parquet", ".jsonl"), ("s3://bucket/",))
    context = JobContext(
        files=root, folder=folder, input=tmp_path / "input", token=7, infer_rows=1000, max_rows_json=100
    )
    return Bench(base, context, [])


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """A client of the test's database."""
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def told() -> Iterator[list[tuple[int, int, Unit]]]:
    """What is told of this process's work."""
    counts: list[tuple[int, int, Unit]] = []
    before = work._told[0]  # noqa: SLF001  a child has one listener for life, a test must give it back
    work.listen(lambda *count: counts.append(count))
    yield counts
    work.listen(before)

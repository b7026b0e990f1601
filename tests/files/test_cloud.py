"""Objects of a bucket, read by their URI."""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING

import polars as pl
import pytest

from airpy.engine.failures import failure
from airpy.errors import PathRefused
from airpy.files.datasets import dataset_at
from airpy.files.scan import scan
from tests.files.bucket import Bucket, running_bucket
from tests.files.conftest import held

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airpy.files.paths import FileRoot
    from tests.files.conftest import Read


@pytest.fixture(scope="module")
def served() -> Iterator[Bucket]:
    """A bucket for all tests: who reads it remembers where it was."""
    with running_bucket() as bucket:
        yield bucket


@pytest.fixture
def bucket(served: Bucket, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """The bucket that the environment names."""
    for name, value in {
        "AWS_ENDPOINT_URL": served.url,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    served.objects.clear()
    served.asked_for.clear()
    return served


@pytest.fixture
def root(root: FileRoot) -> FileRoot:
    """A base path, and a bucket beside it."""
    return root._replace(cloud_prefixes=("s3://bucket/energy/",))


def test_csv_in_a_bucket_has_its_types(bucket: Bucket, read: Read) -> None:
    bucket.objects["/bucket/energy/a.csv"] = b"day,zip,kwh\n2025-01-01,007,1.5\n2025-01-02,123,\n"

    assert held(read("s3://bucket/energy/a.csv")) == (
        {"day": "date", "zip": "string", "kwh": "float64"},
        [[dt.date(2025, 1, 1), "007", 1.5], [dt.date(2025, 1, 2), "123", None]],
    )
    assert read("s3://bucket/energy/a.csv", rows_per_file=1).height == 1


def test_jsonl_in_a_bucket_has_the_columns_of_every_row(bucket: Bucket, read: Read) -> None:
    bucket.objects["/bucket/energy/a.jsonl"] = b'{"v":1}\n{"w":"x"}\n'

    assert held(read("s3://bucket/energy/a.jsonl", infer_rows=1)) == (
        {"v": "int64", "w": "string"},
        [[1, None], [None, "x"]],
    )
    assert read("s3://bucket/energy/a.jsonl", infer_rows=1, every_column=False).columns == ["v"]


def test_parquet_in_a_bucket_gives_only_what_is_asked_for(
    bucket: Bucket, root: FileRoot, scratch: Path
) -> None:
    content = io.BytesIO()
    pl.DataFrame({"a": [1, 2], "b": ["x", "y"]}).write_parquet(content)
    bucket.objects["/bucket/energy/a.parquet"] = content.getvalue()

    frame = scan(
        dataset_at(root, "s3://bucket/energy/a.parquet", "uri"), infer_rows=10, scratch=scratch
    ).frame

    assert "PROJECT 1/2 COLUMNS" in frame.select("b").explain()
    assert frame.filter(pl.col("a") > 1).collect().rows() == [(2, "y")]


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_an_object_that_is_not_there_is_an_error_of_the_file(bucket: Bucket, read: Read, form: str) -> None:
    with pytest.raises(Exception, match=r".") as raised:
        read(f"s3://bucket/energy/gone.{form}")

    assert bucket.asked_for
    assert failure(raised.value).code == "IO_ERROR"


@pytest.mark.parametrize(
    "requested",
    [
        "s3://bucket/secret/a.csv",
        "s3://bucket/energy/%2e%2e/secret/a.csv",
        "s3://bucket/energy/../secret/a.csv",
    ],
)
def test_nothing_is_asked_for_outside_the_allowed_prefix(bucket: Bucket, read: Read, requested: str) -> None:
    bucket.objects["/bucket/secret/a.csv"] = b"secret\n1\n"

    with pytest.raises(PathRefused):
        read(requested)

    assert bucket.asked_for == []

"""Objects of a bucket, read by their URIs."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import io
import socket
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl
import pytest

from airpy.contract import Filter
from airpy.errors import AirError, AmbiguousDataset, FileUnavailable, PathRefused
from airpy.files.access import Access
from airpy.files.datasets import dataset_at, find_dataset, looked_up
from airpy.files.holding import held
from airpy.files.scan import scan
from airpy.files.sources import seen, sources_of
from tests.files.bucket import KEYS, NAME, Bucket, running_bucket
from tests.files.conftest import held as held_by

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airpy.files.datasets import Dataset
    from airpy.files.paths import FileRoot

BELOW = "s3://bucket/energy"


@pytest.fixture(scope="module")
def served() -> Iterator[Bucket]:
    """A bucket for all tests."""
    with running_bucket() as bucket:
        yield bucket


@pytest.fixture
def bucket(served: Bucket) -> Bucket:
    """The bucket, empty."""
    served.empty()
    return served


@pytest.fixture
def root(root: FileRoot, bucket: Bucket) -> FileRoot:
    """A base path, and a bucket beside it."""
    return root._replace(cloud_prefixes=(f"{BELOW}/",), access=bucket.access)


class ReadCloud(Protocol):
    """Reads what a URI names."""

    def __call__(self, requested: str, **how: Any) -> pl.DataFrame:
        """The whole of it as a frame."""


@pytest.fixture
def read(root: FileRoot, scratch: Path) -> ReadCloud:
    """Reads as a job does."""

    def read(requested: str, **how: Any) -> pl.DataFrame:
        found = looked_up(dataset_at(root, requested, "uri"), "uri")
        with held([found], scratch) as [dataset]:
            return scan(
                dataset, infer_rows=how.pop("infer_rows", 100), scratch=scratch, **how
            ).frame.collect()

    return read


def parquet(frame: pl.DataFrame, **how: Any) -> bytes:
    content = io.BytesIO()
    frame.write_parquet(content, **how)
    return content.getvalue()


def test_csv_in_a_bucket_has_its_types(bucket: Bucket, read: ReadCloud) -> None:
    bucket.put("energy/a.csv", b"day;zip;kwh\n2025-01-01;007;1.5\n2025-01-02;123;\n")

    assert held_by(read(f"{BELOW}/a.csv")) == (
        {"day": "date", "zip": "string", "kwh": "float64"},
        [[dt.date(2025, 1, 1), "007", 1.5], [dt.date(2025, 1, 2), "123", None]],
    )


def test_jsonl_in_a_bucket_has_the_columns_of_every_row(bucket: Bucket, read: ReadCloud) -> None:
    bucket.put("energy/a.jsonl", b'{"v":1}\n{"w":"x"}\n')

    assert held_by(read(f"{BELOW}/a.jsonl", infer_rows=1)) == (
        {"v": "int64", "w": "string"},
        [[1, None], [None, "x"]],
    )


def test_compressed_text_in_a_bucket_is_read(bucket: Bucket, read: ReadCloud) -> None:
    bucket.put("energy/a.csv.gz", gzip.compress(b"v\n1\n2\n"))

    assert read(f"{BELOW}/a.csv.gz").rows() == [(1,), (2,)]


def test_parquet_in_a_bucket_gives_only_what_is_asked_for(
    bucket: Bucket, root: FileRoot, scratch: Path
) -> None:
    numbers = pl.int_range(300_000, eager=True)
    frame = pl.DataFrame({"a": numbers, "b": numbers.shuffle(seed=1)})
    bucket.put("energy/a.parquet", parquet(frame, row_group_size=10_000))
    found = looked_up(dataset_at(root, f"{BELOW}/a.parquet", "uri"), "uri")

    frame = scan(found, infer_rows=10, scratch=scratch).frame.filter(pl.col("a") < 10).collect()

    assert frame.height == 10
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("uri", [BELOW, f"{BELOW}/", f"{BELOW}/**/*.FORM", f"{BELOW}/year=*/*.FORM"])
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_directory_and_a_pattern_are_read_as_one(
    bucket: Bucket, read: ReadCloud, uri: str, form: str
) -> None:
    for year in (2024, 2025):
        content = io.BytesIO()
        frame = pl.DataFrame({"v": [year * 10]})
        if form == "csv":
            frame.write_csv(content)
        elif form == "jsonl":
            frame.write_ndjson(content)
        else:
            frame.write_parquet(content)
        bucket.put(f"energy/year={year}/a.{form}", content.getvalue())
    bucket.put("energy/_SUCCESS", b"")
    bucket.put(f"energy/_notes/a.{form}", b"hidden")
    bucket.put("energy/readme.txt", b"not read")
    bucket.put(f"energy-secret/a.{form}", b"beside")

    assert read(uri.replace("FORM", form)).rows() == [(20240, 2024), (20250, 2025)]


def test_only_what_passes_the_filter_is_fetched(bucket: Bucket, root: FileRoot, scratch: Path) -> None:
    for year in (2024, 2025):
        bucket.put(f"energy/year={year}/a.csv", b"v\n1\n")
    found = looked_up(dataset_at(root, BELOW, "uri"), "uri")
    bucket.asked_for.clear()

    filters = [Filter(col="year", op="==", val=2025)]
    scan(found, infer_rows=10, scratch=scratch, filters=filters).frame.collect()

    assert [request for request in bucket.asked_for if "a.csv" in request] == [
        "GET /bucket/energy/year%3D2025/a.csv"
    ]


def test_a_plan_may_name_what_is_in_a_bucket(bucket: Bucket, root: FileRoot) -> None:
    bucket.put("energy/a.csv", b"v\n1\n")

    found = find_dataset(root, "source", f"{BELOW}/a.csv", "plan.dataset")

    assert bucket.asked_for == ["PUT /bucket/energy/a.csv"]  # nothing, before the job runs
    assert looked_up(found, "plan.dataset").format == "csv"


def test_sources_are_named_with_what_the_storage_tags_them_with(bucket: Bucket, root: FileRoot) -> None:
    bucket.put("energy/p=1/a.csv", b"v\n1\n")

    def sources() -> Any:
        return sources_of(seen([looked_up(dataset_at(root, BELOW, "uri"), "uri")]))

    first = sources()
    bucket.put("energy/p=1/a.csv", b"v\n2\n")
    second = sources()

    assert first.files[0].path == f"{BELOW}/p=1/a.csv"
    assert first.files[0].size_bytes == 4
    assert first.files[0].fingerprint == hashlib.md5(b"v\n1\n", usedforsecurity=False).hexdigest()
    assert first.files[0].fingerprint != second.files[0].fingerprint
    assert first.fingerprint != second.fingerprint


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("uri", [f"{BELOW}/a.FORM", BELOW])
def test_an_object_that_changes_while_it_is_read_is_noticed(
    bucket: Bucket, root: FileRoot, scratch: Path, form: str, uri: str
) -> None:
    contents = {"csv": [b"v\n1\n", b"v\n2\n"], "parquet": [parquet(pl.DataFrame({"v": [v]})) for v in (1, 2)]}
    bucket.put(f"energy/a.{form}", contents[form][0])
    found = looked_up(dataset_at(root, uri.replace("FORM", form), "uri"), "uri")

    def replace_and_read(dataset: Dataset) -> None:
        bucket.put(f"energy/a.{form}", contents[form][1])
        scan(dataset, infer_rows=10, scratch=scratch).frame.collect()

    with (
        pytest.raises(FileUnavailable, match="changed while it was read") as raised,
        held([found], scratch) as [dataset],
    ):
        replace_and_read(dataset)

    assert raised.value.reason == "FILE_CHANGED"


def test_a_preview_fetches_no_more_than_it_needs(bucket: Bucket, root: FileRoot, scratch: Path) -> None:
    bucket.put("energy/a.csv", b"v\n" + b"12345\n" * 100_000)
    bucket.put("energy/b.csv", b"v\n1\n")
    found = looked_up(dataset_at(root, BELOW, "uri"), "uri")

    opened = scan(found, infer_rows=10, scratch=scratch, most_unpacked=10_000)

    assert not opened.whole
    assert opened.frame.collect().height == (10_000 - 2) // 6
    assert set(opened.frame.collect()["v"]) == {12345}


@pytest.mark.parametrize(
    "uri", [f"{BELOW}/gone.csv", f"{BELOW}/gone.parquet", f"{BELOW}/gone/", f"{BELOW}/*.csv"]
)
def test_what_is_not_there_is_missing(bucket: Bucket, read: ReadCloud, uri: str) -> None:
    bucket.put("energy/a.jsonl", b'{"v":1}\n')

    with pytest.raises(FileUnavailable) as raised:
        read(uri)

    assert raised.value.reason in {"FILE_MISSING", "NO_DATA_FILES"}


def test_a_bucket_that_is_not_there_is_missing(root: FileRoot) -> None:
    root = root._replace(cloud_prefixes=("s3://gone/",))

    with pytest.raises(FileUnavailable, match='there is no bucket "gone"') as raised:
        looked_up(dataset_at(root, "s3://gone/a/", "uri"), "uri")

    assert raised.value.reason == "FILE_MISSING"


def test_storage_that_cannot_be_reached_may_be_back(root: FileRoot) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        settings = {"endpoint": f"http://127.0.0.1:{nobody.getsockname()[1]}", **KEYS}
        root = root._replace(access=Access({"s3": settings}))

        with pytest.raises(FileUnavailable, match="did not answer as it should") as raised:
            looked_up(dataset_at(root, BELOW, "uri"), "uri")

    assert raised.value.reason == "READ_INTERRUPTED"
    assert "127.0.0.1" not in raised.value.message


def test_files_of_several_formats_are_not_read_as_one(bucket: Bucket, read: ReadCloud) -> None:
    bucket.put("energy/a.csv", b"v\n1\n")
    bucket.put("energy/b.jsonl", b'{"v":2}\n')

    with pytest.raises(AmbiguousDataset) as raised:
        read(BELOW)

    assert raised.value.suggestion == [f"{BELOW}/**/*.csv", f"{BELOW}/**/*.jsonl"]
    assert [read(pattern).rows() for pattern in raised.value.suggestion] == [[(1,)], [(2,)]]


@pytest.mark.parametrize(
    "requested",
    [
        "s3://bucket/secret/a.csv",
        "s3://bucket/energy-secret/a.csv",
        "s3://bucket/energy%2Fx/../../secret/a.csv",
        "s3://bucket/energy/%2e%2e/secret/a.csv",
        "s3://bucket/energy/%2E./secret/a.csv",
        "s3://bucket/energy/../secret/a.csv",
        "s3://bucket/energy/..",
        "s3://bucket/energy//a.csv",
        "s3://bucket/",
        "s3://bucket",
        "s3://other/energy/a.csv",
        "gs://bucket/energy/a.csv",
        "az://bucket/energy/",
    ],
)
def test_nothing_is_asked_for_outside_the_allowed_prefix(
    bucket: Bucket, read: ReadCloud, requested: str
) -> None:
    bucket.put("secret/a.csv", b"secret\n1\n")
    bucket.asked_for.clear()

    with pytest.raises(PathRefused):
        read(requested)

    assert bucket.asked_for == []


def test_secrets_are_in_no_message(root: FileRoot, bucket: Bucket) -> None:
    found = dataset_at(root, BELOW, "uri")

    assert KEYS["secret_access_key"] not in f"{root!r} {found!r} {bucket.access!r}"


@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
def test_no_keys_are_looked_for_anywhere(
    root: FileRoot, scratch: Path, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every request goes to the endpoint that is set, where nobody answers but notes who knocks."""
    del scratch
    names = {"s3": "endpoint", "gs": "base_url", "az": "endpoint"}
    with running_bucket() as other:
        settings = {names[scheme]: other.url, "skip_signature": "true"}
        if scheme == "az":
            settings["account_name"] = "account"
        for variable in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AZURE_ENDPOINT"):
            monkeypatch.setenv(variable, "http://127.0.0.1:9")
        elsewhere = root._replace(cloud_prefixes=(f"{scheme}://{NAME}/",), access=Access({scheme: settings}))
        other.asked_for.clear()

        with pytest.raises(AirError):
            looked_up(dataset_at(elsewhere, f"{scheme}://{NAME}/gone.parquet", "uri"), "uri")

        assert other.asked_for

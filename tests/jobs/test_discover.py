from __future__ import annotations

import gzip
import os
import tempfile
from pathlib import Path

import polars as pl
import pytest

from airpy.errors import FileUnavailable, PathRefused
from airpy.files.paths import FileRoot
from tests.files.bucket import running_bucket
from tests.files.conftest import without_privileges
from tests.jobs.conftest import Bench


def fill(bench: Bench) -> None:
    """Two files at the top, one in a folder, and three that are none of ours."""
    (bench.base / "energy" / "2025").mkdir(parents=True)
    (bench.base / "energy" / "a.csv").write_bytes(b"x,y\n1,2\n3,4\n")
    (bench.base / "energy" / "b.jsonl").write_bytes(b'{"x":1}\n')
    pl.DataFrame({"x": [1, 2, 3]}).write_parquet(bench.base / "energy" / "2025" / "c.parquet")
    for name in ("notes.txt", ".hidden.csv", "_partial.csv"):
        (bench.base / "energy" / name).touch()
    os.utime(bench.base / "energy" / "a.csv", (1756684800, 1756684800))


def test_files_are_listed_with_their_measures(bench: Bench) -> None:
    fill(bench)
    parquet = bench.base / "energy" / "2025" / "c.parquet"

    data = bench.data("discover", {"uri": "energy"})

    assert [file["path"] for file in data["files"]] == [
        str(parquet),
        str(bench.base / "energy" / "a.csv"),
        str(bench.base / "energy" / "b.jsonl"),
    ]
    assert data["files"][1] == {
        "path": str(bench.base / "energy" / "a.csv"),
        "format": "csv",
        "size_bytes": 12,
        "modified": "2025-09-01T00:00:00Z",
        "estimated_rows": 2,
    }
    assert [file["estimated_rows"] for file in data["files"]] == [3, 2, 1]
    assert data["total_files"] == 3
    assert data["total_size_bytes"] == 12 + 8 + parquet.stat().st_size
    assert not data["truncated"]
    assert bench.step_names == ["scanning_directory", "files_found", "discovery_complete"]


def test_folders_are_left_out_when_asked(bench: Bench) -> None:
    fill(bench)

    data = bench.data("discover", {"uri": "energy", "recurse": False})

    assert [file["format"] for file in data["files"]] == ["csv", "jsonl"]


@pytest.mark.parametrize(
    ("most", "listed", "truncated"), [(1, 1, True), (2, 2, True), (3, 3, False), (4, 3, False)]
)
def test_no_more_files_are_listed_than_asked_for(
    bench: Bench, most: int, listed: int, *, truncated: bool
) -> None:
    fill(bench)

    data = bench.data("discover", {"uri": "energy", "max_files": most})

    assert (data["total_files"], len(data["files"]), data["truncated"]) == (listed, listed, truncated)
    assert f"Found {listed} file" in bench.steps[1][1]


@pytest.mark.parametrize("uri", ["energy/a.csv", "energy/*.csv"])
def test_a_file_and_a_pattern_are_listed_too(bench: Bench, uri: str) -> None:
    fill(bench)

    data = bench.data("discover", {"uri": uri})

    assert [file["path"] for file in data["files"]] == [str(bench.base / "energy" / "a.csv")]


def test_the_base_path_itself_can_be_listed(bench: Bench) -> None:
    fill(bench)

    assert bench.data("discover", {"uri": str(bench.base)})["total_files"] == 3


def test_an_empty_directory_has_no_files(bench: Bench) -> None:
    (bench.base / "energy").mkdir()

    data = bench.data("discover", {"uri": "energy"})

    assert data == {
        "files": [],
        "total_files": 0,
        "total_size_bytes": 0,
        "truncated": False,
        "unreadable": [],
    }


def test_a_broken_file_is_listed_without_rows(bench: Bench) -> None:
    (bench.base / "broken.parquet").write_bytes(b"PAR1 is how it begins")

    (file,) = bench.data("discover", {"uri": "."})["files"]

    assert file["size_bytes"] == 21
    assert file["estimated_rows"] is None


def test_what_is_not_there_is_refused_before_the_job(bench: Bench) -> None:
    with pytest.raises(FileUnavailable) as caught:
        bench.check("discover", {"uri": "nowhere"})

    assert caught.value.reason == "FILE_MISSING"


def test_what_lies_outside_is_refused_before_the_job(bench: Bench) -> None:
    with pytest.raises(PathRefused):
        bench.check("discover", {"uri": "/etc"})


def test_directories_that_may_not_be_read_are_named(bench: Bench) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        place.chmod(0o777)  # for nobody, too
        root = FileRoot.at(place / "base", (".csv",))
        bench = Bench(root.base, bench.context._replace(files=root, folder=place), [])
        (root.base / "locked").mkdir(parents=True)
        (root.base / "a.csv").write_bytes(b"v\n1\n")
        (root.base / "locked").chmod(0)

        with without_privileges():
            data = bench.data("discover", {"uri": "."})

    assert data["unreadable"] == [str(root.base / "locked")]
    assert data["total_files"] == 1


def test_a_file_of_no_bytes_has_no_rows(bench: Bench) -> None:
    (bench.base / "a.parquet").touch()
    (bench.base / "a.csv.gz").write_bytes(gzip.compress(b"v\n1\n"))

    files = bench.data("discover", {"uri": "."})["files"]

    assert [(Path(file["path"]).name, file["estimated_rows"]) for file in files] == [
        ("a.csv.gz", 1),
        ("a.parquet", None),
    ]


def test_objects_of_a_bucket_are_listed(bench: Bench) -> None:
    with running_bucket() as bucket:
        for key in ("energy/a.csv", "energy/p=1/b.parquet", "energy/_SUCCESS", "energy-secret/c.csv"):
            bucket.put(key, b"v\n1\n")
        root = bench.root._replace(cloud_prefixes=("s3://bucket/energy/",), access=bucket.access)
        bench = bench._replace(context=bench.context._replace(files=root))

        data = bench.data("discover", {"uri": "s3://bucket/energy"})
        top = bench.data("discover", {"uri": "s3://bucket/energy/", "recurse": False})
        with pytest.raises(FileUnavailable) as gone:
            bench.data("discover", {"uri": "s3://bucket/energy/gone/"})

    assert [(file["path"], file["size_bytes"], file["estimated_rows"]) for file in data["files"]] == [
        ("s3://bucket/energy/a.csv", 4, None),
        ("s3://bucket/energy/p=1/b.parquet", 4, None),
    ]
    assert [file["format"] for file in top["files"]] == ["csv"]
    assert gone.value.reason == "FILE_MISSING"

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import energy
from tests.envelope import refused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.service import Service


@pytest.fixture(scope="module")
def tree(base: Path) -> Path:
    """Data files on two levels among things that are none."""
    tree = base / "_tree"
    (tree / "2025" / "01").mkdir(parents=True)
    (tree / "_notes").mkdir()
    frame = energy()
    frame.head(5).write_parquet(tree / "2025" / "01" / "a.parquet")
    frame.head(3).write_csv(tree / "2025" / "B.CSV")
    frame.head(2).write_ndjson(tree / "z.jsonl")
    for name in (".hidden.csv", "_SUCCESS.csv", "notes.txt", "_notes/c.csv"):
        (tree / name).write_text("a\n1\n")
    return tree


def discovered(service: Service, uri: str, **options: Any) -> dict[str, Any]:
    return service.data("discover", {"datasource_id": "energy-files", "uri": uri, **options})


def test_discover_answers_with_a_token_and_where_to_poll(service: Service) -> None:
    answer = service.post("discover", {"datasource_id": "energy-files", "uri": "csv"})

    assert answer.status_code == 202
    token = answer.json()["token"]
    assert answer.json() == {"token": token, "status": "started", "message": "File discovery job started"}
    assert answer.headers["location"] == f"/v1/py/jobs/{token}"
    assert int(answer.headers["retry-after"]) >= 1
    assert service.wait(token)["status"] == "completed"


def test_a_file_is_listed_with_size_date_and_rows(service: Service, base: Path) -> None:
    status = (base / "energy" / "measurements.parquet").stat()

    data = discovered(service, f"{base}/energy")

    modified = dt.datetime.fromtimestamp(int(status.st_mtime), dt.UTC)
    assert data == {
        "files": [
            {
                "path": f"{base}/energy/measurements.parquet",
                "format": "parquet",
                "size_bytes": status.st_size,
                "modified": modified.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "estimated_rows": 36,
            }
        ],
        "total_files": 1,
        "total_size_bytes": status.st_size,
        "truncated": False,
        "unreadable": [],
    }


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_rows_of_a_small_text_file_are_counted_by_its_lines(service: Service, form: str) -> None:
    (file,) = discovered(service, form)["files"]

    assert (file["format"], file["estimated_rows"]) == (form, 36)


def test_files_are_listed_in_path_order_without_hidden_ones_and_notes(service: Service, tree: Path) -> None:
    data = discovered(service, "_tree")

    assert [(file["path"], file["format"], file["estimated_rows"]) for file in data["files"]] == [
        (f"{tree}/2025/01/a.parquet", "parquet", 5),
        (f"{tree}/2025/B.CSV", "csv", 3),
        (f"{tree}/z.jsonl", "jsonl", 2),
    ]
    assert data["total_files"] == 3
    assert data["total_size_bytes"] == sum(file["size_bytes"] for file in data["files"])
    assert data["truncated"] is False


def test_without_recurse_only_the_directory_itself_is_listed(service: Service, tree: Path) -> None:
    data = discovered(service, "_tree", recurse=False)

    assert [file["path"] for file in data["files"]] == [f"{tree}/z.jsonl"]


@pytest.mark.parametrize(("most", "truncated"), [(1, True), (2, True), (3, False), (100_000, False)])
@pytest.mark.usefixtures("tree")
def test_a_list_cut_at_max_files_says_so(service: Service, *, most: int, truncated: bool) -> None:
    data = discovered(service, "_tree", max_files=most)

    assert (data["total_files"], data["truncated"]) == (min(most, 3), truncated)
    assert len(data["files"]) == min(most, 3)


def test_a_glob_lists_what_it_matches(service: Service, tree: Path) -> None:
    data = discovered(service, "_tree/**/*.parquet")

    assert [file["path"] for file in data["files"]] == [f"{tree}/2025/01/a.parquet"]


def test_a_file_is_listed_as_itself(service: Service, base: Path) -> None:
    data = discovered(service, f"file://{base}/csv/measurements.csv")

    assert [file["path"] for file in data["files"]] == [f"{base}/csv/measurements.csv"]


def test_a_directory_without_data_files_is_an_empty_list(service: Service, odd: Path) -> None:
    data = discovered(service, f"{odd}/notes")

    assert data == {
        "files": [],
        "total_files": 0,
        "total_size_bytes": 0,
        "truncated": False,
        "unreadable": [],
    }


def test_a_file_that_cannot_be_read_has_no_estimate(service: Service, odd: Path) -> None:
    rows = {
        file["path"].rpartition("/")[2]: file["estimated_rows"]
        for file in discovered(service, str(odd))["files"]
    }

    assert rows["broken.parquet"] is None
    assert rows["empty.parquet"] is None
    assert rows["empty.csv"] == 0
    assert rows["header.csv"] == 0
    assert "link.csv" not in rows
    assert "secret.csv" not in rows


def test_the_steps_are_the_specifications(service: Service) -> None:
    job = service.run("discover", {"datasource_id": "energy-files", "uri": "csv"})

    assert [step["step"] for step in job["steps"]] == [
        "scanning_directory",
        "files_found",
        "discovery_complete",
    ]
    assert job["steps"][0]["message"] == "Scanning csv"
    assert job["steps"][1]["message"].startswith("Found 1 file")


@pytest.mark.parametrize(
    ("options", "field", "message"),
    [
        ({"max_files": 0}, "max_files", "max_files: 0 is less than the minimum of 1"),
        ({"max_files": 100_001}, "max_files", "max_files: 100001 is greater than the maximum of 100000"),
        ({"max_files": "10"}, "max_files", 'max_files: "10" is not of type "integer"'),
        ({"recurse": 1}, "recurse", 'recurse: 1 is not of type "boolean"'),
        ({"uri": ""}, "uri", 'uri: "" is shorter than 1 character'),
        (
            {"recursive": True},
            "recursive",
            'recursive: "recursive" is not known here; did you mean "recurse"?',
        ),
    ],
)
def test_an_option_of_the_wrong_kind_is_refused(
    service: Service, options: dict[str, Any], field: str, message: str
) -> None:
    answer = service.post("discover", {"datasource_id": "energy-files", "uri": "csv", **options})

    error = refused(answer, 400, "SCHEMA_VIOLATION")
    assert error["details"]["field"] == field
    assert error["message"] == message


@pytest.mark.parametrize("name", ["", "../energy", "a/b", ".hidden", "x" * 129, "é"])
def test_a_datasource_id_that_could_be_a_path_is_refused(service: Service, name: str) -> None:
    answer = service.post("discover", {"datasource_id": name, "uri": "csv"})

    assert refused(answer, 400, "SCHEMA_VIOLATION")["details"]["field"] == "datasource_id"

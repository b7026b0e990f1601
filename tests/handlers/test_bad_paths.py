from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.envelope import refused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.service import Service

# How each operation is asked for a path, and what it calls it.
OPERATIONS: dict[str, tuple[str, Any]] = {
    "discover": ("uri", lambda path: {"uri": path}),
    "infer_schema": ("uri", lambda path: {"uri": path}),
    "preview": ("path", lambda path: {"path": path}),
    "query": ("plan.dataset", lambda path: {"plan": {"dataset": path}}),
    "analyze": ("plan.dataset", lambda path: {"plan": {"dataset": path}, "job_kind": "eda"}),
}
OUTSIDE = "the path leads outside the base path"

operations = pytest.mark.parametrize("operation", OPERATIONS)


def ask(service: Service, operation: str, path: str, reason: str, **kind: Any) -> dict[str, Any]:
    """The refusal of a path; it must be of the field that holds it, and come before a token."""
    field, body = OPERATIONS[operation]
    before = service.get("health").json()["next_token"]
    answer = service.post(operation, {"datasource_id": "energy-files", **body(path)})
    error = refused(answer, kind.get("status", 400), reason, kind.get("code", "VALIDATION_ERROR"))
    assert error["details"]["field"] == field
    assert service.get("health").json()["next_token"] == before
    return error


@operations
@pytest.mark.parametrize(
    "path",
    [
        "../outside.csv",
        "energy/../../outside.csv",
        "energy/../energy/measurements.parquet",
        "..",
        "/etc/passwd",
        "/",
        "file:///etc/passwd",
        "file:///%2e%2e/outside.csv",
        "file:///%2Fetc%2Fpasswd",
        "{base}/../outside.csv",
        "{base}x/outside.csv",
        "{odd}/link.csv",
        "{odd}/linked",
        "{odd}/linked/secret.csv",
    ],
)
def test_a_path_out_of_the_base_path_is_refused(
    service: Service, base: Path, odd: Path, operation: str, path: str
) -> None:
    error = ask(service, operation, path.format(base=base, odd=odd), "PATH_REFUSED")

    assert error["message"] == OUTSIDE
    assert error["details"]["constraint"] == "a path under PY_BASE_PATH, without .."


@operations
@pytest.mark.parametrize("path", ["energy\0.csv", "energy\n.csv", "energy\\x.csv", "file:///energy%00.csv"])
def test_a_character_that_no_path_has_is_refused(service: Service, operation: str, path: str) -> None:
    error = ask(service, operation, path, "PATH_REFUSED")

    assert error["message"] == "the path has a character that no path here has"
    assert error["details"]["constraint"] == "no control characters, no backslashes, valid Unicode"


@operations
@pytest.mark.parametrize("scheme", ["http", "https", "ftp", "hf", "memory", "FTP"])
def test_another_scheme_is_refused(service: Service, operation: str, scheme: str) -> None:
    error = ask(service, operation, f"{scheme}://localhost/x.csv", "PATH_REFUSED")

    assert error["message"] == f'the scheme "{scheme.lower()}" is not allowed'
    assert error["details"]["constraint"] == "a path, file://, or one of: s3://, gs://, az://"


@operations
@pytest.mark.parametrize("path", ["s3://bucket/x.csv", "gs://bucket/x.parquet", "az://box/x.jsonl"])
def test_a_cloud_uri_needs_its_prefix_to_be_configured(service: Service, operation: str, path: str) -> None:
    error = ask(service, operation, path, "PATH_REFUSED")

    assert "no allowed cloud prefix" in error["message"]
    assert error["details"]["constraint"] == "PY_CLOUD_PREFIXES: none"


@operations
def test_a_file_uri_of_another_host_is_refused(service: Service, operation: str) -> None:
    error = ask(service, operation, "file://elsewhere/x.csv", "PATH_REFUSED")

    assert error["details"]["constraint"] == "file:///… under the base path"


@operations
def test_a_path_beyond_every_path_is_refused(service: Service, operation: str) -> None:
    error = ask(service, operation, "é" * 2049, "PATH_REFUSED")

    assert error["message"] == "the path is too long"


@operations
@pytest.mark.parametrize("path", ["{odd}/notes/readme.txt", "csv/measurements.cvs"])
def test_an_extension_that_is_not_allowed_suggests_those_that_are(
    service: Service, odd: Path, operation: str, path: str
) -> None:
    error = ask(service, operation, path.format(odd=odd), "EXTENSION_NOT_ALLOWED")

    stem, _, _ = path.rpartition("/")[2].partition(".")
    assert "has no allowed extension" in error["message"]
    assert error["details"]["constraint"] == "one of: .csv, .parquet, .jsonl"
    assert error["details"]["suggestion"] == [f"{stem}.csv", f"{stem}.parquet", f"{stem}.jsonl"]


@operations
@pytest.mark.parametrize(
    "path", ["csv/measurement.csv", "{base}/csv/measurement.csv", "%63sv/measurements.csv"]
)
def test_a_missing_file_is_named(service: Service, base: Path, operation: str, path: str) -> None:
    error = ask(service, operation, path.format(base=base), "FILE_MISSING", status=422, code="IO_ERROR")

    assert error["message"].startswith('there is no such thing under the base path as "')
    assert str(base) not in str(error)
    if path.endswith("measurement.csv"):
        assert error["message"].endswith('did you mean "measurements.csv"?')
        assert error["details"]["suggestion"] == ["csv/measurements.csv"]


@operations
def test_a_pattern_without_a_match_is_named(service: Service, operation: str) -> None:
    error = ask(service, operation, "csv/2024-*.csv", "FILE_MISSING", status=422, code="IO_ERROR")

    assert error["message"] == 'there is no data file that matches "csv/2024-*.csv"'

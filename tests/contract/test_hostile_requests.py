from __future__ import annotations

import gzip
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.wire import exchange, parse, send
from tests.envelope import refused

if TYPE_CHECKING:
    from tests.service import Service

JSON = "Content-Type: application/json"
DISCOVER = {"datasource_id": "energy-files", "uri": "csv"}
BODY = json.dumps(DISCOVER).encode()


def number(text: bytes) -> bytes:
    """A body with this number in it, letter by letter."""
    return b'{"datasource_id": "energy-files", "uri": "csv", "max_files": %s}' % text


def chunked(*chunks: bytes) -> bytes:
    """The chunks as they are sent."""
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


@pytest.fixture(scope="module")
def download(service: Service) -> str:
    """The path of a result frame."""
    plan = {"dataset": "energy_parquet"}
    token = service.run("query", {"datasource_id": "energy-files", "plan": plan})["token"]
    return f"/v1/py/jobs/{token}/download"


# Bodies that another parser may read otherwise, or that break a parser


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b'{"uri": "\xff"}', "it is not UTF-8", id="not UTF-8"),
        pytest.param(BODY.decode().encode("utf-16"), "it is not UTF-8", id="UTF-16"),
        pytest.param(b"\xef\xbb\xbf" + BODY, "BOM", id="byte-order mark"),
        pytest.param(number(b"9" * 5000), "an integer has 5000 digits", id="5000 digits"),
        pytest.param(number(b"-" + b"9" * 5000), "an integer has 5001 digits", id="minus 5000 digits"),
        pytest.param(b"[" * 100_000, "it is nested too deeply", id="100000 brackets"),
        pytest.param(b'{"a":' * 100_000, "it is nested too deeply", id="100000 braces"),
        pytest.param(number(b"NaN"), "NaN is no JSON number", id="NaN"),
        pytest.param(number(b"Infinity"), "Infinity is no JSON number", id="Infinity"),
        pytest.param(number(b"-Infinity"), "-Infinity is no JSON number", id="minus Infinity"),
        pytest.param(number(b"1e400"), "1e400 is beyond every double", id="1e400"),
        pytest.param(b'{"uri": "csv", "uri": "jsonl"}', "an object has a key twice", id="a key twice"),
        pytest.param(
            b'{"plan": {"limit": 1, "limit": 2}}', "an object has a key twice", id="a nested key twice"
        ),
        pytest.param(b'{"uri": "\\ud800"}', "half of a surrogate pair", id="a lone surrogate"),
        pytest.param(b'{"\\udfff": 1}', "half of a surrogate pair", id="a lone surrogate as a key"),
        pytest.param(BODY + b"x", "Extra data", id="something after it"),
        pytest.param(BODY + BODY, "Extra data", id="two values"),
        pytest.param(BODY[:-1], "", id="broken off"),
        pytest.param(b"{'uri': 'csv'}", "", id="single quotes"),
        pytest.param(number(b"01"), "", id="a leading zero"),
        pytest.param(b" ", "", id="white space alone"),
    ],
)
def test_a_body_that_is_no_json_is_refused(service: Service, body: bytes, message: str) -> None:
    error = refused(send(service, "POST", "/v1/py/discover", [JSON], body), 400, "MALFORMED_BODY")

    assert error["message"].startswith("the body is not valid JSON: ")
    assert message in error["message"]
    assert error["details"]["field"] == "body"
    assert error["details"]["constraint"] == "one JSON value in UTF-8"


@pytest.mark.parametrize("headers", [[JSON], [], [JSON, "Content-Length: 0"]])
def test_a_body_that_is_missing_is_asked_for(service: Service, headers: list[str]) -> None:
    error = refused(send(service, "POST", "/v1/py/discover", headers), 400, "SCHEMA_VIOLATION")

    assert error["message"] == "the body is missing"
    assert error["details"]["field"] == "body"


@pytest.mark.parametrize("body", [b"null", b"[]", b'"csv"', b"5", b"true"])
def test_a_body_that_is_no_object_is_refused(service: Service, body: bytes) -> None:
    error = refused(send(service, "POST", "/v1/py/discover", [JSON], body), 400, "SCHEMA_VIOLATION")

    assert error["message"] == f'body: {body.decode()} is not of type "object"'


@pytest.mark.parametrize(
    "body",
    [chunked(BODY), chunked(BODY[:10], BODY[10:]), chunked(*(BODY[n : n + 1] for n in range(len(BODY))))],
)
def test_a_body_in_chunks_is_read(service: Service, body: bytes) -> None:
    answer = send(service, "POST", "/v1/py/discover", [JSON, "Transfer-Encoding: chunked"], body)

    assert answer.status_code == 202
    assert service.wait(answer.json()["token"])["data"]["total_files"] == 1


def test_a_body_that_waits_to_be_asked_for_is_asked_for(service: Service) -> None:
    head = (
        f"POST /v1/py/discover HTTP/1.1\r\nHost: a\r\n{JSON}\r\nConnection: close\r\nExpect: 100-continue\r\n"
    )
    head += f"Authorization: Bearer {service.token()}\r\nContent-Length: {len(BODY)}\r\n\r\n"

    heard = exchange(service, head.encode() + BODY)

    first, _, rest = heard.partition(b"\r\n\r\n")
    assert first == b"HTTP/1.1 100 Continue"
    assert parse(rest).status_code == 202


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZIP", "identity, gzip", ""])
def test_a_compressed_body_is_refused(service: Service, encoding: str) -> None:
    headers = [JSON, f"Content-Encoding: {encoding}"]

    answer = send(service, "POST", "/v1/py/discover", headers, gzip.compress(BODY))

    error = refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert error["message"] == "the body must be application/json, and not compressed"


def test_a_huge_body_is_refused_before_it_is_sent(service: Service) -> None:
    # Only the head is sent; the service neither waits for the rest nor keeps the connection.
    head = f"POST /v1/py/query HTTP/1.1\r\nHost: a\r\n{JSON}\r\nContent-Length: 99999999999\r\n"
    head += f"Authorization: Bearer {service.token()}\r\n\r\n"

    answer = parse(exchange(service, head.encode()))

    error = refused(answer, 413, "BODY_TOO_LARGE", code="RESOURCE_CAP")
    assert error["details"]["constraint"] == f"at most {64 << 20} bytes (PY_MAX_BODY_MB)"
    assert answer.headers["connection"] == "close"


def test_a_huge_body_in_chunks_is_refused_as_soon_as_it_is_too_long(service: Service) -> None:
    body = chunked(*[b"x" * (1 << 20)] * 66)

    answer = send(service, "POST", "/v1/py/query", [JSON, "Transfer-Encoding: chunked"], body)

    refused(answer, 413, "BODY_TOO_LARGE", code="RESOURCE_CAP")


# Filters without end

LEAF = {"col": "kwh", "op": ">", "val": 0}


def deep(key: str, depth: int) -> bytes:
    """A query whose only filter is nested so deep."""
    before, after = ('{"not":', "}") if key == "not" else (f'{{"{key}":[', "]}")
    tree = before * depth + json.dumps(LEAF) + after * depth
    plan = f'{{"dataset": "energy_parquet", "filters": [{tree}], "limit": 1}}'
    return f'{{"datasource_id": "energy-files", "plan": {plan}}}'.encode()


def filtering(**plan: Any) -> bytes:
    """A query with these parts."""
    return json.dumps(
        {"datasource_id": "energy-files", "plan": {"dataset": "energy_parquet", **plan}}
    ).encode()


@pytest.mark.parametrize("key", ["not", "all", "any"])
def test_filters_are_nested_as_deep_as_the_contract_says(service: Service, key: str) -> None:
    answer = send(service, "POST", "/v1/py/query", [JSON], deep(key, 32))

    assert answer.status_code == 202
    assert service.wait(answer.json()["token"])["data"]["metrics"]["rows"] == 1


@pytest.mark.parametrize("key", ["not", "all", "any"])
@pytest.mark.parametrize("depth", [33, 100, 150])
def test_filters_that_are_nested_deeper_are_refused_with_their_place(
    service: Service, key: str, depth: int
) -> None:
    error = refused(send(service, "POST", "/v1/py/query", [JSON], deep(key, depth)), 400, "INVALID_PLAN")

    assert error["message"] == "filters are nested more than 32 deep"
    assert error["details"]["field"].count(f".{key}") == 32


@pytest.mark.parametrize("key", ["not", "all", "any"])
@pytest.mark.parametrize("depth", [300, 450, 3_000, 100_000])
def test_filters_that_no_parser_would_follow_are_refused(service: Service, key: str, depth: int) -> None:
    error = refused(send(service, "POST", "/v1/py/query", [JSON], deep(key, depth)), 400, "MALFORMED_BODY")

    assert error["message"].endswith("nested too deeply")


def test_filters_are_as_many_as_the_contract_says(service: Service) -> None:
    tree = {"any": [LEAF] * 1000}

    answer = send(service, "POST", "/v1/py/query", [JSON], filtering(filters=[tree] * 10, limit=1))

    assert service.wait(answer.json()["token"])["data"]["metrics"]["rows"] == 1


@pytest.mark.parametrize("place", ["filters", "having", "aggs", "union"])
def test_more_filters_are_refused_wherever_they_stand(service: Service, place: str) -> None:
    tree = {"any": [LEAF] * 1000}
    parts = {
        "filters": [],
        "having": [tree],
        "aggs": [{"fn": "count", "filter": tree}],
        "union": [{"dataset": "energy_parquet", "filters": [tree]}],
    }
    body = filtering(
        **{"filters": [tree] * 10, "aggs": [{"fn": "count"}], place: parts[place] or [tree] * 11}
    )

    error = refused(send(service, "POST", "/v1/py/query", [JSON], body), 400, "INVALID_PLAN")

    assert error["message"] == "11000 comparisons are too many; `in` takes a list of values"


@pytest.mark.parametrize(
    "pattern", ["(", "*", "a{1000}{1000}{1000}", "(?<=a)b", r"\1", "[z-a]", "(" * 5000 + ")" * 5000]
)
def test_a_pattern_that_cannot_be_matched_in_linear_time_is_refused(service: Service, pattern: str) -> None:
    body = filtering(filters=[{"not": {"col": "site_id", "op": "regex", "val": pattern}}])

    error = refused(send(service, "POST", "/v1/py/query", [JSON], body), 400, "INVALID_PLAN")

    assert error["details"]["field"] == "plan.filters[0].not.val"
    assert len(error["message"]) < 400


# Headers


@pytest.mark.parametrize("charset", ["bogus", "utf-16", "latin-1", "UTF-8"])
def test_json_is_utf_8_whatever_its_charset_says(service: Service, charset: str) -> None:
    headers = [f"{JSON}; charset={charset}"]
    known = '{"datasource_id": "e", "uri": "é.csv"}'.encode()

    accepted = send(service, "POST", "/v1/py/discover", headers, BODY)
    missing = send(service, "POST", "/v1/py/discover", headers, known)

    assert accepted.status_code == 202
    error = refused(missing, 422, "FILE_MISSING", code="IO_ERROR")
    assert '"é.csv"' in error["message"]


def test_a_body_without_a_content_type_is_refused(service: Service) -> None:
    error = refused(send(service, "POST", "/v1/py/discover", [], BODY), 415, "UNSUPPORTED_MEDIA_TYPE")

    assert error["details"]["field"] == "header.Content-Type"
    assert error["details"]["constraint"] == "application/json"


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/vnd.api+json",
        ";",
        "json",
    ],
)
def test_another_content_type_is_refused(service: Service, kind: str) -> None:
    answer = send(service, "POST", "/v1/py/discover", [f"Content-Type: {kind}"], BODY)

    error = refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert "application/json" in error["message"]


@pytest.mark.parametrize(
    "kind", ["Application/JSON", "APPLICATION/JSON; charset=UTF-8", " application/json "]
)
def test_a_content_type_is_the_same_in_any_case(service: Service, kind: str) -> None:
    taken = send(service, "POST", "/v1/py/discover", [f"Content-Type: {kind}"], BODY)
    wrong = send(service, "POST", "/v1/py/discover", [f"Content-Type: {kind}"], b'{"nothing": 1}')

    assert taken.status_code == 202
    refused(wrong, 400, "SCHEMA_VIOLATION")


@pytest.mark.parametrize("accept", ["application/xml", "text/html", "nonsense", "", "*/*;q=0"])
def test_what_is_always_json_does_not_look_at_accept(service: Service, accept: str) -> None:
    answer = send(service, "GET", "/v1/py/health", [f"Accept: {accept}"])

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"


def test_a_download_looks_at_accept(service: Service, download: str) -> None:
    refused(send(service, "GET", download, ["Accept: application/xml"]), 406, "NOT_ACCEPTABLE")


def test_a_header_of_200_kb_is_borne(service: Service) -> None:
    answer = send(service, "GET", "/v1/py/health", ["X-Large: " + "x" * 200_000])

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "value", ["Bearer ", "Bearer \xe9.b.c", "", "Bearer a b", "Bearer\ta", "Bearer " + "x" * 100_000]
)
def test_an_odd_authorization_is_refused(service: Service, value: str) -> None:
    answer = send(service, "GET", "/v1/py/health", [f"Authorization: {value}"], signed=False)

    refused(answer, 401, "UNAUTHORIZED", code="AUTH_ERROR")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_second_authorization_is_one_too_many(service: Service) -> None:
    headers = [f"Authorization: Bearer {service.token()}"]

    refused(send(service, "GET", "/v1/py/health", headers), 401, "UNAUTHORIZED", code="AUTH_ERROR")


# Paths and queries


@pytest.mark.parametrize(
    "path",
    [
        "/v1/py/jobs/" + "9" * 5000,
        "/v1/py/jobs/abc",
        "/v1/py/jobs/",
        "/v1/py/jobs/1/",
        "/v1/py/jobs/1/download/",
        "/v1/py/health/",
        "/v1/py/health;a=1",
        "/v1//py/health",
        "/v1/py/x/../health",
        "/v1/py/jobs/%00",
        "/v1/py/jobs/1%00",
        "/v1/py/jobs/1%0a",
        "/v1/py/jobs/%ff",
        "/v1/py/jobs/%EF%BC%91",
        "/",
        "/favicon.ico",
        "/v1/datasources",
    ],
)
@pytest.mark.parametrize("signed", [True, False])
def test_a_path_that_is_not_there_is_told_so(service: Service, path: str, *, signed: bool) -> None:
    answer = send(service, "GET", path, signed=signed)

    refused(answer, 404, "NOT_FOUND")
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    "token", ["0", "-1", "+1", "01", "001", "00", "9" * 16, "9" * 19, str(2**63), "9" * 1900]
)
@pytest.mark.parametrize("suffix", ["", "/download"])
def test_a_number_that_is_no_token_is_a_job_that_never_was(service: Service, token: str, suffix: str) -> None:
    answer = send(service, "GET", f"/v1/py/jobs/{token}{suffix}")

    assert refused(answer, 404, "JOB_NOT_FOUND")["details"]["field"] == "path.token"


@pytest.mark.parametrize("query", ["a=1", "a=1&a=2", "a", "%ff=%ff", "token=1", "a[]=1", "access_token=x"])
def test_a_query_that_the_contract_does_not_know_is_refused(service: Service, query: str) -> None:
    error = refused(send(service, "GET", f"/v1/py/health?{query}"), 400, "SCHEMA_VIOLATION")

    assert error["details"]["field"].startswith("query.")
    assert error["message"].endswith(": is not known here")


@pytest.mark.parametrize("method", ["OPTIONS", "DELETE", "PUT", "PATCH", "TRACE", "POST", "LINK"])
def test_another_method_is_told_which_there_are(service: Service, method: str) -> None:
    answer = send(service, method, "/v1/py/health", signed=False)

    refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert set(re.split(", *", answer.headers["allow"])) == {"GET", "HEAD"}


@pytest.mark.parametrize("path", ["/v1/py/health", "/v1/py/jobs/{token}", "/v1/py/jobs/{token}/download"])
def test_head_answers_wherever_get_does(service: Service, download: str, path: str) -> None:
    token = download.split("/")[4]

    answer = send(service, "HEAD", path.format(token=token))

    assert answer.status_code == 200
    assert answer.content == b""
    assert int(answer.headers["content-length"]) > 0
    assert answer.headers["x-request-id"].startswith("req_")


def test_an_upgrade_to_a_websocket_is_not_made(service: Service) -> None:
    headers = [
        "Upgrade: websocket",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ]

    unsigned = send(service, "GET", "/v1/py/health", headers, signed=False)
    plain = send(service, "GET", "/v1/py/health", headers)

    refused(unsigned, 401, "UNAUTHORIZED", code="AUTH_ERROR")
    assert plain.status_code == 200
    assert plain.json()["status"] == "ok"


# Ranges


@pytest.mark.parametrize(
    "value", ["bytes=abc", "bytes=9-2", "bytes=", "bytes=-", "lines=1-2", "bytes=9999999-", "x"]
)
def test_a_range_that_cannot_be_given_is_refused(service: Service, download: str, value: str) -> None:
    error = refused(send(service, "GET", download, [f"Range: {value}"]), 416, "BAD_RANGE")

    assert error["message"] == "the range cannot be read, or lies outside the file"


def test_more_ranges_than_anyone_needs_are_one_file(service: Service, download: str) -> None:
    ranges = ",".join(f"{start}-{start}" for start in range(0, 4000, 2))

    answer = send(service, "GET", download, [f"Range: bytes={ranges}"])

    assert answer.status_code in {200, 206}
    assert len(answer.content) <= 2 * int(answer.headers["x-arrow-bytes"])


# What the HTTP server answers, before there is a request, cannot be in the envelope; the connection is closed


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(b"G@T /v1/py/health HTTP/1.1\r\nHost: a\r\n\r\n", id="bad method"),
        pytest.param(b"\x16\x03\x01\x02\x00 hello\r\n\r\n", id="TLS"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2"),
        pytest.param(b"POST /v1/py/query HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", id="bad length"),
        pytest.param(
            b"POST /v1/py/query HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", id="negative length"
        ),
        pytest.param(
            b"POST /v1/py/query HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999999999999\r\n\r\n",
            id="length beyond 64 bits",
        ),
        pytest.param(
            b"POST /v1/py/query HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
            id="two lengths",
        ),
        pytest.param(
            b"POST /v1/py/query HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n"
            b"\r\n"
            b"0\r\n\r\nGET /v1/py/health HTTP/1.1\r\nHost: a\r\n\r\n",
            id="length and chunks",
        ),
        pytest.param(
            b"POST /v1/py/query HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
            id="bad chunk",
        ),
        pytest.param(b"GET /v1/py/health HTTP/1.1\r\nHost: a\r\nX-A: a\0b\r\n\r\n", id="NUL in a header"),
        pytest.param(b"GET /v1/py/hea lth HTTP/1.1\r\nHost: a\r\n\r\n", id="space in the path"),
    ],
)
def test_what_is_no_http_ends_the_connection(service: Service, request_: bytes) -> None:
    heard = exchange(service, request_)

    answer = parse(heard)
    assert answer.status_code == 400
    assert answer.content == b"Invalid HTTP request received."
    assert answer.headers["connection"] == "close"
    assert heard.count(b"HTTP/1.1") == 1
    assert service.get("health").status_code == 200

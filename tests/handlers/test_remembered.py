"""Equal queries over the same files are answered from what is remembered, and never with what is stale."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from typing import TYPE_CHECKING, Any, cast

import polars as pl
import pytest
import redis

from tests.conftest import fresh
from tests.handlers.conftest import Judged
from tests.service import running_service, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.service import Service

SETTLED_S = 2.1
"""After so long, a file is taken to be done with."""
FOLDERS = 40


def ask(dataset: str, *, output: str = "json", **parts: Any) -> dict[str, Any]:
    """A request for the sum of a data set's numbers."""
    plan = {"dataset": dataset, "aggs": [{"col": "n", "fn": "sum", "as": "n"}], **parts.pop("plan", {})}
    return {"datasource_id": "e", "plan": plan, "output": output, **parts}


def answer(
    service: Service, body: dict[str, Any], headers: dict[str, str] | None = None
) -> tuple[int, bool, list[dict[str, Any]]]:
    """Token, whether it is remembered, and the rows."""
    posted = service.post("query", body, headers=headers or {})
    assert posted.status_code == 202, posted.text
    job = service.wait(posted.json()["token"])
    assert job["status"] == "completed", job["error"]
    return job["token"], job["data"]["metrics"]["cache_hit"], job["data"]["rows"]


def remembered(
    service: Service, body: dict[str, Any], headers: dict[str, str] | None = None
) -> tuple[int, bool, list[dict[str, Any]]]:
    """The same, once it is remembered, which is a moment after it is there."""
    token, hit, rows = answer(service, body, headers)
    folder = folder_of(service, token)
    with redis.Redis.from_url(service.redis_url) as client:
        wait_until(lambda: client.hexists("airpy:results", folder or ""))
    return token, hit, rows


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, base: Path, databases: Iterator[str]
) -> Iterator[Service]:
    """A service that remembers."""
    place, url = tmp_path_factory.mktemp("remembering"), fresh(next(databases))
    with running_service(place, base, url, PY_CACHE_MB="64") as running:
        yield Judged(*running)


@pytest.fixture(scope="module")
def folders(base: Path) -> Iterator[Iterator[Path]]:
    """Folders of two files each that were written a while ago, one for every test that wants one."""
    made = [base / f"_numbers_{number}" for number in range(FOLDERS)]
    for folder in made:
        folder.mkdir()
        (folder / "a.csv").write_text("n\n1\n2\n")
        (folder / "b.csv").write_text("n\n10\n")
    time.sleep(SETTLED_S)
    yield iter(made)
    for folder in made:
        shutil.rmtree(folder)


@pytest.fixture
def numbers(folders: Iterator[Path]) -> Path:
    """A folder of two files that were written a while ago, which nobody has asked for."""
    return next(folders)


def test_an_equal_query_is_answered_with_the_result_that_is_there(service: Service, numbers: Path) -> None:
    body = ask(numbers.name)
    first, was_hit, rows = remembered(service, body)
    began = service.get("health").json()["next_token"]

    posted = service.post("query", body)
    token = posted.json()["token"]
    job = service.get(f"jobs/{token}").json()  # no wait: it has completed before the POST was answered

    assert (was_hit, rows) == (False, [{"n": 13}])
    assert (posted.status_code, posted.json()["status"]) == (202, "started")
    assert token == began > first
    assert job["status"] == "completed"
    assert job["data"]["rows"] == rows
    assert job["data"]["metrics"]["cache_hit"] is True
    assert job["data"]["download"] == f"/v1/py/jobs/{token}/download"
    assert [step["step"] for step in job["steps"]] == ["query_complete"]
    assert job["expires_at"] is not None
    assert service.get(f"jobs/{token}/download").content == service.get(f"jobs/{first}/download").content
    assert service.get(f"jobs/{token}/rows").json()["rows"] == rows
    original = service.get(f"jobs/{first}").json()["data"]
    assert original["metrics"]["cache_hit"] is False
    assert original["provenance"] == job["data"]["provenance"]


CHANGES: dict[str, Callable[[Path], object]] = {
    "touched": lambda folder: (folder / "a.csv").touch(),
    "rewritten": lambda folder: (folder / "a.csv").write_text("n\n5\n"),
    "as long as before": lambda folder: (folder / "a.csv").write_text("n\n7\n2\n"),
    "added to": lambda folder: (folder / "c.csv").write_text("n\n100\n"),
    "added to below": lambda folder: added(folder / "sub", "c.csv"),
    "removed from": lambda folder: (folder / "b.csv").unlink(),
    "renamed in": lambda folder: (folder / "b.csv").rename(folder / "z.csv"),
    "replaced by its like": lambda folder: replaced(folder / "a.csv", "n\n3\n4\n"),
    "rewritten by its like": lambda folder: rewritten(folder / "a.csv", "n\n3\n4\n"),
}


def added(folder: Path, name: str) -> None:
    """Put a file into a new folder."""
    folder.mkdir()
    (folder / name).write_text("n\n100\n")


def replaced(path: Path, text: str) -> None:
    """Put another file in its place, of the same size and time."""
    before = path.stat()
    other = path.with_suffix(".draft")
    other.write_text(text)
    other.replace(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def rewritten(path: Path, text: str) -> None:
    """Write the same file anew, of the same size, and set its time back."""
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("dataset", ["{}", "{}/**/*.csv"])
def test_data_that_was_changed_is_read_again(
    service: Service, numbers: Path, change: str, dataset: str
) -> None:
    body = ask(dataset.format(numbers.name))
    remembered(service, body)
    assert answer(service, body)[1] is True
    CHANGES[change](numbers)
    expected = sum(int(line) for path in numbers.rglob("*.csv") for line in path.read_text().split()[1:])

    _, hit, rows = answer(service, body)

    assert hit is False
    assert rows == [{"n": expected}]


def test_a_file_that_was_only_just_written_is_not_remembered(service: Service, base: Path) -> None:
    (base / "_new.csv").write_text("n\n1\n")
    body = ask("_new.csv")

    assert [answer(service, body)[1] for _ in range(2)] == [False, False]


def test_a_folder_that_was_another_for_a_while_is_not_mistaken(service: Service, numbers: Path) -> None:
    body = ask(numbers.name)
    (numbers / "c.csv").write_text("n\n1000\n")
    answer(service, body)
    (numbers / "c.csv").unlink()

    assert answer(service, body)[2] == [{"n": 13}]


@pytest.mark.parametrize(
    "other",
    [
        {"output": "parquet"},
        {"plan": {"limit": 1}},
        {"datasource_id": "f"},
        {"read": {"delimiter": ";"}},
    ],
)
def test_another_request_is_another_answer(service: Service, other: dict[str, Any], numbers: Path) -> None:
    remembered(service, ask(numbers.name))

    assert answer(service, ask(numbers.name, **other))[1] is False


def test_the_same_request_in_other_words_is_the_same(service: Service, numbers: Path) -> None:
    body = ask(numbers.name)
    remembered(service, body)

    turned = {name: body[name] for name in reversed(body)}

    assert answer(service, turned)[1] is True


def test_no_cache_has_it_computed_anew_and_remembered_instead(service: Service, numbers: Path) -> None:
    body = ask(numbers.name)
    first, *_ = remembered(service, body)

    second, hit, _ = remembered(service, body, {"Cache-Control": "no-cache"})
    third, hit_after, _ = answer(service, body)

    assert (hit, hit_after) == (False, True)
    assert folder_of(service, third) == folder_of(service, second) != folder_of(service, first)


def test_an_idempotency_key_gives_the_token_of_an_answer_that_was_remembered(
    service: Service, numbers: Path
) -> None:
    body = ask(numbers.name)
    remembered(service, body)

    tokens = {answer(service, body, {"Idempotency-Key": "remembered-1"})[0] for _ in range(2)}

    assert len(tokens) == 1


def test_a_relative_time_is_another_one_later(service: Service, base: Path) -> None:
    pl.DataFrame({"n": [1], "at": ["2025-01-01T00:00:00Z"]}).write_csv(base / "_since.csv")
    time.sleep(SETTLED_S)
    filters = [{"col": "at", "op": ">=", "val": {"ago": "10 years"}}]
    body = ask("_since.csv", plan={"filters": filters})

    assert [answer(service, body)[1] for _ in range(2)] == [False, False]


@pytest.fixture
def small(tmp_path: Path, base: Path, databases: Iterator[str]) -> Iterator[Callable[..., Service]]:
    """Makes a service with these settings."""
    with contextlib.ExitStack() as stack:

        def made(**settings: str) -> Service:
            place = tmp_path / str(len(list(tmp_path.iterdir())))
            place.mkdir()
            url = fresh(next(databases))
            return Judged(*stack.enter_context(running_service(place, base, url, **settings)))

        yield made


def test_nothing_is_remembered_where_that_is_off(small: Callable[..., Service], numbers: Path) -> None:
    service = small(PY_CACHE_MB="0")
    body = ask(numbers.name)

    assert [answer(service, body)[1] for _ in range(2)] == [False, False]


def test_results_go_that_were_not_asked_for_longest(small: Callable[..., Service], base: Path) -> None:
    pl.DataFrame({"n": range(50_000)}).write_parquet(base / "_many_numbers.parquet")
    time.sleep(SETTLED_S)
    service = small(PY_CACHE_MB="2", PY_MAX_ROWS_JSON="1")
    bodies = [
        {
            "datasource_id": "e",
            "plan": {"dataset": "_many_numbers.parquet", "offset": 0, "filters": [of_at_least(n)]},
        }
        for n in range(6)  # 400 kB each
    ]
    first, *rest = bodies
    remembered(service, first)
    for body in rest:
        remembered(service, body)
        assert answer(service, first)[1] is True

    assert answer(service, rest[0])[1] is False
    assert answer(service, first)[1] is True


def of_at_least(number: int) -> dict[str, Any]:
    """The filter for numbers from this one on."""
    return {"col": "n", "op": ">=", "val": number}


def folder_of(service: Service, token: int) -> str | None:
    """The folder that the record of a job names."""
    with redis.Redis.from_url(service.redis_url, decode_responses=True) as client:
        return cast("str | None", client.hget(f"airpy:job:{token}", "folder"))

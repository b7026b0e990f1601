from __future__ import annotations

import contextlib
import json
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2
import psutil
import pytest

from airpy.jobs.claim import renew
from airpy.jobs.work import Work
from tests.envelope import refused
from tests.second_opinion import check_event
from tests.service import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.handlers.conftest import ByHand
    from tests.service import Service

SOON_S = 10
KEEP_ALIVE_S = 15
Event = dict[str, str]


def parsed(block: str) -> Event:
    """The fields of an event, of which each is one line."""
    return dict(line.split(": ", 1) for line in block.split("\n"))


class Stream:
    """An open stream, of which a thread hears every line as it comes."""

    def __init__(self, service: Service, token: int, headers: dict[str, str]) -> None:
        self.lines: list[str] = []
        self.ended = threading.Event()
        signed = {"Authorization": f"Bearer {service.token()}", "Accept-Encoding": "gzip", **headers}
        self._client = httpx2.Client(timeout=60)
        request = self._client.build_request(
            "GET", f"{service.url}/v1/py/jobs/{token}/events", headers=signed
        )
        self.answer = self._client.send(request, stream=True)
        self._thread = threading.Thread(target=self._hear)
        self._thread.start()

    def _hear(self) -> None:
        with contextlib.suppress(httpx2.HTTPError):  # it was closed
            for line in self.answer.iter_lines():
                self.lines.append(line)
        self.ended.set()

    def events(self, count: int) -> list[Event]:
        """The first events, once so many have come."""

        def heard() -> list[str]:
            blocks = "".join(f"{line}\n" for line in list(self.lines)).split("\n\n")
            return [block.strip("\n") for block in blocks[:-1] if not block.startswith(":")]

        wait_until(lambda: len(heard()) >= count, SOON_S)
        assert len(heard()) == count
        return [parsed(block) for block in heard()]

    def close(self) -> None:
        """Hang up, if the other side has not."""
        with contextlib.suppress(OSError):
            self.answer.extensions["network_stream"].get_extra_info("socket").shutdown(2)
        self._thread.join(60)
        self.answer.close()
        self._client.close()


@contextlib.contextmanager
def stream(service: Service, token: int, **headers: str) -> Iterator[Stream]:
    """The stream of a job's events."""
    opened = Stream(service, token, {name.replace("_", "-"): value for name, value in headers.items()})
    try:
        yield opened
    finally:
        opened.close()


def all_events(service: Service, token: int, **headers: str) -> list[Event]:
    """The events of a job that has ended."""
    answer = service.get(f"jobs/{token}/events", headers=headers)
    assert answer.status_code == 200
    return [parsed(block) for block in answer.text.split("\n\n") if block]


@pytest.fixture(scope="module")
def finished(service: Service) -> dict[str, Any]:
    """A completed query."""
    return service.run("query", {"datasource_id": "energy-files", "plan": {"dataset": "energy_parquet"}})


def test_a_job_that_has_ended_is_told_from_its_first_step_to_its_end(
    service: Service, finished: dict[str, Any]
) -> None:
    *steps, end = all_events(service, finished["token"])

    assert [step["id"] for step in steps] == ["1", "2", "3", "4", "5"]
    assert {step["event"] for step in steps} == {"step"}
    assert [json.loads(step["data"]) for step in steps] == finished["steps"]
    assert end == {"event": "end", "data": '{"status":"completed","code":200,"error":null}'}


def test_the_stream_is_what_it_says_and_never_compressed(service: Service, finished: dict[str, Any]) -> None:
    answer = service.get(f"jobs/{finished['token']}/events", headers={"Accept-Encoding": "gzip, br, zstd"})

    assert answer.headers["content-type"].partition(";")[0] == "text/event-stream"
    assert "content-encoding" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    assert len(answer.content) > 512


def test_the_end_of_a_failed_job_says_why(service: Service) -> None:
    plan = {"dataset": "energy_parquet", "select": ["kwhh"]}
    job = service.run("query", {"datasource_id": "energy-files", "plan": plan})

    end = all_events(service, job["token"])[-1]

    assert end["event"] == "end"
    assert json.loads(end["data"]) == {"status": "failed", "code": 400, "error": job["error"]}
    assert job["error"]["details"]["reason"] == "UNKNOWN_COLUMN"


@pytest.mark.parametrize(
    ("last", "following"), [("0", ["1", "2", "3", "4", "5"]), ("3", ["4", "5"]), ("5", []), ("9", [])]
)
def test_a_stream_goes_on_after_the_last_id_that_was_received(
    service: Service, finished: dict[str, Any], last: str, following: list[str]
) -> None:
    *steps, end = all_events(service, finished["token"], **{"Last-Event-ID": last})

    assert [step["id"] for step in steps] == following
    assert end["event"] == "end"


@pytest.mark.parametrize("last", ["abc", "-1", "1.5", "100001", "9" * 40])
def test_a_last_id_that_never_was_sent_is_refused(
    service: Service, finished: dict[str, Any], last: str
) -> None:
    answer = service.get(f"jobs/{finished['token']}/events", headers={"Last-Event-ID": last})

    error = refused(answer, 400, "SCHEMA_VIOLATION")
    assert error["details"]["field"] == "header.Last-Event-ID"


def test_an_unknown_token_is_answered_in_json(service: Service) -> None:
    error = refused(service.get("jobs/987654321/events"), 404, "JOB_NOT_FOUND")

    assert error["details"]["field"] == "path.token"


def test_head_opens_no_stream(by_hand: ByHand) -> None:
    token = by_hand.submit("head")

    answer = by_hand.service.call("HEAD", f"jobs/{token}/events")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert by_hand.begin().complete("nowhere", None)


def test_events_come_one_by_one_as_they_happen(by_hand: ByHand) -> None:
    token = by_hand.submit("live")
    with stream(by_hand.service, token) as heard:
        claim = by_hand.begin()

        claim.step("scanning_directory", "Scanning csv")
        (first,) = heard.events(1)
        claim.watch.work = Work(3, 10, "files")
        renew(by_hand.redis, [claim])
        (_, progress) = heard.events(2)
        claim.step("files_found", "Found 10 files, processing...")
        (_, _, second) = heard.events(3)
        still_open = not heard.ended.is_set()
        claim.complete("nowhere", None)
        end = heard.events(4)[-1]
        closed = heard.ended.wait(SOON_S)

    assert (first["id"], json.loads(first["data"])["message"]) == ("1", "Scanning csv")
    assert progress == {
        "event": "progress",
        "data": '{"progress":0.3,"work":{"done":3,"total":10,"unit":"files"}}',
    }
    assert (second["id"], json.loads(second["data"])["step"]) == ("2", "files_found")
    assert still_open
    assert end["event"] == "end"
    assert closed
    for event in (first, progress, second, end):
        check_event(event["event"], json.loads(event["data"]))


def test_a_stream_that_was_cut_is_taken_up_where_it_was(by_hand: ByHand) -> None:
    token = by_hand.submit("cut")
    claim = by_hand.begin()
    claim.step("scanning_directory", "Scanning csv")
    with stream(by_hand.service, token) as heard:
        (first,) = heard.events(1)
    claim.step("files_found", "Found 1 file, processing...")

    with stream(by_hand.service, token, Last_Event_ID=first["id"]) as heard:
        (second,) = heard.events(1)

    assert (second["id"], json.loads(second["data"])["step"]) == ("2", "files_found")
    assert claim.complete("nowhere", None)


def test_steps_are_counted_over_all_attempts(by_hand: ByHand) -> None:
    token = by_hand.submit("attempts")
    first = by_hand.begin()
    with stream(by_hand.service, token) as heard:
        first.step("scanning_directory", "Scanning csv")
        assert first.release(0, failed=False)
        heard.events(1)
        second = by_hand.begin()
        second.step("scanning_directory", "Scanning csv")
        events = heard.events(2)
        second.complete("nowhere", None)

    assert [event["id"] for event in events] == ["1", "2"]
    assert [json.loads(event["data"])["attempt"] for event in events] == [1, 2]


def test_a_job_that_is_cancelled_ends_its_stream(by_hand: ByHand) -> None:
    token = by_hand.submit("cancelled")
    with stream(by_hand.service, token) as heard:
        by_hand.service.call("DELETE", f"jobs/{token}")
        (end,) = heard.events(1)
        closed = heard.ended.wait(SOON_S)

    assert end == {"event": "end", "data": '{"status":"cancelled","code":200,"error":null}'}
    assert closed


def test_a_comment_says_that_the_stream_is_alive(by_hand: ByHand) -> None:
    token = by_hand.submit("silence")
    began = time.monotonic()
    with stream(by_hand.service, token) as heard:
        wait_until(lambda: heard.lines)
        waited = time.monotonic() - began
        lines = list(heard.lines)

    assert KEEP_ALIVE_S - 1 < waited < KEEP_ALIVE_S + SOON_S
    assert all(line.startswith(":") for line in lines if line)
    assert by_hand.begin().complete("nowhere", None)


def test_who_hangs_up_is_not_served_any_longer(by_hand: ByHand) -> None:
    server = psutil.Process(by_hand.service.processes["server"].pid)
    port = urlsplit(by_hand.service.url).port
    token = by_hand.submit("hang-up")

    def connections() -> int:
        return sum(
            line.laddr.port == port and line.status == psutil.CONN_ESTABLISHED
            for line in server.net_connections("tcp")
        )

    with contextlib.ExitStack() as streams:
        for _ in range(20):
            streams.enter_context(stream(by_hand.service, token))
        opened = connections()

    assert opened >= 20
    wait_until(lambda: connections() == 0)
    assert by_hand.begin().complete("nowhere", None)

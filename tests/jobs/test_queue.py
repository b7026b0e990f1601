from __future__ import annotations

import asyncio
import datetime as dt
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker
from redis.asyncio import Redis as AsyncRedis

from airpy.contract import AnalyzeRequest, DiscoverRequest, QueryRequest
from airpy.errors import (
    AirError,
    CapExceeded,
    FileUnavailable,
    IdempotencyConflict,
    InvalidPlan,
    JobUnavailable,
    PathRefused,
    QueueUnavailable,
)
from airpy.files.paths import FileRoot
from airpy.jobs.broker import QUEUE, call_to_work
from airpy.jobs.claim import Claim
from airpy.jobs.kinds import JOBS
from airpy.jobs.queue import Caller, JobQueue, declare_actor
from airpy.jobs.record import ResultFrame
from airpy.jobs.results import ANALYSIS_STATE, Results
from airpy.jobs.store import JobStore
from tests.jobs.asking import WORKER, ask, get, take

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from typing import TypeVar

    import redis
    from pydantic import BaseModel

    from airpy.contract import JobType

    T = TypeVar("T")

GO = Caller("req_1")
HERE = DiscoverRequest.model_validate({"datasource_id": "energy", "uri": "energy"})
FRAME = AnalyzeRequest.model_validate(
    {"frame_ref": {"type": "arrow", "data": "sha256:00"}, "job_kind": "profile"}
)
SENT = {"frame_ref.data.arrow": b"frame"}
MEBIBYTE = 1024 * 1024


def queued(
    url: str, base: Path, results: Path, question: Callable[[JobQueue], Awaitable[T]], max_jobs: int = 10
) -> T:
    """What a queue answers."""

    async def asked() -> T:
        async with AsyncRedis.from_url(url, decode_responses=True, retry=None) as client:
            files = FileRoot.at(base, (".csv", ".parquet", ".jsonl"))
            return await question(
                JobQueue(
                    JobStore(client, url, url), Results(results), files, max_jobs, 60, "", remembers=True
                )
            )

    return asyncio.run(asked())


def test_an_accepted_job_can_be_claimed_with_what_was_asked_and_by_whom(
    redis_url: str, client: redis.Redis, base: Path, tmp_path: Path
) -> None:
    caller = Caller("req_7", traceparent="00-1-2-03")

    token = queued(redis_url, base, tmp_path, lambda queue: queue.submit("discover", HERE, caller))

    claim = take(client)
    assert (claim.token, claim.kind, claim.request_id) == (token, "discover", "req_7")
    assert (claim.traceparent, claim.input) == ("00-1-2-03", None)
    assert DiscoverRequest.model_validate_json(claim.request) == HERE
    assert (get(redis_url, token).source, get(redis_url, token).ttl_s) == ("energy", 60)


def test_names_of_the_contract_survive_the_record(
    redis_url: str, client: redis.Redis, base: Path, tmp_path: Path
) -> None:
    """`as` and `schema` are Python's words, and other names in the models."""
    plan = {"dataset": "energy", "aggs": [{"col": "kwh", "fn": "sum", "as": "total"}]}
    request = QueryRequest.model_validate({"datasource_id": "energy-files", "plan": plan})

    queued(redis_url, base, tmp_path, lambda queue: queue.submit("query", request, GO))

    claim = take(client)
    assert '"as":"total"' in claim.request
    assert QueryRequest.model_validate_json(claim.request) == request


@pytest.mark.parametrize(("kibibytes", "lane"), [(1, "short"), (64 * 1024, "short"), (64 * 1024 + 1, "long")])
def test_a_job_that_reads_much_is_a_long_one(
    redis_url: str, client: redis.Redis, tmp_path: Path, kibibytes: int, lane: str
) -> None:
    base = tmp_path / "base"
    base.mkdir()
    with (base / "readings.csv").open("wb") as file:
        file.truncate(kibibytes * 1024)
    request = QueryRequest.model_validate({"datasource_id": "energy", "plan": {"dataset": "readings"}})

    queued(redis_url, base, tmp_path, lambda queue: queue.submit("query", request, GO))

    assert take(client).lane == lane


def test_a_frame_counts_as_what_is_read(
    redis_url: str, client: redis.Redis, base: Path, tmp_path: Path
) -> None:
    sent = {"frame_ref.data.arrow": bytes(64 * MEBIBYTE + 1)}

    queued(redis_url, base, tmp_path, lambda queue: queue.submit("analyze", FRAME, GO, sent))

    assert take(client).lane == "long"


def test_a_frame_is_kept_before_anyone_can_claim_the_job(
    redis_url: str, client: redis.Redis, base: Path, tmp_path: Path
) -> None:
    token = queued(redis_url, base, tmp_path, lambda queue: queue.submit("analyze", FRAME, GO, SENT))

    claim = take(client)
    assert claim.input is not None
    assert (Results(tmp_path).input(claim.input) / "frame_ref.data.arrow").read_bytes() == b"frame"
    assert get(redis_url, token).source == ""  # a frame is of no data source


def test_a_frame_that_cannot_be_kept_makes_no_job(
    redis_url: str, client: redis.Redis, base: Path, tmp_path: Path
) -> None:
    (tmp_path / "a file").touch()

    with pytest.raises(FileUnavailable) as caught:
        queued(redis_url, base, tmp_path / "a file", lambda queue: queue.submit("analyze", FRAME, GO, SENT))

    assert str(tmp_path) not in caught.value.message
    assert Claim.take(client, WORKER, long_too=True) is None


@pytest.mark.parametrize(
    ("kind", "body", "error"),
    [
        ("discover", {"datasource_id": "energy", "uri": "../etc"}, PathRefused),
        ("discover", {"datasource_id": "energy", "uri": "nowhere"}, FileUnavailable),
        ("infer_schema", {"datasource_id": "energy", "uri": "/etc/passwd.csv"}, PathRefused),
        ("query", {"datasource_id": "energy", "plan": {"dataset": "nothing_like_it"}}, FileUnavailable),
        ("query", {"datasource_id": "energy", "plan": {"dataset": "energy", "time_col": "t"}}, InvalidPlan),
    ],
)
def test_what_can_be_refused_at_once_gets_no_token(
    redis_url: str, base: Path, tmp_path: Path, kind: JobType, body: dict[str, Any], error: type[AirError]
) -> None:
    request: BaseModel = JOBS[kind].request.model_validate(body)

    with pytest.raises(error):
        queued(redis_url, base, tmp_path, lambda queue: queue.submit(kind, request, GO))

    assert queued(redis_url, base, tmp_path, lambda queue: queue.submit("discover", HERE, GO)) == 1


@pytest.mark.parametrize("sent", [{}, SENT])
def test_a_full_queue_keeps_nothing_of_what_it_refuses_and_says_when_to_come_again(
    redis_url: str, client: redis.Redis, base: Path, tmp_path: Path, sent: dict[str, bytes]
) -> None:
    queued(redis_url, base, tmp_path, lambda queue: queue.submit("discover", HERE, GO))
    client.hset("airpy:pace", mapping={"discover": 7000})

    with pytest.raises(CapExceeded) as caught:
        queued(redis_url, base, tmp_path, lambda queue: queue.submit("analyze", FRAME, GO, sent), 1)

    assert (caught.value.reason, caught.value.retry_after_s) == ("QUEUE_FULL", 7)
    assert list(tmp_path.iterdir()) == []
    assert client.zcard("airpy:jobs") == 1


def test_an_idempotency_key_is_passed_on_and_its_conflict_keeps_nothing(
    redis_url: str, base: Path, tmp_path: Path
) -> None:
    keyed = Caller("req_1", idempotency_key="k1")
    tokens = [
        queued(redis_url, base, tmp_path, lambda queue: queue.submit("discover", HERE, keyed))
        for _ in range(2)
    ]

    with pytest.raises(IdempotencyConflict):
        queued(redis_url, base, tmp_path, lambda queue: queue.submit("analyze", FRAME, keyed, SENT))

    assert tokens == [1, 1]
    assert list(tmp_path.iterdir()) == []


def test_an_idempotency_key_gives_its_token_whatever_became_of_the_data(
    redis_url: str, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    base.mkdir()
    (base / "readings.csv").write_bytes(b"kwh\n1\n")
    request = QueryRequest.model_validate({"datasource_id": "energy", "plan": {"dataset": "readings"}})
    keyed = Caller("req_1", idempotency_key="k1")

    first = queued(redis_url, base, tmp_path, lambda queue: queue.submit("query", request, keyed))
    (base / "readings.csv").unlink()
    again = queued(redis_url, base, tmp_path, lambda queue: queue.submit("query", request, keyed))

    assert again == first


def test_a_dead_letter_that_is_asked_twice_at_once_is_one_job(
    redis_url: str, client: redis.Redis, base: Path, tmp_path: Path
) -> None:
    dead = queued(redis_url, base, tmp_path, lambda queue: queue.submit("discover", HERE, GO))
    take(client).fail({"code": "INTERNAL_ERROR"}, dead=True)
    letter: Any = client.hgetall(f"airpy:dead:{dead}")

    first = queued(redis_url, base, tmp_path, lambda queue: queue.resubmit(dead, GO))
    client.hset(f"airpy:dead:{dead}", mapping=letter)  # as the other, a moment later, still saw it
    second = queued(redis_url, base, tmp_path, lambda queue: queue.resubmit(dead, GO))

    assert (first, second) == (2, 2)


def test_a_key_asks_a_dead_letter_again_once_and_nothing_else(
    redis_url: str, client: redis.Redis, base: Path, tmp_path: Path
) -> None:
    keyed = Caller("req_2", idempotency_key="k1")
    dead = [queued(redis_url, base, tmp_path, lambda queue: queue.submit("discover", HERE, GO))]
    take(client).fail({"code": "INTERNAL_ERROR"}, dead=True)
    dead.append(queued(redis_url, base, tmp_path, lambda queue: queue.submit("discover", HERE, GO)))
    take(client).fail({"code": "INTERNAL_ERROR"}, dead=True)

    tokens = [queued(redis_url, base, tmp_path, lambda q: q.resubmit(dead[0], keyed)) for _ in range(2)]

    assert tokens == [3, 3]
    assert 0 < int(client.ttl(client.keys("airpy:key:*")[0])) <= 60
    with pytest.raises(IdempotencyConflict):
        queued(redis_url, base, tmp_path, lambda queue: queue.resubmit(dead[1], keyed))
    with pytest.raises(IdempotencyConflict):
        queued(redis_url, base, tmp_path, lambda queue: queue.submit("discover", HERE, keyed))


def test_a_frame_stays_where_redis_did_not_answer(base: Path, tmp_path: Path) -> None:
    """The job may have been accepted all the same."""
    with pytest.raises(QueueUnavailable):
        queued(
            "unix:///nowhere/redis.sock",
            base,
            tmp_path,
            lambda queue: queue.submit("analyze", FRAME, GO, SENT),
        )

    assert len(list(tmp_path.iterdir())) == 1


def test_equal_requests_are_one_job_while_their_files_are_the_same(
    redis_url: str, client: redis.Redis, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    base.mkdir()
    (base / "readings.csv").write_bytes(b"kwh\n1\n")
    request = QueryRequest.model_validate({"datasource_id": "energy", "plan": {"dataset": "readings"}})

    def submitted() -> int:
        return queued(redis_url, base, tmp_path, lambda queue: queue.submit("query", request, GO))

    one = submitted()
    take(client)
    same = submitted()
    (base / "readings.csv").write_bytes(b"kwh\n2\n")
    changed = submitted()

    assert get(redis_url, same).leader == one
    assert get(redis_url, changed).leader is None


def test_a_listing_is_shared_only_before_it_began(
    redis_url: str, client: redis.Redis, base: Path, tmp_path: Path
) -> None:
    def submitted() -> int:
        return queued(redis_url, base, tmp_path, lambda queue: queue.submit("discover", HERE, GO))

    one, same = submitted(), submitted()
    take(client)
    later = submitted()

    assert get(redis_url, same).leader == one
    assert get(redis_url, later).leader is None


def test_a_dead_letters_request_is_asked_again(
    redis_url: str, client: redis.Redis, base: Path, tmp_path: Path
) -> None:
    dead = queued(redis_url, base, tmp_path, lambda queue: queue.submit("analyze", FRAME, GO, SENT))
    killed = take(client)
    killed.fail({"code": "INTERNAL_ERROR"}, dead=True)

    token = queued(redis_url, base, tmp_path, lambda queue: queue.resubmit(dead, Caller("req_2")))

    claim = take(client)
    assert (claim.token, claim.attempt, claim.failures) == (token, 1, 0)
    assert (claim.kind, claim.request, claim.input, claim.lane) == (
        killed.kind,
        killed.request,
        killed.input,
        killed.lane,
    )
    assert claim.request_id == "req_2"
    assert ask(redis_url, lambda store: store.dead_letters(None, 100)) == ([], None)


def test_a_dead_letter_that_a_full_queue_refuses_stays_with_its_frame(
    redis_url: str, client: redis.Redis, base: Path, tmp_path: Path
) -> None:
    dead = queued(redis_url, base, tmp_path, lambda queue: queue.submit("analyze", FRAME, GO, SENT))
    take(client).fail({"code": "INTERNAL_ERROR"}, dead=True)
    letter = ask(redis_url, lambda store: store.dead_letter(dead))
    queued(redis_url, base, tmp_path, lambda queue: queue.submit("discover", HERE, GO))

    with pytest.raises(CapExceeded):
        queued(redis_url, base, tmp_path, lambda queue: queue.resubmit(dead, GO), 1)

    assert ask(redis_url, lambda store: store.dead_letters(None, 100)) == ([letter], None)
    assert letter.input is not None
    assert (tmp_path / letter.input).exists()


def test_a_call_is_work_for_the_actor() -> None:
    broker = StubBroker(middleware=[])
    done = threading.Semaphore(0)
    declare_actor(broker, done.release)
    worker = dramatiq.Worker(broker, worker_timeout=10, worker_threads=1)
    worker.start()
    for _ in range(3):
        broker.enqueue(call_to_work())
    heard = [done.acquire(timeout=30) for _ in range(3)]
    broker.join(QUEUE, timeout=30_000)
    worker.stop()

    assert heard == [True] * 3
    assert broker.dead_letters == []


ASKED: dict[JobType, BaseModel] = {
    "query": QueryRequest.model_validate({"datasource_id": "energy", "plan": {"dataset": "readings"}}),
    "analyze": FRAME,
}


def completed(url: str, client: redis.Redis, results: Path, kind: JobType, file: str) -> int:
    """The token of a job that has completed with this file in its folder."""
    (results / "readings.csv").write_bytes(b"kwh\n1\n")
    token = queued(url, results, results, lambda queue: queue.submit(kind, ASKED[kind], GO))
    claim = take(client)
    folder = Results(results).attempt(token, 1)
    (folder / "data.json").touch()
    (folder / file).write_bytes(file.encode())
    claim.complete(folder.name, ResultFrame("arrow", 1, "", "") if file.startswith("frame") else None)
    return token


def test_what_a_request_names_is_given_to_the_job_beside_what_was_sent(
    redis_url: str, client: redis.Redis, base: Path, tmp_path: Path
) -> None:
    queried = completed(redis_url, client, tmp_path, "query", "frame.parquet")
    analysed = completed(redis_url, client, tmp_path, "analyze", ANALYSIS_STATE)
    asked = [
        ({"token": queried, "baseline": {"token": analysed}}, {}),
        ({"frame_ref": {"type": "arrow", "data": "sha256:00"}, "baseline": {"token": queried}}, SENT),
    ]

    kept = []
    for sources, sent in asked:
        request = AnalyzeRequest.model_validate({"job_kind": "compare", **sources})
        queued(redis_url, base, tmp_path, partial(submit_analysis, request=request, sent=sent))
        claim = take(client)
        kept.append(
            {path.name: path.read_bytes() for path in Results(tmp_path).input(claim.input or "").iterdir()}
        )

    assert kept == [
        {"token.parquet": b"frame.parquet", "baseline.token.state": b"analysis-state"},
        {"frame_ref.data.arrow": b"frame", "baseline.token.parquet": b"frame.parquet"},
    ]


async def submit_analysis(queue: JobQueue, request: AnalyzeRequest, sent: dict[str, bytes]) -> int:
    """The token of the analysis."""
    return await queue.submit("analyze", request, GO, sent)


def test_a_result_that_was_named_stays_for_the_dead_letter(
    redis_url: str, client: redis.Redis, base: Path, tmp_path: Path
) -> None:
    queried = completed(redis_url, client, tmp_path, "query", "frame.arrow")
    request = AnalyzeRequest.model_validate({"job_kind": "eda", "token": queried})
    dead = queued(redis_url, base, tmp_path, partial(submit_analysis, request=request, sent={}))
    take(client).fail({"code": "INTERNAL_ERROR"}, dead=True)
    Results(tmp_path).discard(queried, 1)  # it has expired
    client.delete(f"airpy:job:{queried}")

    queued(redis_url, base, tmp_path, lambda queue: queue.resubmit(dead, GO))

    claim = take(client)
    (kept,) = Results(tmp_path).input(claim.input or "").iterdir()
    assert (kept.name, kept.read_bytes()) == ("token.arrow", b"frame.arrow")
    assert AnalyzeRequest.model_validate_json(claim.request) == request


def test_a_result_that_is_refused_leaves_nothing_of_what_was_sent(
    redis_url: str, client: redis.Redis, base: Path, tmp_path: Path
) -> None:
    baseline = {"token": 99}
    request = AnalyzeRequest.model_validate(
        {"job_kind": "compare", "frame_ref": {"type": "arrow", "data": "sha256:00"}, "baseline": baseline}
    )

    with pytest.raises(JobUnavailable) as caught:
        queued(redis_url, base, tmp_path, partial(submit_analysis, request=request, sent=SENT))

    assert caught.value.field == "baseline.token"
    assert list(tmp_path.iterdir()) == []
    assert client.zcard("airpy:jobs") == 0


def test_the_plan_of_a_baseline_counts_as_what_is_read_and_its_times_are_fixed(
    redis_url: str, client: redis.Redis, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    base.mkdir()
    (base / "small.csv").write_bytes(b"at\n2025-01-01T00:00:00Z\n")
    with (base / "large.csv").open("wb") as file:
        file.truncate(64 * MEBIBYTE)
    filters = [{"col": "at", "op": ">", "val": {"ago": "1 hour"}}]
    small, large = ({"dataset": name, "filters": filters} for name in ("small", "large"))
    source = {"datasource_id": "energy"}
    request = AnalyzeRequest.model_validate(
        {"job_kind": "compare", "plan": small, **source, "baseline": {"plan": large, **source}}
    )

    queued(redis_url, base, tmp_path / "results", partial(submit_analysis, request=request, sent={}))

    claim = take(client)
    fixed = AnalyzeRequest.model_validate_json(claim.request)
    assert claim.lane == "long"
    assert fixed.baseline is not None
    for plan in (fixed.plan, fixed.baseline.plan):
        assert plan is not None
        assert plan.filters is not None
        then = dt.datetime.fromisoformat(str(plan.filters[0].val))
        assert abs(dt.datetime.now(dt.UTC) - then - dt.timedelta(hours=1)) < dt.timedelta(minutes=1)

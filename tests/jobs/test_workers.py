from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING, cast

from airpy.jobs.workers import dismiss, latest, report, reports, slots_of, worker_name

if TYPE_CHECKING:
    import redis

HOST = socket.gethostname()


def alive(client: redis.Redis) -> list[str]:
    """The workers that have reported lately."""
    return cast("list[str]", client.zrangebyscore(*latest()))


def test_a_worker_is_named_for_its_host_and_process() -> None:
    assert worker_name() == f"{HOST}:{os.getpid()}"


def test_a_worker_is_known_by_its_reports_until_it_takes_its_leave(client: redis.Redis) -> None:
    report(client, 2)
    report(client, 2)
    while_it_works = alive(client)
    dismiss(client, 2)

    assert while_it_works == [f"{worker_name()}:2"]
    assert alive(client) == []


def test_a_worker_that_was_silent_for_long_counts_no_more_and_is_forgotten_in_time(
    client: redis.Redis,
) -> None:
    client.zadd("airpy:workers", {"host:9:1": time.time() - 151, "host:8:1": time.time() - 100})

    report(client, 2)

    assert client.zrange("airpy:workers", 0, -1) == ["host:8:1", f"{worker_name()}:2"]
    assert alive(client) == [f"{worker_name()}:2"]


def test_slots_are_summed_whatever_the_hosts_are_called() -> None:
    assert slots_of(["host:1:2", "fd00::1:77:4"]) == 6
    assert slots_of([]) == 0


def test_a_hosts_worker_is_known_by_its_reports(client: redis.Redis) -> None:
    report(client, 2)
    client.zadd("airpy:workers", {"gone:4:16": time.time() - 16})

    assert reports(client, HOST)
    assert not reports(client, "gone")
    assert not reports(client, HOST[:-1])

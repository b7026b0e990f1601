from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import pytest
import redis
from structlog.testing import CapturingLogger

from airpy.config import SettingsError
from airpy.jobs.fitness import check_redis
from tests.service import running_redis

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[tuple[str, redis.Redis]]:
    """A Redis that the test may set as it likes, by its URL and a client."""
    with running_redis(tmp_path) as url, redis.Redis.from_url(url) as client:
        yield url, client


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> CapturingLogger:
    """A log that keeps what it is told."""
    logger = CapturingLogger()
    monkeypatch.setattr("airpy.jobs.fitness.log", logger)
    return logger


@contextlib.contextmanager
def redis_of_version(version: str) -> Iterator[str]:
    """The URL of a server that says it is a Redis of this version, and knows nothing else."""
    info = f"redis_version:{version}\r\n".encode()

    def serve(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # it was closed
            while True:
                connection, _ = listener.accept()
                with connection, connection.makefile("rb") as commands:
                    while line := commands.readline():
                        words = [
                            commands.read(int(commands.readline()[1:]) + 2)[:-2] for _ in range(int(line[1:]))
                        ]
                        told = b"$%d\r\n%s\r\n" % (len(info), info)
                        connection.sendall(told if words[0].upper() == b"INFO" else b"+OK\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0?protocol=2"


def events(logged: CapturingLogger) -> list[tuple[str, str]]:
    """Level and name of what was logged."""
    return [(call.method_name, call.args[0]) for call in logged.calls]


def test_a_redis_that_keeps_everything_is_taken_without_a_word(
    own_redis: tuple[str, redis.Redis], logged: CapturingLogger
) -> None:
    url, client = own_redis
    client.config_set("maxmemory", "100mb")
    client.config_set("maxmemory-policy", "noeviction")

    check_redis(url)

    assert events(logged) == []


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-random", "volatile-lru", "volatile-ttl"])
def test_a_redis_that_evicts_is_refused(own_redis: tuple[str, redis.Redis], policy: str) -> None:
    url, client = own_redis
    client.config_set("maxmemory", "100mb")
    client.config_set("maxmemory-policy", policy)

    with pytest.raises(SettingsError) as caught:
        check_redis(url)

    assert str(caught.value).startswith("REDIS_URL: must be a Redis that evicts nothing")
    assert f"may use 100 MiB and evicts by {policy}" in str(caught.value)


def test_a_policy_that_never_comes_to_bear_is_no_matter(own_redis: tuple[str, redis.Redis]) -> None:
    url, client = own_redis
    client.config_set("maxmemory", 0)
    client.config_set("maxmemory-policy", "allkeys-lru")

    check_redis(url)


def test_a_redis_that_forgets_is_warned_of(
    own_redis: tuple[str, redis.Redis], logged: CapturingLogger
) -> None:
    url, client = own_redis
    client.config_set("appendonly", "no")

    check_redis(url)

    assert events(logged) == [("warning", "redis_forgets")]


@pytest.mark.parametrize("version", ["6.2.14", "5.0.0", "6"])
def test_a_redis_that_cannot_run_the_scripts_is_refused(version: str) -> None:
    with (
        redis_of_version(version) as url,
        pytest.raises(
            SettingsError, match=f"REDIS_URL: must be Redis 7 or later, or Valkey; this is {version}"
        ),
    ):
        check_redis(url)


@pytest.mark.parametrize("version", ["7.0.0", "7.2.4", "8.1.2", "10.0.0"])
def test_later_ones_are_not(version: str) -> None:
    with redis_of_version(version) as url:
        check_redis(url)


def test_a_redis_that_is_away_stops_nothing(tmp_path: Path, logged: CapturingLogger) -> None:
    check_redis(f"unix://{tmp_path}/redis.sock")

    assert events(logged) == [("warning", "redis_unreachable")]

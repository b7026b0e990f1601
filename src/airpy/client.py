"""Calls the service as the Go backend does; for the command line.

It signs its own short-lived tokens with the shared secret.
"""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import httpx2

from airpy.web.auth import sign

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["UNREACHABLE", "CallFailed", "Client", "Event"]

TOKEN_LIFE_S = 300
UNREACHABLE = "UNREACHABLE"
"""The reason of a call that got no answer."""
SILENCE_S = 45
"""A stream that brings nothing for so long is broken: every 15 s the service says that it is there."""
PAUSE_S = 0.5
PATIENCE_S = 120
"""How long a job is followed while the service is away: longer than it takes to restart."""


class CallFailed(Exception):
    """The service refused a call, or a job failed.

    Args:
        message: The service's own.
        reason: The exact case, as the contract names it; None when it was told by something else.
        passing: Whether the same call may succeed later.
    """

    def __init__(self, message: str, reason: str | None = None, *, passing: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.passing = passing


class Event(NamedTuple):
    """Something that happened to a job: a `step`, its `progress`, or its `end`."""

    name: str
    data: dict[str, Any]
    """As the contract has it: a Step, a JobProgress or a JobEnd."""


class Client:
    """A caller of one service. What is refused, or gets no answer, is a CallFailed."""

    def __init__(self, url: str, secret: str, timeout_s: float = 30) -> None:
        self._secret = secret
        self._timeout_s = timeout_s
        self._http = httpx2.Client(base_url=url, timeout=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **query: str | int | None) -> dict[str, Any]:
        """The answer to a GET under /v1/py; what is None is not asked for."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._call("GET", path, params=given)

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer to a POST under /v1/py."""
        return self._call("POST", path, json=body)

    def delete(self, path: str) -> dict[str, Any]:
        """The answer to a DELETE under /v1/py."""
        return self._call("DELETE", path)

    def result(self, token: int) -> dict[str, Any]:
        """The data of a job that has ended.

        Raises:
            CallFailed: It failed.
        """
        job = self.get(f"jobs/{token}")
        if job["error"] is not None:
            raise CallFailed(job["error"]["message"], job["error"]["details"]["reason"])
        data: dict[str, Any] = job["data"]
        return data

    def events(self, token: int) -> Iterator[Event]:
        """What happens to a job, as it happens, each step once; the last event is its `end`.

        A connection that breaks is taken up again where it broke.

        Raises:
            CallFailed: The service refused, could not be reached at first, or was away for too long.
        """
        steps = 0
        patient_until = 0.0  # who is not there at first is not waited for
        while True:
            try:
                with self._stream(f"jobs/{token}/events", steps) as stream:
                    patient_until = float("inf")
                    for event in stream:
                        steps = int(event.id or steps)
                        yield Event(event.event, json.loads(event.data))
                        if event.event == "end":
                            return
            except CallFailed as failed:
                if not failed.passing or time.monotonic() > patient_until:
                    raise
            patient_until = min(patient_until, time.monotonic() + PATIENCE_S)
            time.sleep(PAUSE_S)

    @contextlib.contextmanager
    def _stream(self, path: str, last_id: int) -> Iterator[httpx2.EventSource]:
        headers = self._headers() | {"Last-Event-ID": str(last_id)}
        timeout = httpx2.Timeout(self._timeout_s, read=SILENCE_S)
        try:
            with self._http.stream("GET", f"/v1/py/{path}", headers=headers, timeout=timeout) as response:
                if not response.headers.get("content-type", "").startswith("text/event-stream"):
                    response.read()
                    raise self._refusal(response)
                yield httpx2.EventSource(response)
        except httpx2.HTTPError as error:
            raise self._unreachable(error) from None

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401  httpx2's
        try:
            response = self._http.request(method, f"/v1/py/{path}", headers=self._headers(), **arguments)
        except httpx2.HTTPError as error:
            raise self._unreachable(error) from None
        if response.is_error:
            raise self._refusal(response)
        try:
            answer: dict[str, Any] = response.json()
        except ValueError:
            raise self._refusal(response) from None
        return answer

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {sign(self._secret, TOKEN_LIFE_S)}"}

    def _unreachable(self, error: httpx2.HTTPError) -> CallFailed:
        return CallFailed(f"{self._http.base_url} cannot be reached: {error}", UNREACHABLE, passing=True)

    def _refusal(self, response: httpx2.Response) -> CallFailed:
        try:
            error = response.json()["error"]
            details = error["details"]
            return CallFailed(error["message"], details["reason"], passing=details["retryable"])
        except (ValueError, LookupError, TypeError):
            return CallFailed(f"{self._http.base_url} is no AIR-Py: it answered {response.status_code}")

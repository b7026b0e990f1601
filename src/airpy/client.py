"""Calls the service as the Go backend does; for the command line.

It signs its own short-lived tokens with the shared secret.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

import httpx2

from airpy.web.auth import sign

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CallFailed", "Client"]

TOKEN_LIFE_S = 300
POLL_S = 0.02


class CallFailed(Exception):
    """The service refused a call, or a job failed; the message is the service's own."""


class Client:
    """A caller of one service."""

    def __init__(self, url: str, secret: str, timeout_s: float = 30) -> None:
        self._secret = secret
        self._http = httpx2.Client(base_url=url, timeout=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str) -> dict[str, Any]:
        """The answer to a GET under /v1/py.

        Raises:
            CallFailed: The service refused it, or cannot be reached.
        """
        return self._call("GET", path)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a POST under /v1/py.

        Raises:
            CallFailed: The service refused it, or cannot be reached.
        """
        return self._call("POST", path, json=body)

    def steps(self, token: int) -> Iterator[dict[str, Any]]:
        """The steps of a job as they come, until it has ended."""
        seen = 0
        while True:
            job = self.get(f"jobs/{token}")
            yield from job["steps"][seen:]
            seen = len(job["steps"])
            if job["status"] not in {"started", "running"}:
                return
            time.sleep(POLL_S)

    def result(self, token: int) -> dict[str, Any]:
        """The data of a job that has ended.

        Raises:
            CallFailed: It failed.
        """
        job = self.get(f"jobs/{token}")
        if job["error"] is not None:
            raise CallFailed(job["error"]["message"])
        data: dict[str, Any] = job["data"]
        return data

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401  httpx2's
        headers = {"Authorization": f"Bearer {sign(self._secret, TOKEN_LIFE_S)}"}
        try:
            response = self._http.request(method, f"/v1/py/{path}", headers=headers, **arguments)
        except httpx2.HTTPError as error:
            raise CallFailed(f"{self._http.base_url} cannot be reached: {error}") from None
        try:
            answer: dict[str, Any] = response.json()
            if not response.is_error:
                return answer
            message: str = answer["error"]["message"]
        except (ValueError, LookupError, TypeError):
            raise CallFailed(
                f"{self._http.base_url} is no AIR-Py: it answered {response.status_code}"
            ) from None
        raise CallFailed(message)

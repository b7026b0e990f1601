"""Runs the web application, and lets those go who wait for a job when it is told to stop."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

import uvicorn

from airpy.app import create_app

if TYPE_CHECKING:
    import socket

__all__ = ["run_server"]

GRACE_S = 30
"""How long answers under way may take after a request to stop."""


class _Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.lifespan.state["airpy"].changes.let_go()
        await super().shutdown(sockets)


def run_server(host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; then finish what is under way."""
    config = uvicorn.Config(
        create_app(),
        host=host,
        port=port,
        lifespan="on",  # a fault at the start ends the program
        ws="none",
        log_config=None,
        access_log=False,  # the edge logs each request with its id
        server_header=False,
        timeout_keep_alive=120,  # longer than Go's client keeps an idle connection
        timeout_graceful_shutdown=GRACE_S,
    )
    server = _Server(config)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(3)

"""A bucket on this machine: as much of S3 as it takes to read objects."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class Bucket(NamedTuple):
    """Objects by their path, and where they are served."""

    objects: dict[str, bytes]
    asked_for: list[str]
    """The paths of every request, in order."""
    url: str


@contextmanager
def running_bucket() -> Iterator[Bucket]:
    """Serve objects until the block ends."""
    objects: dict[str, bytes] = {}
    asked_for: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            asked_for.append(self.path)
            whole = objects.get(self.path)
            if whole is None:
                self.send_error(404)
                return
            first, last = 0, len(whole)
            asked = RANGE.fullmatch(self.headers.get("Range") or "")
            if asked and asked[1]:
                first, last = int(asked[1]), min(int(asked[2] or last - 1) + 1, last)
            elif asked:
                first = max(last - int(asked[2]), 0)
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(last - first))
            self.send_header("Content-Range", f"bytes {first}-{last - 1}/{len(whole)}")
            self.send_header("ETag", '"1"')
            self.send_header("Last-Modified", "Wed, 01 Jan 2025 00:00:00 GMT")
            self.end_headers()
            if body:
                self.wfile.write(whole[first:last])

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Bucket(objects, asked_for, f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            thread.join()

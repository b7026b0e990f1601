"""A bucket on this machine: an S3 server, and what is asked of it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx2
import obstore
from moto.server import ThreadedMotoServer
from obstore.store import S3Store
from werkzeug.serving import WSGIRequestHandler

from airpy.files.access import Access

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "bucket"
KEYS = {
    "access_key_id": "a key",
    "secret_access_key": "a secret that is told to nobody",
    "region": "us-east-1",
}


class Bucket(NamedTuple):
    """A bucket, and how it is reached."""

    url: str
    store: S3Store
    asked_for: list[str]
    """The method and path of every request, in order."""

    @property
    def access(self) -> Access:
        """How a service reaches it."""
        return Access({"s3": {"endpoint": self.url, **KEYS}})

    @property
    def settings(self) -> dict[str, str]:
        """The same as a service's settings."""
        return {
            "PY_CLOUD_PREFIXES": f"s3://{NAME}/energy/",
            "PY_S3_ENDPOINT_URL": self.url,
            "PY_S3_ACCESS_KEY_ID": KEYS["access_key_id"],
            "PY_S3_SECRET_ACCESS_KEY": KEYS["secret_access_key"],
        }

    def put(self, key: str, content: bytes) -> None:
        """An object with this content."""
        obstore.put(self.store, key, content)

    def empty(self) -> None:
        """No object, and nothing asked for."""
        for page in obstore.list(self.store):
            obstore.delete(self.store, [found["path"] for found in page])
        self.asked_for.clear()


@contextmanager
def running_bucket() -> Iterator[Bucket]:
    """Serve a bucket until the block ends."""
    asked_for: list[str] = []

    def log_request(self: WSGIRequestHandler, *_: Any) -> None:
        asked_for.append(f"{self.command} {self.path}")

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    logged, WSGIRequestHandler.log_request = WSGIRequestHandler.log_request, log_request  # type: ignore[assignment, method-assign]
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        config: Any = {"endpoint": url, **KEYS}
        store = S3Store(NAME, config=config, client_options={"allow_http": True})
        httpx2.put(f"{url}/{NAME}")
        bucket = Bucket(url, store, asked_for)
        bucket.empty()  # servers of one process share what they keep
        yield bucket
    finally:
        WSGIRequestHandler.log_request = logged  # type: ignore[method-assign]
        server.stop()

"""How cloud storage is reached: endpoints and keys by scheme, which no message repeats."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ANONYMOUS", "Access"]

ANONYMOUS = {"skip_signature": "true"}
"""Without keys, requests are not signed; a client that is not told so asks the machine's host for some."""


@dataclass(frozen=True)
class Access:
    """How the storage of each scheme is reached.

    Args:
        settings: By scheme, the client's settings by their names.
    """

    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)

    def of(self, scheme: str) -> dict[str, str]:
        """The client's settings for a scheme."""
        return dict(self.settings.get(scheme, ANONYMOUS))

    def is_plain(self, scheme: str) -> bool:
        """Whether requests go over HTTP without TLS, as to a server nearby."""
        return any(value.startswith("http://") for value in self.of(scheme).values())

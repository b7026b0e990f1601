"""Checks the bearer token the Go backend signs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import jwt

from airpy.errors import Unauthorized

if TYPE_CHECKING:
    from connexion.lifecycle import ConnexionRequest

__all__ = ["sign", "verify"]

ALGORITHM = "HS256"
LEEWAY_S = 10
LONGEST_LIFE_S = 366 * 86_400
LONGEST_TOKEN = 8192


def sign(secret: str, lifetime_s: float, subject: str = "airpy") -> str:
    """A token such as the Go backend signs."""
    now = int(time.time())
    claims = {"sub": subject, "iat": now, "exp": now + int(lifetime_s)}
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


def verify(token: str, request: ConnexionRequest) -> dict[str, Any]:
    """The token's claims.

    Connexion checks security before its request context exists, and so passes the request.

    Raises:
        Unauthorized: The token is not ours, has expired, or lives too long. The message says no more.
    """
    secret = request.state.airpy.settings.secret
    if len(token) > LONGEST_TOKEN or len(request.headers.getlist("authorization")) != 1:
        raise _refused()
    try:
        claims: dict[str, Any] = jwt.decode(
            token, secret, algorithms=[ALGORITHM], leeway=LEEWAY_S, options={"require": ["exp"]}
        )
        expires = float(claims["exp"])
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
        raise _refused() from None
    # PyJWT reads a number from a string too.
    if isinstance(claims["exp"], str) or expires - time.time() > LONGEST_LIFE_S:
        raise _refused()
    return claims


def _refused() -> Unauthorized:
    return Unauthorized(
        "a valid bearer token is required",
        field="header.Authorization",
        constraint="Bearer, an HS256 JWT with exp, signed with the shared secret",
    )

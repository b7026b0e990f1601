from __future__ import annotations

import base64
import datetime as dt
import hmac
import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import httpx2
import jwt
import pytest
from starlette.datastructures import Headers

from airpy.errors import Unauthorized
from airpy.web.auth import sign, verify
from tests.envelope import refused
from tests.service import SECRET

if TYPE_CHECKING:
    from connexion.lifecycle import ConnexionRequest

    from tests.service import Service

NOW = 1_790_000_000
YEAR_AND_DAY_S = 366 * 86_400


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is NOW to the microsecond, for PyJWT too."""

    class Stopped(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Stopped:
            return cls.fromtimestamp(NOW, tz)

    monkeypatch.setattr("jwt.api_jwt.datetime", Stopped)
    monkeypatch.setattr(time, "time", lambda: float(NOW))


def accepted(token: str, headers: int = 1) -> bool:
    """Whether a request with this token, in so many headers, is let in."""
    settings = SimpleNamespace(secret=SECRET)
    request = SimpleNamespace(
        state=SimpleNamespace(airpy=SimpleNamespace(settings=settings)),
        headers=Headers(raw=[(b"authorization", b"Bearer")] * headers),
    )
    try:
        verify(token, cast("ConnexionRequest", request))
    except Unauthorized:
        return False
    return True


def signed(**claims: Any) -> str:
    return jwt.encode(claims, SECRET, algorithm="HS256")


def by_hand(header: object, payload: object, signature: bytes = b"") -> str:
    """A token of these parts, signed or not."""
    parts = [json.dumps(header).encode(), json.dumps(payload).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def test_a_token_as_go_signs_it_is_let_in() -> None:
    assert accepted(sign(SECRET, 60))


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("offset", "let_in"),
    [(-3600, False), (-11, False), (-10, False), (-9, True), (0, True), (10, True), (11, True)],
)
def test_ten_seconds_after_its_expiry_a_token_is_over(offset: int, *, let_in: bool) -> None:
    assert accepted(signed(exp=NOW + offset)) is let_in


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("claim", ["nbf", "iat"])
@pytest.mark.parametrize(
    ("offset", "let_in"), [(-11, True), (0, True), (10, True), (11, False), (3600, False)]
)
def test_a_clock_may_be_ten_seconds_ahead(claim: str, offset: int, *, let_in: bool) -> None:
    assert accepted(signed(exp=NOW + 600, **{claim: NOW + offset})) is let_in


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("life", "let_in"),
    [(YEAR_AND_DAY_S, True), (YEAR_AND_DAY_S + 1, False), (10 * YEAR_AND_DAY_S, False), (10**15, False)],
)
def test_a_token_lives_no_longer_than_a_leap_year(life: int, *, let_in: bool) -> None:
    assert accepted(signed(exp=NOW + life)) is let_in


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("exp", "let_in"),
    [
        (NOW + 60.5, True),
        (str(NOW + 60), False),
        ([NOW + 60], False),
        ({"at": NOW + 60}, False),
        (None, False),
        (True, False),
        (10**400, False),
        (1e18, False),
        (float("inf"), False),
        (float("nan"), False),
        (-1, False),
    ],
)
def test_the_expiry_must_be_a_number_of_seconds(exp: object, *, let_in: bool) -> None:
    assert accepted(signed(exp=exp)) is let_in


def test_a_token_without_expiry_is_refused() -> None:
    assert not accepted(signed(sub="airpy", iat=int(time.time())))


@pytest.mark.parametrize(
    "claims", [{"nbf": "soon"}, {"iat": [1]}, {"aud": "another"}, {"sub": 5}, {"nbf": 10**400}]
)
def test_a_claim_that_makes_no_sense_is_refused(claims: dict[str, Any]) -> None:
    assert not accepted(signed(exp=int(time.time()) + 60, **claims))


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_hash_under_our_secret_is_refused(algorithm: str) -> None:
    # PyJWT warns of a secret that is short for the longer hash; Go would not.
    long = SECRET * 2
    token = jwt.encode({"exp": int(time.time()) + 60}, long, algorithm=algorithm)

    assert jwt.decode(token, long, algorithms=[algorithm])
    assert not accepted(token)
    header, payload, _ = token.split(".")
    assert not accepted(f"{header}.{payload}.{signed(exp=int(time.time()) + 60).rpartition('.')[2]}")


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA", "hs256", "HS256 "])
def test_our_own_signature_under_another_name_is_refused(algorithm: str) -> None:
    def named(name: str) -> str:
        unsigned = by_hand({"alg": name, "typ": "JWT"}, {"exp": int(time.time()) + 60}).rstrip(".")
        signature = hmac.digest(SECRET.encode(), unsigned.encode(), "sha256")
        return f"{unsigned}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    assert accepted(named("HS256"))
    assert not accepted(named(algorithm))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, "HS256", ["HS256"]])
def test_a_token_without_signature_is_refused(algorithm: object) -> None:
    assert not accepted(by_hand({"alg": algorithm, "typ": "JWT"}, {"exp": int(time.time()) + 60}))


def test_another_secrets_signature_is_refused() -> None:
    assert not accepted(sign("another secret, just as long as ours is.", 60))


def test_a_changed_payload_is_refused() -> None:
    header, _, signature = sign(SECRET, 60).split(".")
    payload = by_hand({}, {"exp": int(time.time()) + 3600}).split(".")[1]

    assert not accepted(f"{header}.{payload}.{signature}")


def test_a_token_in_a_token_is_refused() -> None:
    inner = sign(SECRET, 60)
    nested = jwt.api_jws.encode(inner.encode(), SECRET, algorithm="HS256", headers={"cty": "JWT"})

    assert not accepted(nested)


@pytest.mark.parametrize("payload", [b"[]", b"null", b"5", b"not json", b"\xff"])
def test_a_payload_that_is_no_object_is_refused(payload: bytes) -> None:
    assert not accepted(jwt.api_jws.encode(payload, SECRET, algorithm="HS256"))


@pytest.mark.parametrize("token", ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", "é.é.é", "\0", "Bearer", " "])
def test_what_is_no_token_is_refused(token: str) -> None:
    assert not accepted(token)


def test_a_huge_token_is_refused_unread() -> None:
    exp = int(time.time()) + 60

    assert accepted(signed(exp=exp, note="x" * 5000))
    assert not accepted(signed(exp=exp, note="x" * 10_000))


@pytest.mark.parametrize(("headers", "let_in"), [(0, False), (1, True), (2, False)])
def test_one_header_carries_the_token(headers: int, *, let_in: bool) -> None:
    assert accepted(sign(SECRET, 60), headers) is let_in


@pytest.mark.parametrize(
    "authorization",
    [
        [],
        [""],
        ["Bearer"],
        ["Bearer a.b.c"],
        ["Basic YWlycHk6c2VjcmV0"],
        ["{token}"],
        ["Token {token}"],
        ["Bearer {expired}"],
        ["Bearer {forged}"],
        ["Bearer {token}", "Bearer {token}"],
        ["Bearer {token}, Bearer {token}"],
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "health"), ("POST", "query"), ("GET", "jobs/1/download")]
)
def test_the_service_refuses_in_the_envelope(
    service: Service, method: str, path: str, authorization: list[str]
) -> None:
    tokens = {
        "token": service.token(),
        "expired": service.token(-60),
        "forged": sign("another secret, just as long as ours is.", 60),
    }
    headers = [("Authorization", value.format(**tokens)) for value in authorization]

    answer = httpx2.request(method, f"{service.url}/v1/py/{path}", headers=headers)

    error = refused(answer, 401, "UNAUTHORIZED", code="AUTH_ERROR")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert error["message"] == "a valid bearer token is required"
    assert error["details"]["field"] == "header.Authorization"
    assert error["details"]["constraint"] == "Bearer, an HS256 JWT with exp, signed with the shared secret"
    assert error["details"]["retryable"] is False


def test_no_token_and_no_secret_is_ever_logged(service: Service) -> None:
    good, bad = service.token(), sign("another secret, just as long as ours is.", 60)
    for token in (good, bad):
        httpx2.get(f"{service.url}/v1/py/health", headers={"Authorization": f"Bearer {token}"})
    httpx2.get(f"{service.url}/v1/py/health?access_token={good}", headers={"Authorization": f"Bearer {good}"})

    logged = service.log_text()

    assert '"event": "request"' in logged
    for secret in (SECRET, good.rpartition(".")[2], bad.rpartition(".")[2]):
        assert secret not in logged

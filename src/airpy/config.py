"""Settings, read once from the environment.

Nothing else reads the environment. A wrong value stops the start and is named; no message repeats a secret.
"""

from __future__ import annotations

import difflib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = [
    "SHORTEST_SECRET",
    "Credentials",
    "Reading",
    "Settings",
    "SettingsError",
    "misspelt_settings",
    "variables",
]

SHORTEST_SECRET = 32
"""Bytes; RFC 7518 asks for a key as long as HS256's hash."""

KNOWN_EXTENSIONS = (".csv", ".parquet", ".jsonl")

LIKENESS = 0.8
"""How much a misspelt variable is like the one that was meant, 0 to 1; others belong to other programs."""

LONGEST_S = 366 * 86_400
"""A year; Redis, the kernel and the event loop have limits of their own somewhere above."""
MOST_MEMORY_MB = 16 * 1024 * 1024


NOT_SET = SecretStr("")


class SettingsError(Exception):
    """Settings with which the service does not start; the message names each of them."""


class _Environment(BaseSettings):
    """Settings as the environment gives them."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        populate_by_name=True,
        env_ignore_empty=True,  # as compose passes what is not set
    )

    @classmethod
    def from_env(cls, **overrides: Any) -> Self:  # noqa: ANN401  whatever a setting's type is
        """The settings that the environment gives, and the overrides where there are any.

        Raises:
            SettingsError: A value is missing or wrong.
        """
        try:
            return cls(**overrides)
        except ValidationError as error:
            raise SettingsError("\n".join(_explained(cls, item) for item in error.errors())) from None


class Reading(_Environment):
    """How data are read and answered with; all that it takes to ask files at hand."""

    allowed_ext: Annotated[tuple[str, ...], NoDecode, Field(validation_alias="PY_ALLOWED_EXT")] = (
        KNOWN_EXTENSIONS
    )
    cloud_prefixes: Annotated[tuple[str, ...], NoDecode, Field(validation_alias="PY_CLOUD_PREFIXES")] = ()
    max_rows_json: Annotated[int, Field(validation_alias="PY_MAX_ROWS_JSON", ge=1, le=1_000_000)] = 50_000
    infer_rows: Annotated[int, Field(validation_alias="PY_INFER_ROWS", ge=0, le=1_000_000_000)] = 20_000
    s3_endpoint_url: Annotated[str, Field(validation_alias="PY_S3_ENDPOINT_URL")] = ""
    s3_region: Annotated[str, Field(validation_alias="PY_S3_REGION", pattern="^[a-z0-9-]+$")] = "us-east-1"
    s3_access_key_id: Annotated[str, Field(validation_alias="PY_S3_ACCESS_KEY_ID")] = ""
    s3_secret_access_key: Annotated[SecretStr, Field(validation_alias="PY_S3_SECRET_ACCESS_KEY")] = NOT_SET
    gs_endpoint_url: Annotated[str, Field(validation_alias="PY_GS_ENDPOINT_URL")] = ""
    gs_service_account_key: Annotated[SecretStr, Field(validation_alias="PY_GS_SERVICE_ACCOUNT_KEY")] = (
        NOT_SET
    )
    az_endpoint_url: Annotated[str, Field(validation_alias="PY_AZ_ENDPOINT_URL")] = ""
    az_account_name: Annotated[str, Field(validation_alias="PY_AZ_ACCOUNT_NAME", pattern="^[a-z0-9]*$")] = ""
    az_account_key: Annotated[SecretStr, Field(validation_alias="PY_AZ_ACCOUNT_KEY")] = NOT_SET

    @property
    def storage(self) -> dict[str, dict[str, str]]:
        """How cloud storage is reached: by scheme, the client's settings by their names.

        Nothing is left for the client to find elsewhere: it has an endpoint, and keys or the word to use
        none.
        """
        s3_keys = {
            "access_key_id": self.s3_access_key_id,
            "secret_access_key": self.s3_secret_access_key.get_secret_value(),
        }
        gs_keys = {"service_account_key": self.gs_service_account_key.get_secret_value()}
        az_keys = {"account_key": self.az_account_key.get_secret_value()}
        return {
            "s3": {
                "endpoint": self.s3_endpoint_url or f"https://s3.{self.s3_region}.amazonaws.com",
                "region": self.s3_region,
                **_keys_or_none(s3_keys),
            },
            "gs": {
                "base_url": self.gs_endpoint_url or "https://storage.googleapis.com",
                **_keys_or_none(gs_keys),
            },
            "az": {
                "endpoint": self.az_endpoint_url or f"https://{self.az_account_name}.blob.core.windows.net",
                "account_name": self.az_account_name,
                **_keys_or_none(az_keys),
            },
        }

    @field_validator("s3_endpoint_url", "gs_endpoint_url", "az_endpoint_url")
    @classmethod
    def _an_endpoint(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.netloc or parts.username):
            raise ValueError("must be https://host or http://host:port, without a user")
        return value.rstrip("/")

    @field_validator("gs_service_account_key")
    @classmethod
    def _a_key_file(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not value.get_secret_value().lstrip().startswith("{"):
            raise ValueError("must be what a service account's key file holds, which is JSON")
        return value

    @model_validator(mode="after")
    def _whole_keys(self) -> Self:
        key, secret = bool(self.s3_access_key_id), bool(self.s3_secret_access_key.get_secret_value())
        account, account_key = bool(self.az_account_name), bool(self.az_account_key.get_secret_value())
        for name, needed, half in (
            ("PY_S3_ACCESS_KEY_ID", "PY_S3_SECRET_ACCESS_KEY", key and not secret),
            ("PY_S3_SECRET_ACCESS_KEY", "PY_S3_ACCESS_KEY_ID", secret and not key),
            ("PY_AZ_ACCOUNT_KEY", "PY_AZ_ACCOUNT_NAME", account_key and not account),
        ):
            if half:
                raise ValueError(f"{name}: means nothing without {needed}")
        return self

    @field_validator("allowed_ext", "cloud_prefixes", mode="before")
    @classmethod
    def _listed(cls, value: str | tuple[str, ...]) -> tuple[str, ...]:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("allowed_ext")
    @classmethod
    def _known_extensions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        lower = tuple(extension.lower() for extension in value)
        unknown = [extension for extension in lower if extension not in KNOWN_EXTENSIONS]
        if unknown or not lower:
            raise ValueError(
                f"must be some of {', '.join(KNOWN_EXTENSIONS)}; got {', '.join(value) or 'none'}"
            )
        return lower

    @field_validator("cloud_prefixes")
    @classmethod
    def _whole_prefixes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for prefix in value:
            if urlsplit(prefix).scheme not in {"s3", "gs", "az"} or not urlsplit(prefix).netloc:
                raise ValueError(
                    f"must be s3://bucket/, gs://bucket/ or az://container/, or longer; got {prefix}"
                )
        # Without its slash s3://bucket/energy would let s3://bucket/energy-secret in.
        return tuple(prefix if prefix.endswith("/") else f"{prefix}/" for prefix in value)


class Credentials(_Environment):
    """The shared secret, and where a development service keeps the one it makes."""

    environment: Annotated[Literal["dev", "production"], Field(validation_alias="PY_ENV")] = "production"
    auth_secret: Annotated[SecretStr, Field(validation_alias="PY_AUTH_SECRET")] = SecretStr("")
    state_path: Annotated[Path, Field(validation_alias="PY_STATE_PATH")] = Path(".airpy")

    @classmethod
    def of_caller(cls) -> Self:
        """The secret of the environment, else the one that a development service started here has kept.

        Raises:
            SettingsError: There is neither.
        """
        kept = Path(os.environ.get("PY_STATE_PATH") or ".airpy") / "secret"
        if not os.environ.get("PY_AUTH_SECRET") and kept.exists():
            return cls.from_env(environment="dev")
        return cls.from_env()

    @property
    def secret(self) -> str:
        """The shared secret itself."""
        return self.auth_secret.get_secret_value()

    @field_validator("state_path")
    @classmethod
    def _room_for_a_directory(cls, value: Path) -> Path:
        return _directory_to_be(value)

    @model_validator(mode="after")
    def _long_enough(self) -> Self:
        if not self.secret and self.environment == "dev":
            object.__setattr__(self, "auth_secret", SecretStr(_kept_secret(self.state_path)))
        length = len(self.secret.encode())
        if not length:
            raise ValueError("PY_AUTH_SECRET: must be set (PY_ENV=dev makes and keeps one)")
        if length < SHORTEST_SECRET and self.environment != "dev":
            raise ValueError(
                f"PY_AUTH_SECRET: must have at least {SHORTEST_SECRET} bytes and has {length} "
                "(PY_ENV=dev takes shorter ones)"
            )
        return self


class Settings(Credentials, Reading):
    """Every setting, by the name of its environment variable."""

    base_path: Annotated[Path, Field(validation_alias="PY_BASE_PATH")] = Path("/data/files")
    results_path: Annotated[Path, Field(validation_alias="PY_RESULTS_PATH")] = Path()
    redis_url: Annotated[str, Field(validation_alias="REDIS_URL")] = "redis://localhost:6379/0"
    broker_url: Annotated[
        str, Field(validation_alias=AliasChoices("DRAMATIQ_BROKER_URL", "CELERY_BROKER_URL"))
    ] = ""
    memory_mb: Annotated[int, Field(validation_alias="PY_MEMORY_MB", ge=64, le=MOST_MEMORY_MB)] = 2048
    workers: Annotated[int, Field(validation_alias="PY_WORKERS", ge=1, le=256)] = 2
    timeout_s: Annotated[float, Field(validation_alias="PY_TIMEOUT_S", gt=0, le=LONGEST_S)] = 90
    job_timeout_s: Annotated[float, Field(validation_alias="PY_JOB_TIMEOUT_S", gt=0, le=LONGEST_S)] = 1200
    job_ttl_s: Annotated[int, Field(validation_alias="PY_JOB_TTL_S", ge=1, le=LONGEST_S)] = 86_400
    max_queued_jobs: Annotated[int, Field(validation_alias="PY_MAX_QUEUED_JOBS", ge=1, le=10_000_000)] = 1000
    max_attempts: Annotated[int, Field(validation_alias="PY_MAX_ATTEMPTS", ge=1, le=100)] = 3
    cache_mb: Annotated[int, Field(validation_alias="PY_CACHE_MB", ge=0, le=MOST_MEMORY_MB)] = 1024
    cache_ttl_s: Annotated[int, Field(validation_alias="PY_CACHE_TTL_S", ge=1, le=LONGEST_S)] = 86_400
    copies_mb: Annotated[int, Field(validation_alias="PY_COPIES_MB", ge=0, le=MOST_MEMORY_MB)] = 10_240
    max_join_rows: Annotated[int, Field(validation_alias="PY_MAX_JOIN_ROWS", ge=1, le=10**15)] = 10**9
    max_body_mb: Annotated[int, Field(validation_alias="PY_MAX_BODY_MB", ge=1, le=4096)] = 64
    docs: Annotated[bool, Field(validation_alias="PY_DOCS")] = True
    log_format: Annotated[Literal["json", "text"], Field(validation_alias="PY_LOG_FORMAT")] = "json"

    @field_validator("base_path")
    @classmethod
    def _existing_base(cls, value: Path) -> Path:
        if not value.is_dir():
            raise ValueError(f"must be an existing directory; {value} is none")
        return value

    @field_validator("results_path")
    @classmethod
    def _room_for_results(cls, value: Path) -> Path:
        return _directory_to_be(value)

    @field_validator("redis_url", "broker_url")
    @classmethod
    def _a_database(cls, value: str) -> str:
        if value and not _names_a_database(value):  # which is not repeated: it may hold a password
            raise ValueError("must be redis://host:port/number, rediss://… or unix:///path?db=number")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.broker_url:
            object.__setattr__(self, "broker_url", self.redis_url)
        if self.results_path == Path():
            object.__setattr__(self, "results_path", self.state_path / "results")
        if _server(self.broker_url) != _server(self.redis_url):
            raise ValueError(
                "DRAMATIQ_BROKER_URL: must be on the server of REDIS_URL (another database number will do), "
                "since a job and its message are written in one transaction"
            )
        return self


def variables() -> dict[str, str]:
    """The environment variable of every setting, with the setting's name."""
    found = {}
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        for variable in alias.choices if isinstance(alias, AliasChoices) else [alias]:
            found[str(variable)] = name
    return found


def misspelt_settings() -> dict[str, list[str]]:
    """Variables that are set, look like a setting and are none, with those that may be meant."""
    known = variables()
    strange = (name for name in os.environ if name.startswith("PY_") and name not in known)
    close = {name: difflib.get_close_matches(name, known, n=2, cutoff=LIKENESS) for name in strange}
    return {name: names for name, names in close.items() if names}


def _keys_or_none(keys: dict[str, str]) -> dict[str, str]:
    """The keys; without them, the word that requests are not to be signed."""
    return keys if all(keys.values()) else {"skip_signature": "true"}


def _kept_secret(state_path: Path) -> str:
    """The secret made for this machine, made now if there is none yet."""
    place = state_path / "secret"
    if not place.exists():
        state_path.mkdir(parents=True, exist_ok=True)
        place.touch(mode=0o600)
        place.write_text(secrets.token_urlsafe(48))
    return place.read_text().strip()


def _directory_to_be(path: Path) -> Path:
    if path.exists() and not path.is_dir():
        raise ValueError(f"must be a directory, there already or not; {path} is something else")
    return path


def _names_a_database(url: str) -> bool:
    """Whether a Redis URL is one, and the number of its database, where it gives one, is a number."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  raises where it is none
    except ValueError:
        return False
    on_disk = parts.scheme == "unix"
    number = dict(parse_qsl(parts.query)).get("db", "" if on_disk else parts.path.strip("/"))
    return (parts.scheme in {"redis", "rediss"} or (on_disk and bool(parts.path))) and (
        number.isdecimal() or not number
    )


def _server(url: str) -> tuple[str, ...]:
    """What a Redis URL says but for the database: where the server is and how to reach it."""
    parts = urlsplit(url)
    path = parts.path if parts.scheme == "unix" else ""
    return parts.scheme, parts.netloc, path


def _explained(settings: type[_Environment], error: ErrorDetails) -> str:
    """The environment variable that an error is about, and what is wrong with it."""
    message = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:  # a check of several settings names its own
        return message
    place = str(error["loc"][0])
    field = settings.model_fields.get(place)
    return f"{field.validation_alias if field else place}: {message}"

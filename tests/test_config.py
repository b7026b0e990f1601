from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest
from pydantic import AliasChoices, SecretStr

from airpy.config import Credentials, Settings, SettingsError

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment in which the service starts, and nothing else of ours in it."""
    for name in list(os.environ):
        if name.startswith("PY_") or name in {"REDIS_URL", "DRAMATIQ_BROKER_URL", "CELERY_BROKER_URL"}:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PY_AUTH_SECRET", SECRET)
    monkeypatch.setenv("PY_BASE_PATH", str(tmp_path))


def test_the_rest_of_the_settings_need_not_be_given() -> None:
    settings = Settings.from_env()

    assert settings.model_dump(exclude={"auth_secret", "base_path"}) == {
        "environment": "production",
        "state_path": Path(".airpy"),
        "results_path": Path(".airpy/results"),
        "allowed_ext": (".csv", ".parquet", ".jsonl"),
        "cloud_prefixes": (),
        "redis_url": "redis://localhost:6379/0",
        "broker_url": "redis://localhost:6379/0",
        "max_rows_json": 50_000,
        "infer_rows": 20_000,
        "s3_endpoint_url": "",
        "s3_region": "us-east-1",
        "s3_access_key_id": "",
        "s3_secret_access_key": SecretStr(""),
        "gs_endpoint_url": "",
        "gs_service_account_key": SecretStr(""),
        "az_endpoint_url": "",
        "az_account_name": "",
        "az_account_key": SecretStr(""),
        "memory_mb": 2048,
        "workers": 2,
        "timeout_s": 90,
        "job_timeout_s": 1200,
        "job_ttl_s": 86_400,
        "max_queued_jobs": 1000,
        "max_attempts": 3,
        "cache_mb": 1024,
        "cache_ttl_s": 86_400,
        "copies_mb": 10_240,
        "max_join_rows": 1_000_000_000,
        "max_body_mb": 64,
        "docs": True,
        "log_format": "json",
    }
    assert settings.secret == SECRET


def test_every_setting_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    given = {
        "PY_BASE_PATH": str(tmp_path / "data"),
        "PY_RESULTS_PATH": "/var/lib/airpy",
        "PY_STATE_PATH": "state",
        "PY_ENV": "dev",
        "PY_ALLOWED_EXT": " .CSV, .jsonl ,",
        "PY_CLOUD_PREFIXES": "s3://one/energy, gs://two/",
        "REDIS_URL": "redis://:pass@redis:6380/4",
        "DRAMATIQ_BROKER_URL": "redis://:pass@redis:6380/5",
        "CELERY_BROKER_URL": "redis://:pass@redis:6380/6",
        "PY_MAX_ROWS_JSON": "10",
        "PY_INFER_ROWS": "0",
        "PY_S3_ENDPOINT_URL": "http://minio:9000/",
        "PY_S3_REGION": "eu-central-1",
        "PY_S3_ACCESS_KEY_ID": "key",
        "PY_S3_SECRET_ACCESS_KEY": "hunter2",
        "PY_GS_ENDPOINT_URL": "https://storage.example.com",
        "PY_GS_SERVICE_ACCOUNT_KEY": '{"private_key": "hunter2"}',
        "PY_AZ_ENDPOINT_URL": "https://blobs.example.com",
        "PY_AZ_ACCOUNT_NAME": "account",
        "PY_AZ_ACCOUNT_KEY": "hunter2",
        "PY_MEMORY_MB": "512",
        "PY_WORKERS": "8",
        "PY_TIMEOUT_S": "1.5",
        "PY_JOB_TIMEOUT_S": "60",
        "PY_JOB_TTL_S": "3600",
        "PY_MAX_QUEUED_JOBS": "5",
        "PY_MAX_ATTEMPTS": "1",
        "PY_CACHE_MB": "0",
        "PY_CACHE_TTL_S": "60",
        "PY_COPIES_MB": "20",
        "PY_MAX_JOIN_ROWS": "5",
        "PY_MAX_BODY_MB": "2",
        "PY_DOCS": "false",
        "PY_LOG_FORMAT": "text",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    settings = Settings.from_env()

    assert settings.model_dump(exclude={"auth_secret"}) == {
        "environment": "dev",
        "base_path": tmp_path / "data",
        "state_path": Path("state"),
        "results_path": Path("/var/lib/airpy"),
        "allowed_ext": (".csv", ".jsonl"),
        "cloud_prefixes": ("s3://one/energy/", "gs://two/"),
        "redis_url": "redis://:pass@redis:6380/4",
        "broker_url": "redis://:pass@redis:6380/5",
        "max_rows_json": 10,
        "infer_rows": 0,
        "s3_endpoint_url": "http://minio:9000",
        "s3_region": "eu-central-1",
        "s3_access_key_id": "key",
        "s3_secret_access_key": SecretStr("hunter2"),
        "gs_endpoint_url": "https://storage.example.com",
        "gs_service_account_key": SecretStr('{"private_key": "hunter2"}'),
        "az_endpoint_url": "https://blobs.example.com",
        "az_account_name": "account",
        "az_account_key": SecretStr("hunter2"),
        "memory_mb": 512,
        "workers": 8,
        "timeout_s": 1.5,
        "job_timeout_s": 60,
        "job_ttl_s": 3600,
        "max_queued_jobs": 5,
        "max_attempts": 1,
        "cache_mb": 0,
        "cache_ttl_s": 60,
        "copies_mb": 20,
        "max_join_rows": 5,
        "max_body_mb": 2,
        "docs": False,
        "log_format": "text",
    }


def test_the_specifications_broker_variable_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://localhost:6379/1")

    assert Settings.from_env().broker_url == "redis://localhost:6379/1"


def test_the_queue_is_beside_the_records_when_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "unix:///run/redis.sock?db=3")

    assert Settings.from_env().broker_url == "unix:///run/redis.sock?db=3"


WRONG = {
    "PY_ENV": ["prod", "DEV"],
    "PY_AUTH_SECRET": ["", "short", SECRET[:31]],
    "PY_STATE_PATH": ["/dev/null"],
    "PY_BASE_PATH": ["/nowhere/at/all", "/dev/null", ""],
    "PY_RESULTS_PATH": ["/dev/null"],
    "PY_ALLOWED_EXT": [".exe", ".csv,.xlsx", "csv", ","],
    "PY_CLOUD_PREFIXES": ["http://example.com/", "s3://", "energy", "s3:/bucket", "file:///etc/"],
    "REDIS_URL": [
        "localhost:6379",
        "http://localhost:6379",
        "redis://localhost:port/0",
        "redis://localhost/zero",
        "redis://[::1/0",
        "redis://localhost?db=-1",
        "unix://",
    ],
    "DRAMATIQ_BROKER_URL": ["localhost", "redis://elsewhere:6379/0", "redis://localhost:6379/x"],
    "PY_MAX_ROWS_JSON": ["0", "-1", "1000001", "many", "1.5"],
    "PY_S3_ENDPOINT_URL": ["minio:9000", "ftp://minio", "https://", "https://user:hunter2@minio"],
    "PY_S3_REGION": ["EU", "a b"],
    "PY_S3_ACCESS_KEY_ID": ["without its secret"],
    "PY_S3_SECRET_ACCESS_KEY": ["without its key"],
    "PY_GS_ENDPOINT_URL": ["storage"],
    "PY_GS_SERVICE_ACCOUNT_KEY": ["/path/to/key.json"],
    "PY_AZ_ENDPOINT_URL": ["blobs"],
    "PY_AZ_ACCOUNT_NAME": ["An account"],
    "PY_AZ_ACCOUNT_KEY": ["without its account"],
    "PY_INFER_ROWS": ["-1", "1000000001", "all"],
    "PY_MEMORY_MB": ["63", "0", "16777217", "2G"],
    "PY_WORKERS": ["0", "-2", "257", "two"],
    "PY_TIMEOUT_S": ["0", "-1", "nan", "inf", "1e9", "soon"],
    "PY_JOB_TIMEOUT_S": ["0", "-1", "nan", "inf", "1e9", "soon"],
    "PY_JOB_TTL_S": ["0", "-1", "1e9", "99999999999999999999", "a day"],
    "PY_MAX_QUEUED_JOBS": ["0", "-1", "10000001", "many"],
    "PY_MAX_ATTEMPTS": ["0", "101", "x"],
    "PY_MAX_JOIN_ROWS": ["0", "-1", "1000000000000001", "1.5"],
    "PY_MAX_BODY_MB": ["0", "4097", "x"],
    "PY_CACHE_MB": ["-1", "16777217", "x"],
    "PY_CACHE_TTL_S": ["0", "1e9", "x"],
    "PY_COPIES_MB": ["-1", "16777217", "x"],
    "PY_DOCS": ["maybe", "2"],
    "PY_LOG_FORMAT": ["xml", "JSON"],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as caught:
        Settings.from_env()

    assert re.match(rf"{name}: \S", str(caught.value))
    assert len(str(caught.value).splitlines()) == 1


def test_every_setting_has_a_wrong_value_here() -> None:
    aliases = [field.validation_alias for field in Settings.model_fields.values()]

    names = {alias.choices[0] if isinstance(alias, AliasChoices) else alias for alias in aliases}

    assert names == set(WRONG)


def test_all_that_is_wrong_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PY_WORKERS", "none")
    monkeypatch.setenv("PY_DOCS", "perhaps")

    with pytest.raises(SettingsError) as caught:
        Settings.from_env()

    assert sorted(line.partition(":")[0] for line in str(caught.value).splitlines()) == [
        "PY_DOCS",
        "PY_WORKERS",
    ]


def test_storage_is_reached_by_settings_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an endpoint, and the word to sign nothing where no keys are set: a client looks for them else."""
    without = Settings.from_env()
    monkeypatch.setenv("PY_S3_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("PY_S3_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("PY_S3_REGION", "eu-central-1")
    signed = Settings.from_env()

    assert without.storage["s3"] == {
        "endpoint": "https://s3.us-east-1.amazonaws.com",
        "region": "us-east-1",
        "skip_signature": "true",
    }
    assert all(settings["skip_signature"] == "true" for settings in without.storage.values())
    assert signed.storage["s3"] == {
        "endpoint": "https://s3.eu-central-1.amazonaws.com",
        "region": "eu-central-1",
        "access_key_id": "key",
        "secret_access_key": "hunter2",
    }
    assert "hunter2" not in repr(signed)


def test_what_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PY_WORKERS", "REDIS_URL", "PY_RESULTS_PATH", "PY_CLOUD_PREFIXES", "PY_DOCS"):
        monkeypatch.setenv(name, "")

    settings = Settings.from_env()

    assert settings.workers == 2
    assert settings.redis_url == "redis://localhost:6379/0"
    assert settings.results_path == Path(".airpy/results")


def test_a_base_path_set_to_nothing_is_not_the_current_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PY_BASE_PATH", "")

    with pytest.raises(SettingsError, match="PY_BASE_PATH: must be an existing directory"):
        Settings.from_env()


@pytest.mark.parametrize(
    "name",
    [
        "PY_AUTH_SECRET",
        "REDIS_URL",
        "DRAMATIQ_BROKER_URL",
        "PY_S3_SECRET_ACCESS_KEY",
        "PY_GS_SERVICE_ACCOUNT_KEY",
        "PY_AZ_ACCOUNT_KEY",
    ],
)
def test_no_message_repeats_a_secret(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "hunter2")

    with pytest.raises(SettingsError) as caught:
        Settings.from_env()

    assert name in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_settings_do_not_show_the_secret() -> None:
    assert SECRET not in repr(Settings.from_env())


def test_a_secret_of_32_bytes_is_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PY_AUTH_SECRET", "ü" * 16)

    assert Settings.from_env().secret == "ü" * 16


def test_development_takes_a_short_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PY_AUTH_SECRET", "short")
    monkeypatch.setenv("PY_ENV", "dev")

    assert Settings.from_env().secret == "short"


def test_development_makes_a_secret_and_keeps_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PY_AUTH_SECRET")
    monkeypatch.setenv("PY_ENV", "dev")
    monkeypatch.setenv("PY_STATE_PATH", str(tmp_path / "new" / "state"))

    first, second = Settings.from_env().secret, Credentials.from_env().secret

    kept = tmp_path / "new" / "state" / "secret"
    assert first == second == kept.read_text()
    assert len(first) >= 32
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_two_machines_make_different_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PY_AUTH_SECRET")
    monkeypatch.setenv("PY_ENV", "dev")
    secrets = set()
    for machine in ("one", "two"):
        monkeypatch.setenv("PY_STATE_PATH", str(tmp_path / machine))
        secrets.add(Settings.from_env().secret)

    assert len(secrets) == 2


def test_production_makes_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PY_AUTH_SECRET")

    with pytest.raises(SettingsError, match="PY_AUTH_SECRET: must be set"):
        Settings.from_env()

    assert not (tmp_path / ".airpy").exists()


def test_an_override_that_is_wrong_is_named_by_its_variable() -> None:
    with pytest.raises(SettingsError, match="PY_ENV: "):
        Credentials.from_env(environment="prod")


def test_settings_do_not_change() -> None:
    settings = Settings.from_env()

    with pytest.raises(ValueError, match="frozen"):
        settings.workers = 3

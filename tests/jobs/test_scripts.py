from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import pytest
from redis.exceptions import ResponseError

from airpy.jobs import scripts
from airpy.jobs.scripts import dead_key, flat, job_key, load, run
from tests.jobs.asking import get, submit, take

if TYPE_CHECKING:
    import redis

NAMES = sorted(
    file.name.removesuffix(".lua")
    for file in (resources.files("airpy.jobs") / "lua").iterdir()
    if file.name not in {"prelude.lua", "__init__.py"}
)


@pytest.mark.parametrize("name", NAMES)
def test_redis_understands_each_script(client: redis.Redis, name: str) -> None:
    assert client.script_load(load(name).source) == load(name).digest


def test_only_scripts_that_take_in_more_are_refused_by_a_full_redis() -> None:
    needing = [name for name in NAMES if "allow-oom" not in load(name).source.partition("\n")[0]]

    assert needing == ["remember", "submit"]


def test_scripts_are_loaded_again_when_redis_has_forgotten_them(redis_url: str, client: redis.Redis) -> None:
    client.script_flush()
    token = submit(redis_url)
    client.script_flush()
    claim = take(client)
    client.script_flush()

    assert claim.complete("1-1", None)
    assert get(redis_url, token).status == "completed"


def test_a_scripts_own_error_is_no_reason_to_run_it_again(client: redis.Redis) -> None:
    with pytest.raises(ResponseError):
        run(client, "step")


def test_keys_are_named_for_their_tokens() -> None:
    assert (job_key(7), dead_key(7)) == ("airpy:job:7", "airpy:dead:7")


def test_every_key_a_script_uses_is_explained() -> None:
    folder = resources.files("airpy.jobs") / "lua"
    used = {
        word
        for name in [*NAMES, "prelude"]
        for word in (folder / f"{name}.lua").read_text().split("'")
        if word.startswith("airpy:")
    }

    assert used
    assert all(key.rstrip(":") in str(scripts.__doc__) for key in used)


def test_names_and_values_are_told_in_turn_and_what_is_none_is_left_out() -> None:
    assert flat({"a": 1, "b": None, "c": ""}) == ["a", 1, "c", ""]

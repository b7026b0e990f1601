"""The documentation page in a real browser, on a service with the sample data: every example is executed."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import pytest

from airpy.demo import QUERY, make_energy_data
from airpy.web.spec import internal, load, operations
from tests.conftest import fresh
from tests.e2e.browser import Page, chromium
from tests.service import Service, kill_child_of, running_service, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium import webdriver

pytestmark = pytest.mark.e2e


class Example(NamedTuple):
    """An operation's request as the page fills it in."""

    operation: str
    place: str
    name: str
    promised: int
    """The status of the operation's own answer."""


def examples() -> Iterator[Example]:
    """Every example of every operation; one for an operation without a body, whose parameters have values."""
    for operation in operations(internal(load())):
        definition = operation.definition
        place = f"#/{definition['tags'][-1].replace(' ', '%20')}/{operation.id.replace('_', '-')}"
        statuses = {int(status) for status in definition["responses"] if status != "default"}
        promised = 202 if 202 in statuses else min(statuses)  # the 200 beside it is of a dry run
        content = definition.get("requestBody", {}).get("content", {}).get("application/json", {})
        for name in content.get("examples", [""]):
            yield Example(operation.id, place, name, promised)


EXAMPLES = {f"{example.operation} {example.name}".strip(): example for example in examples()}
REFUSED = {
    "discover_files base_path": (400, "PATH_REFUSED"),
    "infer_schema base_path": (400, "PATH_REFUSED"),
    "preview_file base_path": (400, "PATH_REFUSED"),
    "get_dead_letter": (404, "NO_DEAD_LETTER"),
    "drop_dead_letter": (404, "NO_DEAD_LETTER"),
    "requeue_dead_letter": (404, "NO_DEAD_LETTER"),
}
"""Examples for another base path, and for dead letters, of which the sample data has none."""
SHOWN = {
    "discover_files folder": '"message": "File discovery job started"',
    "infer_schema directory": '"message": "Schema inference job started"',
    "preview_file parquet": '"total_rows": 18000',
    "preview_file text": '"region": "north"',
    "run_query daily": '"message": "Query execution job started"',
    "analyze_frame plan": '"message": "Analysis job started"',
    "list_jobs": '"datasource_id": "energy-files"',
    "get_job": '"kwh_sum": 240',
    "cancel_job": '"status": "completed"',
    "stream_job_events": '"step":"query_complete"',
    "download_job": "Download file",
    "list_dead_letters": '"dead_letters": []',
    "get_health": '"status": "ok"',
    "get_limits": '"accepting": true',
    "get_metrics": "# TYPE airpy_jobs_ended_total counter",
}
"""What the answer shows, among other things: site 1 used 240 kWh on Monday, 1 September 2025."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, databases: Iterator[str]) -> Iterator[Service]:
    """A service with the sample data, whose job 1 was the sample query, as `make run` has it."""
    base = tmp_path_factory.mktemp("base")
    make_energy_data(base)
    url = fresh(next(databases))
    with running_service(tmp_path_factory.mktemp("service"), base, url, PY_MAX_ATTEMPTS="1") as service:
        service.data("query", QUERY)
        yield service


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the browser's profile, with what it saves."""
    return tmp_path_factory.mktemp("profile")


@pytest.fixture(scope="module")
def browser(profile: Path) -> Iterator[webdriver.Chrome]:
    """One browser for the module."""
    with chromium(profile) as browser:
        yield browser


@pytest.fixture(scope="module")
def authorised(browser: webdriver.Chrome, service: Service) -> Page:
    """The page, which has been given a token."""
    page = Page(browser, service.url)
    page.asked()  # what the browser's own first page was made of
    page.open()
    page.authorize(service.token())
    return page


@pytest.fixture
def page(authorised: Page) -> Iterator[Page]:
    """The page; in the end nothing was wrong, and nobody else was asked."""
    yield authorised
    assert authorised.complaints() == []
    asked = authorised.asked()
    assert f"{authorised.url}/v1/py/openapi.json" in asked
    assert {url for url in asked if not url.startswith(f"{authorised.url}/v1/py/")} == set()


@pytest.fixture
def new_tab(page: Page) -> Iterator[Page]:
    """The page in another tab of the browser."""
    own = page.browser.current_window_handle
    page.browser.switch_to.new_window("tab")
    yield page
    page.browser.close()
    page.browser.switch_to.window(own)


@pytest.fixture
def dead_letter(service: Service) -> int:
    """The token of a job that has just killed what ran it."""
    pl.DataFrame({"one": [1] * 20_000}).write_parquet(service.base / "_poison.parquet")
    plan = {
        "dataset": "_poison.parquet",
        "joins": [{"dataset": "_poison.parquet", "on": ["one"]}],
        "aggs": [{"col": "one", "fn": "sum"}],
    }
    token = service.submit("query", {"datasource_id": "poison", "plan": plan})
    kill_child_of(service, token, signal.SIGSEGV)
    assert service.wait(token)["status"] == "failed"
    return token


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_answered_as_promised(page: Page, service: Service, name: str) -> None:
    example = EXAMPLES[name]
    for token in _dead(service):
        service.call("DELETE", f"dead-letters/{token}")

    page.open(example.place)
    if example.name:
        page.choose(example.name)
    answer = page.execute()

    status, reason = REFUSED.get(name, (example.promised, None))
    assert answer.status == status
    if reason is not None:
        assert f'"reason": "{reason}"' in answer.body
    else:
        assert "Request duration" in answer.text
    if status == 202:
        started = json.loads(_json(answer.body))
        assert service.wait(started["token"])["status"] == "completed"
    assert SHOWN.get(name, "") in answer.body


def test_every_operation_is_tried() -> None:
    ids = {operation.id for operation in operations(internal(load()))}

    assert {example.operation for example in EXAMPLES.values()} == ids
    assert REFUSED.keys() | SHOWN.keys() <= EXAMPLES.keys()


def test_a_query_is_followed_to_its_rows(page: Page) -> None:
    page.open(EXAMPLES["run_query joined"].place)
    page.choose("joined")
    started = json.loads(_json(page.execute().body))
    page.open(EXAMPLES["get_job"].place)
    page.fill("token", started["token"])
    page.fill("wait", 30)
    page.fill("since", 5)
    job = json.loads(_json(page.execute().body))
    page.open(EXAMPLES["stream_job_events"].place)
    page.fill("token", started["token"])
    events = page.execute()

    assert job["status"] == "completed"
    # Odd sites are in the north: 13 of 25, the even ones in the south.
    assert {(row["region"], row["sites"]) for row in job["data"]["rows"]} == {("north", 13), ("south", 12)}
    assert [row["kwh"] for row in job["data"]["rows"]] == sorted(
        (row["kwh"] for row in job["data"]["rows"]), reverse=True
    )
    assert '"status":"completed"' in events.body


def test_a_frame_is_saved_byte_by_byte(page: Page, service: Service, profile: Path) -> None:
    saved = profile / "saved" / "job-1.arrows"
    page.open(EXAMPLES["download_job"].place)
    page.execute()

    page.press(".live-responses-table a[download]")

    wait_until(saved.exists)
    assert saved.read_bytes() == service.get("jobs/1/download").content


def test_a_dead_letter_is_shown_asked_again_and_dropped(
    page: Page, service: Service, dead_letter: int
) -> None:
    answers = {}
    for operation in ("list_dead_letters", "get_dead_letter", "requeue_dead_letter", "drop_dead_letter"):
        page.open(EXAMPLES[operation].place)
        if operation != "list_dead_letters":
            page.fill("token", dead_letter)
        answers[operation] = page.execute()
    again = json.loads(_json(answers["requeue_dead_letter"].body))["token"]
    service.call("DELETE", f"jobs/{again}")

    assert f'"token": {dead_letter}' in answers["list_dead_letters"].body
    assert '"exit_signal": "SIGSEGV"' in answers["get_dead_letter"].body
    assert [answer.status for answer in answers.values()] == [200, 200, 202, 404]
    assert again > dead_letter


def test_a_token_is_kept_while_the_page_is_loaded_anew(page: Page) -> None:
    assert [limits_status(page), limits_status(page)] == [200, 200]


def test_a_token_is_kept_in_no_other_tab_and_not_after_a_logout(new_tab: Page, service: Service) -> None:
    without = limits_status(new_tab)
    new_tab.authorize(service.token())
    within = limits_status(new_tab)
    new_tab.log_out()
    after = limits_status(new_tab)

    assert (without, within, after) == (401, 200, 401)


def limits_status(page: Page) -> int:
    """The status that the page shows for a request of the limits."""
    page.open(EXAMPLES["get_limits"].place)
    return page.execute().status


def test_operations_stand_in_groups_once_each_and_schemas_are_folded(page: Page) -> None:
    page.open()

    contract = internal(load())
    groups = [tag["name"] for tag in contract["tags"] if tag["name"] not in {"internal", "python"}]
    assert page.told(".opblock-tag", "data-tag") == groups
    paths = sorted(operation.path for operation in operations(contract))
    assert sorted(page.told(".opblock-summary-path", "data-path")) == paths
    assert page.told(".models h4 button", "aria-expanded") == ["false"]


@pytest.mark.parametrize(
    ("phrase", "paths"),
    [
        ("download", ["/v1/py/jobs/{token}/download"]),
        ("Infer_Schema", ["/v1/py/infer_schema"]),
        ("prometheus", ["/v1/py/metrics"]),
        ("service", ["/v1/py/health", "/v1/py/limits", "/v1/py/metrics"]),
        ("nothing has this", []),
    ],
)
def test_the_filter_finds_what_stands_in_a_line(page: Page, phrase: str, paths: list[str]) -> None:
    page.open()
    field = page.one(".operation-filter-input")
    field.send_keys(phrase)

    wait_until(lambda: page.told(".opblock-summary-path", "data-path") == paths)
    assert field.get_attribute("placeholder") == "Filter by path, summary or group"


def test_the_page_is_as_wide_as_a_narrow_window(page: Page) -> None:
    for width in (1280, 420):
        page.browser.set_window_size(width, 900)
        page.open()
        script = "return [document.documentElement.scrollWidth, window.innerWidth]"
        needed, there = page.browser.execute_script(script)
        assert needed <= there
    page.browser.set_window_size(1280, 900)


def _dead(service: Service) -> list[int]:
    return [letter["token"] for letter in service.get("dead-letters").json()["dead_letters"]]


def _json(shown: str) -> str:
    """The JSON of an answer as it is shown, between a heading and the buttons beside it."""
    return shown[shown.index("{") : shown.rindex("}") + 1]

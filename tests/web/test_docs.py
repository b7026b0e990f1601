from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx2
import pytest

from airpy.app import create_app
from airpy.config import Settings
from airpy.web.spec import internal, load
from tests.service import SECRET
from tests.web.asgi import ask

if TYPE_CHECKING:
    from pathlib import Path

    from tests.service import Service

PAGE = "/v1/py/docs"


def get(service: Service, path: str, **headers: str) -> httpx2.Response:
    """The answer to a request without a token, redirects not followed."""
    return httpx2.get(f"{service.url}{path}", headers=headers)


def parts(service: Service) -> list[str]:
    """The paths that the page names in its links and scripts."""
    return re.findall(r'(?:href|src)="([^"]+)"', get(service, PAGE).text)


def test_the_contract_is_served_as_it_is_filtered(service: Service) -> None:
    answer = get(service, "/v1/py/openapi.json")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == internal(load())


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/"])
def test_the_page_is_open_with_and_without_a_slash(service: Service, path: str) -> None:
    answer = get(service, path)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_page_may_load_from_here_alone_and_runs_no_script_in_its_text(service: Service) -> None:
    answer = get(service, PAGE)

    policy = dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert not re.search(r"<style|<script>|style=|onclick=|https?:", answer.text)


def test_everything_that_the_page_names_is_there(service: Service) -> None:
    named = parts(service)

    assert len(named) >= 6
    for path in named:
        assert get(service, path).status_code == 200, path
    kinds = {path.rpartition(".")[2]: get(service, path).headers["content-type"] for path in named}
    assert kinds == {
        "svg": "image/svg+xml",
        "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8",
        "json": "application/json",
    }


def test_what_has_not_changed_is_not_sent_again(service: Service) -> None:
    for path in [PAGE, *parts(service)]:
        first = get(service, path)

        second = get(service, path, **{"If-None-Match": first.headers["etag"]})

        assert (second.status_code, second.content) == (304, b""), path
        assert second.headers["etag"] == first.headers["etag"]
        assert get(service, path, **{"If-None-Match": '"another"'}).status_code == 200


def test_swagger_ui_is_a_current_one(service: Service) -> None:
    script = get(service, f"{PAGE}/swagger-ui.js").text

    assert re.search(r'PACKAGE_VERSION:"5\.', script)


@pytest.mark.parametrize("path", ["swagger.html", "page.html", "nothing", "../docs.py", "swagger-ui.js/"])
def test_nothing_else_is_under_the_page(service: Service, path: str) -> None:
    assert get(service, f"{PAGE}/{path}").status_code == 404


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/", f"{PAGE}/page.js", "/v1/py/openapi.json"])
@pytest.mark.parametrize(("docs", "status"), [(True, 200), (False, 404)])
def test_the_page_can_be_switched_off(tmp_path: Path, path: str, status: int, *, docs: bool) -> None:
    settings = Settings.from_env(
        auth_secret=SECRET, base_path=tmp_path, results_path=tmp_path, state_path=tmp_path, docs=docs
    )

    answer = ask(create_app(settings), path)

    assert answer.status_code == status
    if status == 404:
        assert answer.json()["error"]["details"]["reason"] == "NOT_FOUND"

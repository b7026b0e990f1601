"""Runs every block of code in the pages.

The word after a block's language says what becomes of it: `json` is followed by the schema in the contract
that it is valid by, and what no test can run is `not-run`. Blocks of one page run in one shell, in order, as
a reader pastes them.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.docs.markdown import PAGES, blocks
from tests.second_opinion import check_schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.docs.markdown import Block
    from tests.service import Service

BLOCKS = [block for page in PAGES for block in blocks(page)]
HERE = "http://127.0.0.1:9001"
"""Where the pages have the service."""

NOT_RUN = {
    ("README.md", "make run"): "stays up until Ctrl-C",
    ("README.md", "export PY_AUTH_SECRET"): "builds an image",
    ("docs/getting-started.md", "make run"): "stays up until Ctrl-C",
    ("docs/getting-started.md", "PY_BASE_PATH="): "stays up until Ctrl-C",
}
"""Blocks that no test runs, by their page and how they begin, and why."""

SHOWN = {"", "text", "{toctree}"}
"""Languages of what is only looked at: diagrams, listings, the list of pages."""

PRELUDE = """
set -euo pipefail
curl() { command curl --fail-with-body "$@"; }
export AUTH="Authorization: Bearer $(.venv/bin/airpy token)" URL=http://127.0.0.1:9001/v1/py
"""
"""A page's first block may set them again; that of another page need not."""

BOUND_S = 300


@pytest.fixture(scope="session")
def desk(demo: Service, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to paste blocks in, as the project's own: its `.venv/bin/airpy` talks to the service.

    As after `make run`, the sample data lie in it.
    """
    folder = tmp_path_factory.mktemp("desk")
    shutil.copytree(demo.base, folder / ".airpy" / "data")
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    ask = f'case "$1" in jobs|dead|health) set -- "$@" --url {demo.url} ;; esac'
    for name, line in {
        "airpy": f'{ask}\nexec {sys.executable} -m airpy "$@"',
        "python": f'exec {sys.executable} "$@"',
    }.items():
        program = programs / name
        program.write_text(f"#!/bin/sh\n{line}\n", "utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return folder


def runnable(page: str) -> list[Block]:
    """The blocks of a page that are run, in order."""
    return [
        block
        for block in BLOCKS
        if block.page == page and block.language in {"sh", "python"} and not block.claim
    ]


def curl_knows_json() -> bool:
    """Whether there is a curl that has `--json`, as from 7.82 on."""
    curl = shutil.which("curl")
    return (
        curl is not None
        and "--json"
        in subprocess.run([curl, "--help", "all"], capture_output=True, text=True, check=True).stdout
    )


@pytest.mark.e2e
@pytest.mark.skipif(not curl_knows_json(), reason="the pages are written for curl 7.82 or later")
@pytest.mark.parametrize("page", [page for page in PAGES if runnable(page)])
def test_the_blocks_of_a_page_run_in_order(page: str, demo: Service, desk: Path) -> None:
    script = PRELUDE + "\n".join(lines_of(page))
    environment = demo.environment | {"PATH": f"{desk / '.venv' / 'bin'}:{os.environ['PATH']}"}

    ran = subprocess.run(
        ["/usr/bin/env", "bash", "-c", script.replace(HERE, demo.url)],
        cwd=desk,
        env=environment,
        capture_output=True,
        text=True,
        timeout=BOUND_S,
        check=False,
    )

    assert ran.returncode == 0, f"the block that was to run last failed:\n{ran.stderr}\n{ran.stdout}"
    assert '"status":"failed"' not in ran.stdout, ran.stdout


def lines_of(page: str) -> Iterator[str]:
    """The page's blocks as one script, which tells where it is."""
    for block in runnable(page):
        yield f"echo '── {page}:{block.line}' >&2"
        yield block.text if block.language == "sh" else f".venv/bin/python - <<'PYTHON'\n{block.text}PYTHON"


@pytest.mark.parametrize(
    "block",
    [block for block in BLOCKS if block.language == "json"],
    ids=lambda block: f"{block.page}:{block.line}",
)
def test_a_block_of_json_is_what_it_says_it_is(block: Block) -> None:
    assert block.claim, "name the schema in the contract after the language, as in ```json Plan"
    check_schema(block.claim, json.loads(block.text))


def test_only_these_blocks_are_not_run() -> None:
    left_out = [block for block in BLOCKS if block.claim == "not-run"]
    found = {
        next(
            (known for known in NOT_RUN if known[0] == block.page and block.text.startswith(known[1])), block
        )
        for block in left_out
    }

    assert found == set(NOT_RUN)
    assert len(left_out) == len(NOT_RUN)


def test_every_block_is_of_a_language_that_is_run_or_only_shown() -> None:
    strange = [
        block for block in BLOCKS if block.language not in {"sh", "python", "json"} | SHOWN or unknown(block)
    ]

    assert not strange


def unknown(block: Block) -> bool:
    """Whether the word after the language says nothing that is known here."""
    return block.language != "json" and block.claim not in {"", "not-run"}

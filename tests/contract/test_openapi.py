"""Schemathesis: requests made from the contract, right and wrong, to every operation and along its links."""

from __future__ import annotations

import io
import signal
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from airpy.web.spec import internal, load
from tests.service import kill_child_of

if TYPE_CHECKING:
    from pathlib import Path

    from schemathesis import Case, CheckContext, Response

    from tests.service import Service


def streams() -> st.SearchStrategy[bytes]:
    """Arrow IPC streams, whole and broken off."""
    sink = io.BytesIO()
    table = pa.table({"kwh": [1.5, None], "site_id": ["a", "b"]})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    whole = sink.getvalue()
    return st.sampled_from([whole, whole[:-200], whole[:64]])


schemathesis.openapi.media_type("application/vnd.apache.arrow.stream", streams())
schema = schemathesis.openapi.from_dict(internal(load()))
limits = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # others run the examples, and to pick them out of recursive plans takes minutes
    suppress_health_check=list(HealthCheck),
)

# What no schema can say of an analysis: each part may be fine, and not with the others.
TOGETHER = {"frame_ref", "datasource_id", "read", "query.job_kind", "query.options"}
TOGETHER |= {f"baseline.{field}" for field in ("frame_ref", "datasource_id", "read")}


def a_valid_request_is_not_refused_by_the_schema(
    _context: CheckContext, response: Response, case: Case[Any]
) -> bool | None:
    """Our validator and schemathesis' agree on what is valid."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != 400:
        return None
    details = response.json()["error"]["details"]
    assert details["reason"] != "MALFORMED_BODY", response.text
    assert details["reason"] != "SCHEMA_VIOLATION" or details["field"] in TOGETHER, response.text
    return None


CHECKS: list[Any] = [a_valid_request_is_not_refused_by_the_schema]


def call_arguments(service: Service) -> dict[str, Any]:
    return {"base_url": service.url, "headers": {"Authorization": f"Bearer {service.token()}"}}


@pytest.fixture(scope="module", autouse=True)
def _dead_letters(service: Service, base: Path) -> None:
    """Two jobs whose processes were killed, so that there are dead letters to ask for."""
    pl.DataFrame({"one": [1] * 20_000}).write_parquet(base / "_poison.parquet")
    for column in ("first", "second"):
        plan = {
            "dataset": "_poison.parquet",
            "joins": [{"dataset": "_poison.parquet", "on": ["one"]}],
            "aggs": [{"col": "one", "fn": "sum", "as": column}],
        }
        token = service.submit("query", {"datasource_id": "poison", "plan": plan})
        for _ in range(3):
            kill_child_of(service, token, signal.SIGSEGV)
        service.wait(token)


@schema.parametrize()
@limits
def test_every_answer_is_one_that_the_contract_documents(service: Service, case: Case[Any]) -> None:
    case.call_and_validate(additional_checks=CHECKS, **call_arguments(service))


def test_tokens_lead_to_jobs_and_jobs_to_downloads(service: Service) -> None:
    class Workflow(schema.as_state_machine()):  # type: ignore[misc]
        """Follows the contract's links from a job's token."""

        def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
            del case
            return call_arguments(service)

        def validate_response(self, response: Response, case: Case[Any], **arguments: Any) -> None:
            super().validate_response(response, case, additional_checks=CHECKS, **arguments)

    Workflow.run(settings=settings(limits, stateful_step_count=6))

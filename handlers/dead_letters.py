"""GET /v1/py/dead-letters/… — shows the jobs that died, asks them again, or forgets them."""

from __future__ import annotations

from airpy.web.responses import Reply, dead_letter, job_started, json_document
from airpy.web.state import caller, state


async def list_dead_letters(limit: int = 100, cursor: int | None = None) -> Reply:
    """List the dead letters, the newest first."""
    letters, next_cursor = await state().store.dead_letters(cursor, limit)
    listed = [dead_letter(letter) for letter in letters]
    return json_document({"dead_letters": listed, "next_cursor": next_cursor})


async def get_dead_letter(token: int) -> Reply:
    """Show one dead letter."""
    return json_document(dead_letter(await state().store.dead_letter(token)))


async def drop_dead_letter(token: int) -> Reply:
    """Forget a dead letter, showing it for the last time."""
    store = state().store
    letter = await store.dead_letter(token)
    await store.drop_dead_letter(token)
    return json_document(dead_letter(letter))


async def requeue_dead_letter(token: int) -> Reply:
    """Start a new job with the dead letter's request."""
    here = state()
    new = await here.store.get(await here.jobs.resubmit(token, caller()))
    return job_started(new.kind, new.token)

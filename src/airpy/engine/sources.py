"""Prepares a data set that a plan joins or unites: cleaned, filtered and narrowed by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airpy.engine.cleaning import check_cleaning, cleaned
from airpy.engine.columns import Columns, repeated
from airpy.engine.filters import check_filters, filtered
from airpy.errors import InvalidPlan, listed

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from airpy.contract import Join, UnionedDataset
    from airpy.engine.columns import Frame

__all__ = ["check_prepared", "prepared"]


def check_prepared(part: Join | UnionedDataset, field: str) -> None:
    """Refuse what a data set's own `clean`, `filters` and `select` cannot say, whatever the data.

    Raises:
        InvalidPlan: One of them contradicts itself.
    """
    check_cleaning(part.clean or [], f"{field}.clean")
    check_filters(part.filters or [], f"{field}.filters")
    if twice := repeated(part.select or []):
        raise InvalidPlan(
            f"a data set has a column once, and {listed(twice)} is selected twice",
            field=f"{field}.select",
            constraint="different names",
        )


def prepared(frame: Frame, part: Join | UnionedDataset, field: str, timezone: ZoneInfo) -> Frame:
    """The data set's rows after its own `clean` and `filters`, with the columns of its `select`.

    Args:
        frame: The data set as it was opened, under inner names.
        part: What the plan says of it.
        field: Where that stands in the plan, as in `plan.joins[0]`.
        timezone: Where times in its filters are that carry no offset.

    Raises:
        UnknownColumn: One of them names a column that the data set does not have.
        TypeMismatch: One of them asks of a column what its type cannot do.
    """
    frame = cleaned(frame, part.clean or [], f"{field}.clean")
    frame = filtered(frame, part.filters or [], timezone, f"{field}.filters")
    return frame.select(*Columns(frame).names(part.select, f"{field}.select")) if part.select else frame

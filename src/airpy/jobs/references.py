"""Finds the data sets that foreign keys of an analysis refer to, and opens them beside its frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airpy.errors import InvalidOptions
from airpy.files.datasets import find_dataset, looked_up
from airpy.files.holding import held
from airpy.files.scan import scan
from airpy.jobs.provenance import ran_over
from airpy.jobs.reading import Asked, Planned, read_through

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import TypeVar

    import polars as pl

    from airpy.contract import ForeignKeyRule, ReadOptions, Rule
    from airpy.engine.steps import OnStep
    from airpy.files.datasets import Dataset
    from airpy.files.paths import FileRoot
    from airpy.jobs.context import JobContext
    from airpy.jobs.provenance import Ran

    T = TypeVar("T")

__all__ = ["check_references", "with_references"]


def check_references(rules: Sequence[Rule], datasource_id: str | None, root: FileRoot) -> list[Dataset]:
    """The data sets of the foreign keys among the rules, in their order.

    Raises:
        InvalidOptions: It is not said in which data source one of them is.
        AirError: One of them cannot be found.
    """
    found = []
    for place, rule in _foreign_keys(rules):
        field, source = f"options.rules[{place}]", rule.datasource_id or datasource_id
        if source is None:
            raise InvalidOptions(
                "a foreign key needs to know its data source, and the request names none",
                field=f"{field}.datasource_id",
                constraint="required where the request has no datasource_id",
            )
        found.append(find_dataset(root, source, rule.dataset, f"{field}.dataset"))
    return found


def with_references(
    rules: Sequence[Rule],
    datasource_id: str | None,
    context: JobContext,
    consume: Callable[[Mapping[int, pl.LazyFrame], OnStep], T],
    on_step: OnStep,
) -> tuple[T, Ran | None]:
    """What is made of the data sets of the foreign keys, by the place of their rules; and what those were.

    Args:
        rules: Of any kind.
        datasource_id: Where data sets are of which a rule does not say it.
        context: What the job may use.
        consume: Makes it; of text files that turn out to be in no plain form, it is called once more.
        on_step: Is handed on to the first call.

    Raises:
        AirError: A data set cannot be read, or what `consume` raises.
    """
    keys = list(_foreign_keys(rules))
    if not keys:
        return consume({}, on_step), None
    asked = [
        Asked(
            looked_up(dataset, f"options.rules[{place}].dataset"), rule.read, f"/options/rules/{place}/read"
        )
        for dataset, (place, rule) in zip(
            check_references(rules, datasource_id, context.files), keys, strict=True
        )
    ]
    steps = [on_step]
    with context.scratch() as scratch, held([each.dataset for each in asked], scratch) as datasets:

        def opens(options: list[ReadOptions | None], *, careful: bool, on_step: OnStep) -> Planned:
            opened = [
                scan(
                    dataset,
                    how,
                    infer_rows=context.infer_rows,
                    scratch=scratch,
                    every_column=True,
                    careful=careful,
                    copied=True,
                )
                for dataset, how in zip(datasets, options, strict=True)
            ]
            steps[:] = [on_step]
            return Planned(opened[0].frame, opened)

        def consumed(planned: Planned) -> T:
            frames = [each.frame for each in planned.opened]
            return consume(dict(zip((place for place, _ in keys), frames, strict=True)), steps[0])

        done, planned = read_through(asked, opens, consumed, on_step)
        return done, ran_over(datasets, planned.opened)


def _foreign_keys(rules: Sequence[Rule]) -> Iterator[tuple[int, ForeignKeyRule]]:
    for place, rule in enumerate(rules):
        if rule.rule == "foreign_key":
            yield place, rule

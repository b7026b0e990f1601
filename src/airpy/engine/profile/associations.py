"""How columns hang together, by methods for numbers, categories and both: a table from name to measure.

Pearson's r is of all rows (`pairs.py`); the others are of a sample of rows, which is all of them while they
are few. A pair is measured over the rows in which neither is null or NaN.
"""

from __future__ import annotations

import math
from itertools import combinations, permutations, product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from airpy.contract import Association
from airpy.engine.encoding import ARROW
from airpy.engine.profile.measuring import numbers_of
from airpy.engine.profile.values import TEXTS, TIMES, run_starts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from airpy.contract import AssociationMethod
    from airpy.engine.profile.states import FrameState

    Measure = Callable[[NDArray[np.float64], NDArray[np.float64]], float]

__all__ = ["DEFAULT_METHODS", "associations", "correlations"]

DEFAULT_METHODS: tuple[AssociationMethod, ...] = (
    "pearson",
    "spearman",
    "cramers_v",
    "theils_u",
    "correlation_ratio",
)
MOST_NUMBERS, MOST_CATEGORIES = 24, 16
"""Columns of a kind that are compared; the first ones of more."""
MOST_KNOWN = 100
"""Different values of a category."""
MOST_COMPARED = 6_000_000
"""Values that are compared by one method, over all pairs; of more pairs, fewer rows are looked at."""
MOST_PAIRS = 100


class Columns(NamedTuple):
    """The columns that are compared, by name: of numbers, and of categories as their numbers."""

    numbers: dict[str, NDArray[np.float64]]
    categories: dict[str, NDArray[np.float64]]


def correlations(state: FrameState) -> list[tuple[str, str, float]]:
    """Pearson's r of every pair of numeric or temporal columns over all rows, strongest first.

    A pair is compared over the rows in which both are finite; a time counts as its number of ticks. Pairs in
    which a column does not vary have no correlation and are left out, as are columns after the 64th and pairs
    after the 100th.
    """
    return [(one, two, r) for one, two, r, _ in _by_pearson(state)][:MOST_PAIRS]


def associations(state: FrameState, methods: Sequence[AssociationMethod]) -> list[Association]:
    """How columns hang together by each of these methods, strongest first, at most 100 pairs of each."""
    columns = _columns(state)
    return [
        found
        for method in methods
        for found in (
            [Association(a=a, b=b, method=method, value=r, rows=rows) for a, b, r, rows in _by_pearson(state)]
            if method == "pearson"
            else _strongest(_measured(method, columns))
        )[:MOST_PAIRS]
    ]


def spearman(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Pearson's r of the ranks; equal values have their mean rank."""
    return _cosine(_ranked(x), _ranked(y))


def kendall(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Kendall's tau-b: pairs in the same order less those in the other, by those that no tie leaves open."""
    order = np.lexsort((y, x))
    a, b = (pl.Series(values[order]).rank("dense").to_numpy().astype(np.int64) for values in (x, y))
    every = math.comb(len(a), 2)
    tied_a, tied_b, tied = (_ties(values) for values in (a, b, a * (int(b.max(initial=0)) + 1) + b))
    if every in {tied_a, tied_b}:
        return math.nan
    agreeing_less_others = every - tied_a - tied_b + tied - 2 * _inversions(b)
    return agreeing_less_others / math.sqrt(every - tied_a) / math.sqrt(every - tied_b)


def cramers_v(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Cramér's V: the root of chi-squared by the greatest that it can be, without correction for bias."""
    table = _table(a, b)
    least = min(table.shape) - 1
    if least < 1:
        return math.nan
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    chi_squared = ((table - expected) ** 2 / expected).sum()
    return float(math.sqrt(chi_squared / table.sum() / least))


def theils_u(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Theil's uncertainty coefficient U(b | a): the share of the entropy of `b` that `a` takes away."""
    table = _table(a, b)
    uncertainty = _entropy(table.sum(axis=0))
    if uncertainty == 0:
        return math.nan
    left = _entropy(table.ravel()) - _entropy(table.sum(axis=1))
    return float(min(max((uncertainty - left) / uncertainty, 0.0), 1.0))


@np.errstate(over="ignore", invalid="ignore")
def correlation_ratio(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Eta: the root of the share of the variance of `b` that lies between the groups of `a`."""
    groups = a.astype(np.int64)
    sizes = np.bincount(groups)
    there = sizes > 0
    apart = b - b.mean()
    whole = float(apart @ apart)
    if there.sum() < 2 or whole == 0 or b.min() == b.max():  # noqa: PLR2004
        return math.nan
    between = float((np.bincount(groups, weights=apart)[there] ** 2 / sizes[there]).sum())
    return math.sqrt(min(between / whole, 1.0))


OF_NUMBERS: dict[AssociationMethod, Measure] = {"spearman": spearman, "kendall": kendall}
OF_CATEGORIES: dict[AssociationMethod, Measure] = {"cramers_v": cramers_v, "theils_u": theils_u}
ONE_WAY = {"theils_u"}
"""Of these, each way is a measure of its own."""
MEASURES = OF_NUMBERS | OF_CATEGORIES | {"correlation_ratio": correlation_ratio}


def _by_pearson(state: FrameState) -> list[tuple[str, str, float, int]]:
    """Pairs with r and the rows that have both, strongest first."""
    names = state.schema.names()
    r = state.pairs.correlations()
    found = [
        (names[state.paired[i]], names[state.paired[j]], float(r[i, j]), int(state.pairs.rows[i, j]))
        for i, j in combinations(range(len(state.paired)), 2)
        if math.isfinite(r[i, j])
    ]
    return sorted(found, key=lambda pair: -abs(pair[2]))


def _columns(state: FrameState) -> Columns:
    """The columns of the sample that vary, as numbers."""
    frame, schema = state.sample.rows, state.schema
    names, dtypes = schema.names(), schema.dtypes()  # each time anew, a list of all
    sizes = [column.distinct.size if column.distinct else 0 for column in state.columns]
    places = [place for place, size in enumerate(sizes) if size > 1]
    numbers = [place for place in places if dtypes[place].is_numeric() or isinstance(dtypes[place], TIMES)][
        :MOST_NUMBERS
    ]
    categories = [
        place
        for place in places
        if isinstance(dtypes[place], (*TEXTS, pl.Boolean)) and sizes[place] <= MOST_KNOWN
    ][:MOST_CATEGORIES]
    floats = frame.select(numbers_of(pl.nth(n), dtypes[n]).fill_null(math.nan).alias(f"{n}") for n in numbers)
    return Columns(
        {names[n]: floats[f"{n}"].to_numpy() for n in numbers},
        {names[n]: _codes(frame.to_series(n)) for n in categories},
    )


def _codes(column: pl.Series) -> NDArray[np.float64]:
    """A whole number for each of the different values, NaN in place of null."""
    # A series that is named as a pattern cannot be cast.
    texts = column.alias("text").cast(pl.String).to_arrow(compat_level=ARROW)
    # By way of Polars, since Arrow's own imports pandas where it is installed.
    return pl.Series(texts.dictionary_encode().indices).cast(pl.Float64).fill_null(math.nan).to_numpy()


def _measured(method: AssociationMethod, columns: Columns) -> Iterator[Association]:
    pairs = list(_pairs(method, columns))
    rows = max(MOST_COMPARED // max(len(pairs), 1), 1_000)
    named = dict.fromkeys(name for pair in pairs for name in pair)
    values = {name: (columns.numbers | columns.categories)[name][:rows] for name in named}
    there = {name: ~np.isnan(values[name]) for name in named}
    whole = {name for name in named if there[name].all()}
    ranks = {name: _ranked(values[name]) for name in whole} if method == "spearman" else {}
    for a, b in pairs:
        x, y = values[a], values[b]
        if not {a, b} <= whole:
            both = there[a] & there[b]
            x, y = x[both], y[both]
        if a in ranks and b in ranks:
            value = _cosine(ranks[a], ranks[b])
        else:
            value = MEASURES[method](x, y) if len(x) else math.nan
        if math.isfinite(value):
            yield Association(a=a, b=b, method=method, value=value, rows=len(x))


def _pairs(method: AssociationMethod, columns: Columns) -> Iterable[tuple[str, str]]:
    """The names that the method compares."""
    if method in OF_NUMBERS:
        return combinations(columns.numbers, 2)
    if method in OF_CATEGORIES:
        return (permutations if method in ONE_WAY else combinations)(columns.categories, 2)
    return product(columns.categories, columns.numbers)


def _strongest(found: Iterable[Association]) -> list[Association]:
    return sorted(found, key=lambda each: -abs(each.value))


def _ranked(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The ranks less their mean, in a measure in which the sum of their squares is 1; NaN of equal values."""
    order = np.argsort(values)
    starts = run_starts(values[order])
    sizes = np.diff(starts, append=len(values))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(starts + (sizes - len(values)) / 2, sizes)
    spread = math.sqrt(float(ranks @ ranks))
    return ranks / spread if spread > 0 else np.full(len(values), math.nan)


def _cosine(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    return float(np.clip(x @ y, -1, 1))


def _ties(values: NDArray[np.int64]) -> int:
    """Pairs of equal values."""
    counts = np.unique(values, return_counts=True)[1].astype(object)
    return int((counts * (counts - 1) // 2).sum())


def _inversions(values: NDArray[np.int64]) -> int:
    """Pairs of which the first is greater; counted bit by bit, as a radix sort from the top meets them."""
    found = 0
    for bit in reversed(range(int(values.max(initial=0)).bit_length())):
        is_set = values >> bit & 1
        group = values >> (bit + 1)
        before = np.cumsum(is_set) - is_set
        starts = np.searchsorted(group, group, side="left")
        found += int(((before - before[starts]) * (1 - is_set)).sum())
        values = values[np.argsort(values >> bit, kind="stable")]
    return found


def _table(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """How often each value of the one meets each of the other."""
    i, j = a.astype(np.int64), b.astype(np.int64)
    height, width = int(i.max()) + 1, int(j.max()) + 1
    counts = np.bincount(i * width + j, minlength=height * width).reshape(height, width)
    return counts[counts.any(axis=1)][:, counts.any(axis=0)].astype(np.float64)


def _entropy(counts: NDArray[np.float64]) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())

"""Every metric of every column of ten public data sets, against SciPy, statsmodels, pandas and NumPy."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter, defaultdict
from itertools import combinations, pairwise, permutations, product
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import stats
from scipy.stats.contingency import association
from statsmodels.tsa.stattools import acf, adfuller  # type: ignore[import-untyped]

from airpy.contract import AnalyzeOptions, AssociationMethod, ColumnMetrics, FrameMetrics
from airpy.engine.profile.associations import associations, correlations
from airpy.engine.profile.metrics import column_metrics
from airpy.engine.profile.outliers import outlier_bounds
from airpy.engine.profile.report import report
from airpy.engine.profile.series import adf_statistic, autocorrelation, critical_value
from airpy.engine.profile.states import room_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airpy.engine.profile.states import FrameState

CORPORA = Path(__file__).parents[4] / "shared" / "corpora"
DATA = (
    "seaborn-data/anscombe",
    "seaborn-data/diamonds",
    "seaborn-data/iris",
    "seaborn-data/planets",
    "seaborn-data/tips",
    "vega-datasets/airports",
    "vega-datasets/birdstrikes",
    "vega-datasets/seattle-weather",
    "vega-datasets/weather",
    "nab/ambient_temperature_system_failure",
)
SERIES = (
    "nab/ambient_temperature_system_failure",
    "nab/art_daily_jumpsup",
    "nab/art_daily_small_noise",
    "nab/ec2_cpu_utilization_24ae8d",
    "nab/exchange-2_cpm_results",
    "nab/speed_7578",
)
EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001  these files know no zones

pytestmark = pytest.mark.skipif(not CORPORA.exists(), reason="the public corpora are not here")


class Known(NamedTuple):
    """A data set and what was measured of it."""

    frame: pl.DataFrame
    state: FrameState
    columns: dict[str, ColumnMetrics]
    metrics: FrameMetrics
    cells: dict[str, list[Any]]

    def values(self, name: str) -> list[Any]:
        """Those of a column that are not null."""
        return [value for value in self.cells[name] if value is not None]

    def numbers(self, name: str) -> np.ndarray:
        """The column as numbers, times as seconds, null as NaN."""
        return np.array([number_of(value) for value in self.cells[name]])

    def of_types(self, *types: type) -> list[str]:
        """The columns whose values are of these types."""
        return [
            name
            for name in self.frame.columns
            if isinstance(next(cell for cell in self.cells[name] if cell is not None), types)
        ]


def read(name: str) -> pl.DataFrame:
    return pl.read_csv(CORPORA / f"{name}.csv", try_parse_dates=True, infer_schema_length=None)


@pytest.fixture(scope="module", params=DATA)
def known(request: pytest.FixtureRequest) -> Known:
    """One data set after another."""
    frame = read(request.param)
    found = report(frame.lazy(), "profile", AnalyzeOptions())
    columns = column_metrics(found.state)
    return Known(
        frame,
        found.state,
        {column.name: column for column in columns},
        found.metrics,
        frame.to_dict(as_series=False),
    )


def number_of(value: Any) -> float:
    """The value as a number, times in seconds since 1970."""
    match value:
        case None:
            return math.nan
        case dt.datetime():
            return (value - EPOCH).total_seconds()
        case dt.date():
            return float((value - EPOCH.date()).days * 86_400)
        case _:
            return float(value)


def form_of(value: Any) -> Any:
    """The value as the contract has it."""
    if isinstance(value, dt.datetime):
        return f"{value.isoformat()}Z"
    return value.isoformat() if isinstance(value, dt.date) else value


def about(value: float, *, absolute: float = 1e-12) -> Any:
    """The value, to a part in a thousand million."""
    return pytest.approx(value, rel=1e-9, abs=absolute)


def test_values_are_counted(known: Known) -> None:
    assert {
        name: (column.count, column.missing, column.unique, column.min, column.max)
        for name, column in known.columns.items()
    } == {
        name: (
            len(values := known.values(name)),
            known.frame.height - len(values),
            len(set(values)),
            form_of(min(values)),
            form_of(max(values)),
        )
        for name in known.frame.columns
    }
    assert [column.is_unique for column in known.columns.values()] == [
        pd.Series(known.values(name)).is_unique for name in known.frame.columns
    ]
    assert [column.is_constant for column in known.columns.values()] == [
        len(set(known.cells[name])) == 1 for name in known.frame.columns
    ]


def test_numbers_have_the_statistics_of_scipy_and_numpy(known: Known) -> None:
    for name in known.of_types(int, float):
        column, values = known.columns[name], np.array(known.values(name), dtype=float)

        assert column.sum == about(math.fsum(values)), name
        assert column.mean == about(math.fsum(values) / len(values)), name
        assert column.variance == about(values.var(ddof=1)), name
        assert column.std == about(values.std(ddof=1)), name
        assert column.skew == about(stats.skew(values), absolute=1e-9), name
        assert column.kurtosis == about(stats.kurtosis(values), absolute=1e-9), name
        assert column.zeros == (values == 0).sum(), name
        assert column.negatives == (values < 0).sum(), name
        assert (column.nan, column.infinite) == (0, 0), name
        shares = {"p01": 1, "p05": 5, "p25": 25, "p50": 50, "p75": 75, "p95": 95, "p99": 99}
        assert column.quantiles is not None, name
        assert column.quantiles.model_dump() == {
            share: about(np.percentile(values, percent)) for share, percent in shares.items()
        }, name
        assert (column.q1, column.median, column.q3) == (
            column.quantiles.p25,
            column.quantiles.p50,
            column.quantiles.p75,
        )
        assert column.iqr == about(stats.iqr(values)), name
        assert column.mad == about(stats.median_abs_deviation(values)), name


def test_what_is_no_number_has_no_statistics(known: Known) -> None:
    for name in set(known.frame.columns) - set(known.of_types(int, float)):
        told = known.columns[name].model_dump(exclude_none=True).keys()

        assert told.isdisjoint(
            {"mean", "std", "variance", "median", "q1", "q3", "iqr", "mad", "sum", "skew", "kurtosis"}
        ), name


def test_values_are_ordered_by_their_frequency_and_equal_ones_ascend(known: Known) -> None:
    for name in fitting(known):
        counts = pd.Series(known.values(name), dtype=object).value_counts()
        expected = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
        column = known.columns[name]

        assert [(each.value, each.count) for each in column.top_values or []] == [
            (form_of(value), count) for value, count in expected[:10]
        ], name
        assert [each.share for each in column.top_values or []] == [
            about(count / column.count) for _, count in expected[:10]
        ], name
        assert [(each.value, each.count) for each in column.bottom_values or []] == [
            (form_of(value), count) for value, count in expected[:-6:-1]
        ], name
        assert column.estimates is None, name


def test_of_too_many_values_the_frequent_ones_lack_no_more_rows_than_is_said(known: Known) -> None:
    for name in set(known.frame.columns) - set(fitting(known)):
        counts = Counter(map(form_of, known.values(name)))
        column = known.columns[name]
        told = {each.value: each.count for each in column.top_values or []}
        if not told:  # none is more frequent than what did not fit
            continue
        (estimate,) = column.estimates or []

        assert estimate.metric == "top_values", name
        assert column.bottom_values is None, name
        for value, count in counts.most_common(10):
            assert count - estimate.error * column.count <= told.get(value, 0) + 1e-6, name
        assert [value for value, count in told.items() if count > counts[value]] == [], name


def fitting(known: Known) -> list[str]:
    """The columns of no more different values than there is room for."""
    most = room_for(known.frame.width).frequent
    return [name for name in known.frame.columns if len(set(known.values(name))) <= most]


def test_histograms_count_what_numpy_counts_between_their_edges(known: Known) -> None:
    for name in known.of_types(int, float, dt.date):
        histogram = known.columns[name].histogram
        values = np.array([number_of(value) for value in known.values(name)])
        assert histogram is not None, name
        edges = [seconds_of(edge) if isinstance(edge, str) else edge for edge in histogram.edges]

        assert histogram.counts == np.histogram(values, edges)[0].tolist(), name
        assert (edges[0], edges[-1]) == (values.min(), values.max()), name


def test_histograms_have_the_bins_of_freedman_and_diaconis(known: Known) -> None:
    for name in known.of_types(float):
        values = np.array(known.values(name))
        histogram = known.columns[name].histogram
        assert histogram is not None, name
        if stats.iqr(values) > 0:
            expected = len(np.histogram_bin_edges(values, "fd")) - 1
            assert len(histogram.counts) == min(expected, 50), name


def seconds_of(text: str) -> float:
    """A date or a timestamp in seconds since 1970."""
    return number_of(dt.datetime.fromisoformat(text.removesuffix("Z")))


def test_the_order_of_values_is_that_of_pandas(known: Known) -> None:
    for name in known.frame.columns:
        values = pd.Series(known.values(name), dtype=object)
        rising, falling, unique = (
            values.is_monotonic_increasing,
            values.is_monotonic_decreasing,
            values.is_unique,
        )
        expected = "none"
        if rising and falling:
            expected = "constant"
        elif rising:
            expected = "strictly_ascending" if unique else "ascending"
        elif falling:
            expected = "strictly_descending" if unique else "descending"

        assert known.columns[name].order == expected, name


def test_texts_have_their_lengths_and_blanks(known: Known) -> None:
    for name in known.of_types(str):
        text, lengths = known.columns[name].text, [len(value) for value in known.values(name)]
        assert text is not None, name

        assert (text.min_length, text.max_length) == (min(lengths), max(lengths)), name
        assert text.mean_length == about(sum(lengths) / len(lengths)), name
        assert text.blank == sum(not value.strip() for value in known.values(name)), name
        assert text.whitespace == sum(
            bool(value.strip()) and value != value.strip() for value in known.values(name)
        ), name


def test_times_have_their_range_step_and_gaps(known: Known) -> None:
    for name in known.of_types(dt.date):
        time = known.columns[name].time
        seconds = sorted(number_of(value) for value in known.values(name))
        different = sorted(set(seconds))
        steps = Counter(after - before for before, after in pairwise(different))
        step = min(steps, key=lambda each: (-steps[each], each))
        assert time is not None, name

        assert time.range_s == seconds[-1] - seconds[0], name
        assert time.duplicates == len(seconds) - len(different), name
        assert time.step_s == step, name
        assert time.gaps == sum(count for each, count in steps.items() if each > step), name
        assert time.midnight_share == about(sum(each % 86_400 == 0 for each in seconds) / len(seconds)), name


def test_rows_are_compared_as_by_pandas(known: Known) -> None:
    frame = pd.DataFrame(known.cells, dtype=object)

    assert known.metrics.rows == len(frame)
    assert known.metrics.duplicate_rows == frame.duplicated().sum()
    assert known.metrics.null_rows == frame.isna().all(axis=1).sum()
    assert known.metrics.sampled_rows == len(frame)
    assert known.metrics.estimates is None


def test_keys_name_every_row(known: Known) -> None:
    frame = pd.DataFrame(known.cells, dtype=object)
    alone = [
        [name]
        for name in frame.columns
        if not frame[name].isna().any() and not frame[name].duplicated().any()
    ]

    keys = known.metrics.candidate_keys or []

    assert [key for key in keys if len(key) == 1] == alone
    assert [key for key in keys if frame.duplicated(key).any() or frame[key].isna().any(axis=None)] == []


def test_missing_values_are_counted_together(known: Known) -> None:
    patterns = Counter(
        tuple(name for name, value in row.items() if value is None) for row in known.frame.rows(named=True)
    )
    del patterns[()]

    assert {tuple(each.columns): each.rows for each in known.metrics.missingness or []} == patterns


def complete(known: Known, a: str, b: str) -> tuple[np.ndarray, np.ndarray]:
    """Two columns of numbers over the rows that have both."""
    x, y = known.numbers(a), known.numbers(b)
    both = ~(np.isnan(x) | np.isnan(y))
    return x[both], y[both]


def pairs_by(known: Known, method: AssociationMethod) -> dict[tuple[str, str], tuple[float, int]]:
    """What was found by a method: by pair, the value and the rows it was measured on."""
    found = associations(known.state, [method])
    values = [abs(each.value) for each in found]
    assert values == sorted(values, reverse=True)
    return {(each.a, each.b): (each.value, each.rows) for each in found}


def varying(known: Known, names: Sequence[str]) -> list[str]:
    return [name for name in names if len(set(known.values(name))) > 1]


@pytest.mark.parametrize(
    ("method", "reference"),
    [("pearson", stats.pearsonr), ("spearman", stats.spearmanr), ("kendall", stats.kendalltau)],
)
def test_numbers_and_times_correlate_as_scipy_says(
    known: Known, method: AssociationMethod, reference: Any
) -> None:
    expected = {}
    for a, b in combinations(varying(known, known.of_types(int, float, dt.date)), 2):
        x, y = complete(known, a, b)
        if len(x) > 1 and np.ptp(x) > 0 and np.ptp(y) > 0:
            expected[a, b] = (about(reference(x, y).statistic, absolute=1e-9), len(x))

    assert pairs_by(known, method) == expected


def test_correlations_are_those_of_pandas(known: Known) -> None:
    names = known.of_types(int, float, dt.date)
    matrix = pd.DataFrame({name: known.numbers(name) for name in names}).corr()

    found = correlations(known.state)

    assert {(a, b): r for a, b, r in found} == {
        (a, b): about(matrix.loc[a, b], absolute=1e-9)
        for a, b in combinations(names, 2)
        if not math.isnan(matrix.loc[a, b])
    }


def categories(known: Known) -> list[str]:
    """Columns of at most a hundred different texts or flags."""
    return [name for name in varying(known, known.of_types(str, bool)) if len(set(known.values(name))) <= 100]


def both_known(known: Known, a: str, b: str) -> list[tuple[Any, Any]]:
    return [pair for pair in zip(known.cells[a], known.cells[b], strict=True) if None not in pair]


def test_categories_are_associated_as_scipy_says(known: Known) -> None:
    expected = {}
    for a, b in combinations(categories(known), 2):
        pairs = both_known(known, a, b)
        table = pd.crosstab(*(pd.Series(side) for side in zip(*pairs, strict=True))).to_numpy()
        if min(table.shape) > 1:
            expected[a, b] = (about(association(table, "cramer"), absolute=1e-9), len(pairs))

    assert pairs_by(known, "cramers_v") == expected


def entropy(counts: Iterator[int] | Any, whole: int) -> float:
    return -math.fsum(count / whole * math.log(count / whole) for count in counts)


def test_theils_u_is_the_share_of_entropy_that_is_taken_away(known: Known) -> None:
    expected = {}
    for a, b in permutations(categories(known), 2):
        pairs = both_known(known, a, b)
        whole = entropy(Counter(y for _, y in pairs).values(), len(pairs))
        groups: dict[Any, Counter[Any]] = defaultdict(Counter)
        for x, y in pairs:
            groups[x][y] += 1
        left = math.fsum(
            group.total() / len(pairs) * entropy(group.values(), group.total()) for group in groups.values()
        )
        if whole > 0:
            expected[a, b] = (about((whole - left) / whole, absolute=1e-9), len(pairs))

    found = pairs_by(known, "theils_u")

    assert {pair: expected[pair] for pair in found} == found
    assert len(found) == min(len(expected), 100)


def test_the_correlation_ratio_is_the_root_of_the_variance_between_groups(known: Known) -> None:
    expected = {}
    for a, b in product(categories(known), varying(known, known.of_types(int, float, dt.date))):
        groups: dict[Any, list[float]] = defaultdict(list)
        for x, y in both_known(known, a, b):
            groups[x].append(number_of(y))
        every = [y for group in groups.values() for y in group]
        mean = math.fsum(every) / len(every)
        whole = math.fsum((y - mean) ** 2 for y in every)
        between = math.fsum(
            len(group) * (math.fsum(group) / len(group) - mean) ** 2 for group in groups.values()
        )
        if len(groups) > 1 and whole > 0:
            expected[a, b] = (about(math.sqrt(between / whole), absolute=1e-7), len(every))

    found = pairs_by(known, "correlation_ratio")

    assert {pair: expected[pair] for pair in found} == found
    assert len(found) == min(len(expected), 100)


def test_outliers_lie_beyond_the_bounds_of_every_method(known: Known) -> None:
    for name in known.of_types(int, float):
        column, values = known.columns[name], np.array(known.values(name), dtype=float)
        q1, median, q3 = np.percentile(values, [25, 50, 75])
        mean, std = values.mean(), values.std(ddof=1)
        # SciPy's `scale` is that of a normal distribution, of which 0.6745 is the usual rounding.
        reach = 3.5 * stats.median_abs_deviation(values) / 0.6745

        if q1 == q3 == 0:  # what is mostly nothing has no usual size
            assert outlier_bounds(column, "iqr") is None, name
            continue
        assert outlier_bounds(column, "iqr") == (about(q1 - 1.5 * (q3 - q1)), about(q3 + 1.5 * (q3 - q1)))
        assert outlier_bounds(column, "zscore") == (about(mean - 3 * std), about(mean + 3 * std))
        expected = (about(median - reach), about(median + reach)) if reach else None
        assert outlier_bounds(column, "mad") == expected, name
        low, high = q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)
        (counted,) = [each for each in known.metrics.column_metrics or [] if each.name == name]
        assert counted.outliers == ((values < low) | (values > high)).sum(), name


def test_every_method_of_association_is_compared_here() -> None:
    assert set(get_args(get_args(AssociationMethod.__value__)[0])) == {
        "pearson",
        "spearman",
        "kendall",
        "cramers_v",
        "theils_u",
        "correlation_ratio",
    }


@pytest.mark.filterwarnings("ignore:adfuller currently returns:FutureWarning")
@pytest.mark.parametrize("name", SERIES)
def test_series_have_the_autocorrelation_and_the_unit_root_test_of_statsmodels(name: str) -> None:
    values = read(name)["value"].cast(pl.Float64).to_numpy()
    lags = math.floor(4 * (len(values) / 100) ** 0.25)

    assert autocorrelation(values, 200) == pytest.approx(acf(values, nlags=200, fft=False), abs=1e-9)
    statistic, _, used, points, critical = adfuller(values, maxlag=lags, autolag=None)[:5]
    assert used == lags
    assert points == len(values) - 1 - lags
    # Least squares by another decomposition: its last digits are not the same.
    assert adf_statistic(values) == pytest.approx(statistic, rel=1e-6)
    assert critical_value(len(values)) == pytest.approx(critical["5%"], rel=1e-9)

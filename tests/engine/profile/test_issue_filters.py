from __future__ import annotations

import contextlib
import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airpy.contract import AnalyzeOptions
from airpy.engine.encoding import portable
from airpy.engine.profile.report import report
from airpy.errors import AirError
from airpy.files.datasets import dataset_at
from airpy.files.paths import FileRoot
from airpy.files.scan import scan
from tests.engine.profile.issue_filters import assert_filters_select
from tests.files.conftest import EXTENSIONS

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

CORPORA = Path(__file__).parents[4] / "shared" / "corpora"
FOLDERS = ("seaborn-data", "vega-datasets", "nab", "frictionless", "fastparquet")
METHODS = ("iqr", "zscore", "mad")

TEXTS = ["a", "A", " a", "", " ", "NA", "7", "007", "1.5", "2025-01-02", "cafÃ©", "me@example.org", "ab" * 12]
INTEGERS = {
    dtype: (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    for bits, dtype in ((8, pl.Int8), (16, pl.Int16), (32, pl.Int32), (64, pl.Int64))
} | {
    dtype: (0, 2**bits - 1)
    for bits, dtype in ((8, pl.UInt8), (16, pl.UInt16), (32, pl.UInt32), (64, pl.UInt64))
}
MOMENTS = [
    dt.datetime.fromisoformat(text)
    for text in (
        "0001-01-01",
        "1900-01-01",
        "1970-01-01",
        "2025-03-30",
        "2025-03-30T01:00",
        "2025-03-30T02:00",
        "2025-03-30T02:00:00.000001",
        "9999-12-31T23:59:59.999999",
    )
]
TICKS = {
    "ns": [-(2**63) + 1, -1, 0, 1, 1_001, 1_743_292_800_000_000_000, 2**63 - 1],
    "us": [-8 * 10**18, -62_135_596_800_000_000, 0, 1, 253_402_300_800_000_000, 8 * 10**18],
    "ms": [-8 * 10**15, -62_135_596_800_000, 0, 1, 253_402_300_800_000, 8 * 10**15],
}
"""The ends of what the types can hold, the first and the last year that JSON has, and the zero of Unix."""


def of(dtype: Any, values: SearchStrategy[Any]) -> SearchStrategy[tuple[Any, SearchStrategy[Any]]]:
    """A type, and what its columns may hold; values occur again, as in data."""
    return st.just((dtype, values))


def integers(dtype: Any) -> SearchStrategy[Any]:
    low, high = INTEGERS[dtype]
    small = st.integers(max(low, -3), 12)
    return of(dtype, small | st.sampled_from([low, high, max(low, -9999), 99]) | st.integers(low, high))


FLOATS = st.sampled_from([0.0, -0.0, 0.1, 0.3, 1.0, 99.9, -999.0, 1e300, float("inf"), -float("inf")])
FLOATS32 = st.sampled_from([0.0, -0.0, 1.0, -999.0, 3.4e38, float("inf"), -float("inf"), float("nan")])
COLUMNS: SearchStrategy[tuple[Any, SearchStrategy[Any]]] = st.one_of(
    *map(integers, INTEGERS),
    of(pl.Float64, FLOATS | st.just(float("nan")) | st.floats()),
    of(pl.Float32, FLOATS32 | st.floats(width=32)),
    of(pl.Decimal(3, 1), st.sampled_from([Decimal("99.9"), Decimal("-99.9"), Decimal("0.1"), Decimal(5)])),
    of(pl.Decimal(38, 6), st.decimals(-(10**9), 10**9, places=6)),
    of(pl.Boolean, st.booleans()),
    of(pl.String, st.sampled_from(TEXTS) | st.text(max_size=3)),
    of(pl.Categorical, st.sampled_from(TEXTS)),
    of(pl.Enum(TEXTS), st.sampled_from(TEXTS)),
    of(pl.Date, st.sampled_from([moment.date() for moment in MOMENTS]) | st.dates()),
    of(pl.Datetime("ms"), st.sampled_from(MOMENTS)),
    of(pl.Datetime("us"), st.sampled_from(MOMENTS) | st.datetimes()),
    of(pl.Datetime("us", "UTC"), st.sampled_from(MOMENTS)),
    of(pl.Datetime("us", "America/New_York"), st.sampled_from(TICKS["us"])),
    of(pl.Datetime("ns"), st.sampled_from(TICKS["ns"])),
    of(pl.Datetime("ms", "Europe/Berlin"), st.sampled_from(TICKS["ms"])),
    of(pl.Duration("us"), st.timedeltas(dt.timedelta(-1), dt.timedelta(1)) | st.just(dt.timedelta(0))),
    of(pl.Time, st.sampled_from([dt.time(), dt.time(12), dt.time(1, 2, 3, 4)])),
    of(pl.Binary, st.sampled_from([b"", b"\xff"])),
    of(pl.Null, st.none()),
    of(pl.List(pl.Int64), st.lists(st.integers(0, 2) | st.none(), max_size=2)),
    of(pl.Struct({"x": pl.Int64, "y": pl.String}), st.fixed_dictionaries({"x": st.integers(0, 1)})),
)
NAMES = st.sampled_from(["a", "b", "c", "d", "", "*", "^a.*$", "count", "value", "time", "by0", "Ünï 1"])


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    """Small frames of mixed types, in which values occur again."""
    height = draw(st.sampled_from([0, 1, 2, 5, 12, 24, 45]))
    columns = []
    for name in draw(st.lists(NAMES, min_size=1, max_size=4, unique=True)):
        dtype, values = draw(COLUMNS)
        pool = draw(st.lists(values, min_size=1, max_size=draw(st.sampled_from([1, 2, 6, 45]))))
        pool += [None] * draw(st.sampled_from([0, 0, 1]))
        # A frequent first value, so that columns come near to being constant.
        places = draw(
            st.lists(st.just(0) | st.integers(0, len(pool) - 1), min_size=height, max_size=height)
            | st.just([place % len(pool) for place in range(height)])
        )
        # A series that is named as a pattern cannot be cast.
        column = pl.Series("", [pool[place] for place in places], dtype=_physical(dtype, pool))
        columns.append(column.cast(dtype).alias(name))
    return pl.DataFrame(columns)


def _physical(dtype: Any, pool: list[Any]) -> Any:
    """What such values are given as: ticks of times are integers first."""
    ticks = any(isinstance(value, int) for value in pool) and dtype == pl.Datetime
    return pl.Int64 if ticks else dtype


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(frames(), st.sampled_from(METHODS), st.data())
def test_whatever_the_frame_each_filter_selects_the_rows_of_its_issue(
    frame: pl.DataFrame, method: str, data: st.DataObject
) -> None:
    plain = [name for name, dtype in frame.schema.items() if not dtype.is_nested()]
    temporal = [name for name, dtype in frame.schema.items() if dtype in {pl.Date, pl.Datetime}]
    options: dict[str, Any] = {"outlier_method": method}
    for field, names in (("by", plain), ("keys", plain)):
        if data.draw(st.booleans()) and names:
            options[field] = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
    if data.draw(st.booleans()) and temporal:
        options["time_col"] = data.draw(st.sampled_from(temporal))
    found = report(frame.lazy(), "profile", AnalyzeOptions.model_validate(options))

    assert_filters_select(frame, found.issues)


def real_files() -> list[str]:
    """Paths of data in the corpora, below them."""
    if not CORPORA.exists():
        return []
    root = FileRoot.at(CORPORA, EXTENSIONS)
    files = [path for folder in FOLDERS for path in sorted((CORPORA / folder).rglob("*"))]
    return [str(path.relative_to(CORPORA)) for path in files if path.is_file() and root.allows(path)]


@pytest.fixture(scope="module")
def real_frames(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    """The corpora's data, by path, as far as it is read."""
    frames = {}
    root = FileRoot.at(CORPORA, EXTENSIONS)
    for name in real_files():
        with contextlib.suppress(AirError):
            opened = scan(
                dataset_at(root, name, "uri"), infer_rows=1000, scratch=tmp_path_factory.mktemp("scratch")
            )
            frames[name] = portable(opened.frame).collect()
    return frames


@pytest.mark.skipif(not CORPORA.exists(), reason="the public corpora are not here")
@pytest.mark.parametrize("method", METHODS)
def test_the_filters_of_issues_in_real_files_select_their_rows(
    real_frames: dict[str, pl.DataFrame], method: str
) -> None:
    codes = set()
    # Each method on every third file, the first on the first.
    for frame in list(real_frames.values())[METHODS.index(method) :: len(METHODS)]:
        found = report(frame.lazy(), "eda", AnalyzeOptions.model_validate({"outlier_method": method}))
        assert_filters_select(frame, found.issues)
        codes |= {issue.code for issue in found.issues}

    assert len(real_frames) > 100
    assert len(codes) > 10


@pytest.mark.skipif(not CORPORA.exists(), reason="the public corpora are not here")
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("seaborn-data/diamonds.csv", {"by": ["cut", "color"], "keys": ["carat", "price"]}),
        ("seaborn-data/tips.csv", {"by": ["day", "smoker"], "outlier_method": "mad"}),
        ("vega-datasets/weather.csv", {"by": ["location"], "time_col": "date", "keys": ["location", "date"]}),
        ("vega-datasets/birdstrikes.csv", {"by": ["Wildlife Size"], "outlier_method": "zscore"}),
        ("nab/exchange-2_cpm_results.csv", {"keys": ["timestamp"]}),
    ],
)
def test_so_do_those_within_groups_series_and_keys(
    real_frames: dict[str, pl.DataFrame], name: str, options: dict[str, Any]
) -> None:
    frame = real_frames[name]
    found = report(frame.lazy(), "eda", AnalyzeOptions.model_validate(options))

    assert_filters_select(frame, found.issues)
    assert found.issues


@pytest.mark.skipif(not CORPORA.exists(), reason="the public corpora are not here")
def test_what_is_ordinary_in_real_data_is_no_issue(real_frames: dict[str, pl.DataFrame]) -> None:
    found = {
        (name.split("/")[1], issue.column, issue.code)
        for name in ("vega-datasets/birdstrikes.csv", "nab/ambient_temperature_system_failure.csv")
        for issue in report(real_frames[name].lazy(), "eda", AnalyzeOptions()).issues
    }

    # Costs are 0 of nearly all strikes; and a species is no text that was cut off.
    assert ("birdstrikes.csv", "Cost Repair", "ZEROS") in found
    assert ("birdstrikes.csv", "Cost Repair", "OUTLIERS") not in found
    assert ("birdstrikes.csv", "Speed IAS in knots", "OUTLIERS") in found
    assert not [each for each in found if each[2] == "TRUNCATED_TEXT"]


@pytest.mark.skipif(not CORPORA.exists(), reason="the public corpora are not here")
@pytest.mark.parametrize(
    ("name", "period"),
    [
        ("ambient_temperature_system_failure", "168"),  # hourly, with gaps: a week
        ("art_daily_small_noise", "288"),  # every five minutes: a day
        ("exchange-2_cpm_results", "24"),  # hourly, with gaps: a day
    ],
)
def test_real_series_repeat_themselves_by_the_calendar(
    real_frames: dict[str, pl.DataFrame], name: str, period: str
) -> None:
    issues = report(real_frames[f"nab/{name}.csv"].lazy(), "eda", AnalyzeOptions()).issues
    (seasonal,) = [issue.detail for issue in issues if issue.code == "SEASONAL"]

    assert f" every {period} points" in seasonal

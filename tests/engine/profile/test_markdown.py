from __future__ import annotations

import copy
from typing import Any

import pytest
from markdown_it import MarkdownIt

from airpy.engine.profile.markdown import analysis_markdown, schema_markdown
from tests.second_opinion import check_schema

READER = MarkdownIt("commonmark").enable("table")
READING = {
    "sources": {
        "files": [
            {"path": "/data/energy/2025/a.csv", "size_bytes": 1, "modified": "2025-09-01T00:00:00Z"},
            {"path": "/data/energy/2024/b.csv", "size_bytes": 1, "modified": "2025-09-01T00:00:00Z"},
        ],
        "total_files": 2,
        "total_size_bytes": 2,
        "fingerprint": "00",
    },
    "texts": [],
    "faults": {"rows_skipped": 0, "values_nulled": 0, "rows_ragged": 0, "examples": []},
    "notes": [],
}
FIELDS = [
    {"name": "kwh", "type": "float64", "nullable": True},
    {"name": "site", "type": "string", "nullable": False},
    {"name": "at", "type": "timestamp", "nullable": False, "timezone": "UTC"},
]


def schema() -> dict[str, Any]:
    """The schema of two files of text."""
    evidence = {"values": 4, "nulls": 1, "candidates": [], "confidence": 1, "scan": "full"}
    answer = {
        "schema": {"fields": FIELDS},
        "stats": {
            "rows": 2000,
            "columns": 3,
            "null_ratio": {"kwh": 0.25, "site": 0, "at": 0},
            "unique_counts": {"kwh": 1234, "site": 2, "at": 4},
            "unique_exact": False,
            "memory_usage_mb": 0.1,
            "files": 2,
            "sampled_rows": 1500,
            "rows_exact": False,
        },
        "sample_preview": [
            {"kwh": 1.5, "site": "a|b", "at": "2025-01-01T00:00:00Z"},
            {"kwh": None, "site": "c", "at": "2025-01-01T00:00:00Z"},
            {"kwh": 2, "site": "c", "at": "2025-01-02T00:00:00Z"},
        ],
        "columns": [
            {"name": "kwh", "type": "float64", "form": "1.234,56", "null_markers": {"n/a": 1}, **evidence},
            {"name": "site", "type": "string", "note": "leading zeros", "null_markers": {}, **evidence},
        ],
        "evolution": {"changes": [], "files_compared": 2, "total_changes": 0},
        "reading": copy.deepcopy(READING),
    }
    for file in answer["reading"]["sources"]["files"]:  # type: ignore[index]
        file["fingerprint"] = "00"
    return answer


def column(field: dict[str, Any], **measures: Any) -> dict[str, Any]:
    """Metrics of a column of 8 rows."""
    empty = dict.fromkeys(["unique", "min", "max", "mean", "std", "median", "q1", "q3", "zeros", "outliers"])
    return {"name": field["name"], "type": field["type"], "count": 8, "missing": 0, **empty, **measures}


def analysis(kind: str = "profile", **members: Any) -> dict[str, Any]:
    """An analysis of 8 rows."""
    measured = [
        column(FIELDS[0], count=6, missing=2, unique=5, min=1, max=9.5, outliers=1),
        column(
            FIELDS[1],
            unique=2,
            min="a",
            max="b",
            top_values=[
                {"value": "a", "count": 6, "share": 0.75},
                {"value": "b|", "count": 2, "share": 0.25},
            ],
            text={
                "min_length": 1,
                "mean_length": 1.0,
                "max_length": 1,
                "blank": 0,
                "whitespace": 0,
                "patterns": [],
                "kinds": [{"kind": "email", "count": 6, "share": 0.75}],
            },
            personal=[{"kind": "email", "count": 6, "share": 0.75}],
        ),
        column(
            FIELDS[2],
            unique=8,
            min="2025-01-01T00:00:00Z",
            max="2025-01-08T00:00:00Z",
            is_unique=True,
            is_constant=False,
            estimates=[{"metric": "unique", "method": "HyperLogLog", "error": 0.008}],
        ),
    ]
    return {
        "job_kind": kind,
        "metrics": {
            "rows": 8,
            "columns": 3,
            "memory_usage_mb": 0.1,
            "duplicate_rows": 0,
            "correlations": [],
            "candidate_keys": [["at"], ["kwh", "site"]],
            "column_metrics": measured,
        },
        "issues": [
            {
                "code": "OUTLIERS",
                "severity": "warning",
                "detail": "1 value of kwh is beyond [0, 9]",
                "affected_rows": 1,
                "column": "kwh",
                "share": 0.125,
            },
            {"code": "EMPTY_FRAME", "severity": "error", "detail": "no rows", "affected_rows": 0},
        ],
        "chart_hints": [
            {"type": "line", "x": "at", "y": "sum(kwh)", "title": "kwh over time", "reason": "r = 0.9"},
            {"type": "bar", "x": "site", "y": "count(*)", "title": "rows by site"},
        ],
        "sample": [],
        "schema": {"fields": FIELDS},
        **members,
    }


def cells(markdown: str) -> list[list[list[str]]]:
    """What a reader sees in the tables of a page: of each its rows, the titles first."""
    tables: list[list[list[str]]] = []
    inside = False
    for token in READER.parse(markdown):
        if token.type == "table_open":
            tables.append([])
        if token.type == "tr_open":
            tables[-1].append([])
        inside = inside or token.type in {"th_open", "td_open"}
        if inside and token.type == "inline":
            tables[-1][-1].append("".join(child.content for child in token.children or []))
            inside = False
    return tables


def test_the_examples_are_what_the_contract_has() -> None:
    check_schema("InferSchemaResult", schema())
    for kind in ("eda", "profile"):
        check_schema("AnalyzeResult", analysis(kind))
    check_schema("Validation", VALIDATION)
    check_schema("FrameComparison", COMPARISON)


def test_a_schema_is_a_table_of_its_columns() -> None:
    page = schema_markdown(schema())

    assert page.startswith(
        "# Schema of `energy`\n\n"
        "About 2,000 rows, 3 columns, 2 files. Types, nulls and distinct values are of 1,500 rows.\n\n"
        "## Columns\n\n"
    )
    assert cells(page) == [
        [
            ["Column", "Type", "Nullable", "Missing", "Distinct", "First values", "Notes"],
            ["kwh", "float64", "yes", "25 %", "~1,234", "1.5, 2", "written as 1.234,56; null is n/a"],
            ["site", "string", "no", "0 %", "~2", "a|b, c", "leading zeros"],
            [
                "at",
                "timestamp UTC",
                "no",
                "0 %",
                "~4",
                "2025-01-01T00:00:00Z, 2025-01-02T00:00:00Z",
                "",
            ],
        ]
    ]


def test_one_file_names_a_schema() -> None:
    answer = schema()
    del answer["reading"]["sources"]["files"][1]

    assert schema_markdown(answer).startswith("# Schema of `a.csv`\n")


def test_a_profile_tells_of_columns_issues_and_charts() -> None:
    page = analysis_markdown(analysis(provenance={"plan": {"dataset": "energy_csv"}}))

    assert page.startswith(
        "# Profile of `energy_csv`\n\n8 rows, 3 columns, 0 duplicate rows.\n\n"
        "Every row is named by `at` or by `kwh`, `site`.\n\n## Columns\n\n"
    )
    assert cells(page) == [
        [
            ["Column", "Type", "Nullable", "Missing", "Distinct", "Values", "Notes"],
            ["kwh", "float64", "yes", "25 %", "5", "1 to 9.5", "1 outlier"],
            [
                "site",
                "string",
                "no",
                "0 %",
                "2",
                "a (75 %), b| (25 %)",
                "75 % look like email; suspected personal data: email",
            ],
            [
                "at",
                "timestamp UTC",
                "no",
                "0 %",
                "~8",
                "2025-01-01T00:00:00Z to 2025-01-08T00:00:00Z",
                "unique",
            ],
        ]
    ]
    assert page.endswith(
        "## Issues\n\n"
        "- **warning** `OUTLIERS` in `kwh`: 1 value of kwh is beyond \\[0, 9\\] (1 row, 12.5 %)\n"
        "- **error** `EMPTY_FRAME`: no rows (0 rows)\n\n"
        "## Charts worth drawing\n\n"
        "- line `at` × `sum(kwh)`, kwh over time: r = 0.9\n"
        "- bar `site` × `count(*)`, rows by site\n"
    )


def test_what_was_not_measured_is_left_out() -> None:
    answer = analysis("eda", issues=[], chart_hints=[])
    for name in ("column_metrics", "candidate_keys", "duplicate_rows"):
        del answer["metrics"][name]

    assert analysis_markdown(answer) == (
        "# Exploration\n\n8 rows, 3 columns.\n\n## Columns\n\n"
        "| Column | Type | Nullable |\n| --- | --- | --- |\n"
        "| `kwh` | float64 | yes |\n| `site` | string | no |\n| `at` | timestamp UTC | no |\n\n"
        "## Issues\n\nNone was found.\n"
    )


VALIDATION = {
    "verdict": "fail",
    "rules": [
        {
            "name": "not_null(kwh)",
            "rule": "not_null",
            "severity": "error",
            "passed": False,
            "rows_checked": 8000,
            "rows_failed": 2,
            "observed": "2 nulls",
        },
        {
            "name": "a|b",
            "rule": "row_count_between",
            "severity": "info",
            "passed": True,
            "rows_checked": 8,
            "rows_failed": 0,
            "observed": "8 rows",
        },
    ],
    "suggested": [{"rule": {"rule": "unique", "cols": ["at"]}, "evidence": "8 of 8 values differ"}],
}


def test_a_validation_tells_its_verdict_and_its_rules() -> None:
    page = analysis_markdown(analysis("validate", validation=VALIDATION))

    assert "\n\n## Verdict: fail\n\n" in page
    assert cells(page)[0] == [
        ["Rule", "Severity", "Met", "Checked", "Failed", "Found"],
        ["not_null(kwh)", "error", "no", "8,000", "2", "2 nulls"],
        ["a|b", "info", "yes", "8", "0", "8 rows"],
    ]
    assert (
        "## Rules that the data meets\n\n"
        '- `{"rule": "unique", "cols": ["at"]}`: 8 of 8 values differ\n\n## Columns' in page
    )


COMPARISON = {
    "verdict": "breaking",
    "rows": {"before": 1000, "after": 900, "change": -0.1, "drifted": True},
    "schema_changes": [
        {
            "kind": "column_removed",
            "column": "x|y",
            "before": "int64",
            "breaking": True,
            "detail": "x|y is gone",
        }
    ],
    "drift": [
        {
            "column": "kwh",
            "type": "float64",
            "drifted": True,
            "tests": [
                {"statistic": "ks", "value": 0.31, "threshold": 0.1, "drifted": True, "p_value": 0.001},
                {"statistic": "psi", "value": 0.01, "threshold": 0.2, "drifted": False},
            ],
            "new_categories": [{"value": "new|", "count": 1, "share": 0.5}],
        },
        {"column": "site", "type": "string", "drifted": False, "tests": []},
    ],
    "keys": [{"columns": ["at", "site"], "before": True, "after": False, "breaking": True}],
}


def test_a_comparison_tells_what_has_changed() -> None:
    page = analysis_markdown(analysis("compare", comparison=COMPARISON))

    assert "## Since the baseline: breaking\n\nRows: 1,000 before, 900 now (-10.0 %).\n\n" in page
    assert cells(page)[:2] == [
        [
            ["Change", "Column", "Before", "Now", "Breaking", "Detail"],
            ["column_removed", "x|y", "int64", "", "yes", "x|y is gone"],
        ],
        [
            ["Drifted column", "Type", "By", "New values", "Gone values"],
            ["kwh", "float64", "ks 0.31 (at most 0.1)", "new|", ""],
        ],
    ]
    assert "\n\n- `at`, `site` no longer names every row (**breaking**)\n\n" in page


@pytest.mark.parametrize("kind", ["eda", "profile", "validate", "compare"])
def test_hostile_names_and_values_leave_the_page_as_it_is(kind: str) -> None:
    hostile = "a|`b`\n# c\r\n| d | <script>\x00\u2028\\"
    plain_page = analysis_markdown(analysis(kind, validation=VALIDATION, comparison=COMPARISON))

    def spoiled(part: Any, *, name: str = "") -> Any:
        if isinstance(part, dict):
            return {key: spoiled(each, name=key) for key, each in part.items()}
        if isinstance(part, list):
            return [spoiled(each, name=name) for each in part]
        texts = {"name", "column", "columns", "detail", "title", "reason", "observed", "evidence", "value"}
        texts |= {"candidate_keys", "before", "after"}
        return hostile if isinstance(part, str) and name in texts else part

    page = analysis_markdown(spoiled(analysis(kind, validation=VALIDATION, comparison=COMPARISON)))

    def blocks(text: str) -> list[str]:
        return [token.type for token in READER.parse(text)]

    assert blocks(page) == blocks(plain_page)
    assert "<script>" not in page.replace("`", "")

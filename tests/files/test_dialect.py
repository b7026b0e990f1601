"""How CSV files are written, found out of what they hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from airpy.contract import ReadOptions
from airpy.files.dialect import Dialect, detect_dialect
from airpy.files.layout import column_names

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
ROWS = "id,day,note\n1,2024-01-02,all well\n2,2024-01-03,rain\n3,2024-01-04,sun\n"

# Files that are written otherwise than with a comma and a header: what is different.
ANNOTATED: dict[str, dict[str, Any]] = {
    "frictionless/table-delimiter.csv": {"delimiter": ";"},
    "frictionless/delimiter.csv": {"delimiter": ";"},
    "frictionless/country-2.csv": {"delimiter": ";", "comment": "#", "skipped": 1},
    "frictionless/issue-1138.csv": {"delimiter": ";"},
    "frictionless/accent.csv": {"delimiter": ";"},
    "frictionless/matrix-with-comment.csv": {"comment": "#", "skipped": 1},
    "frictionless/skip-rows.csv": {"comment": "#", "skipped": 1},
    "frictionless/without-headers-extra.csv": {"header": 0},
    "fastparquet/nation.csv": {"delimiter": "|", "header": 0},
    "parquet-testing/data/nation.csv": {"delimiter": "|", "header": 0},
    "polars-io/graph-data/follows.csv": {"header": 0},
    "polars-io/graph-data/user.csv": {"header": 0},
}
NOT_ANNOTATED = {"empty.csv", "implicit-zip.csv", "table-infer-iso-8859-7.csv", "chunk3.csv", "chunk2.csv"}


def found(text: str, **options: Any) -> Dialect:
    """The dialect of a text."""
    return detect_dialect(text, "utf-8", ReadOptions(**options))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", ":", " ", ", ", "; ", "||", "~", "^"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    text = "".join(
        delimiter.join(f'"{cell}"' for cell in line.split(",")) + "\n" for line in ROWS.splitlines()
    )

    assert found(text).style == (delimiter, '"', None)


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a;b\n1,5;2,5\n3,5;4,5\n", ";"),
        ("Preis\n1,5\n2,75\n3,00\n", ";"),
        ("name\nfirst last\nsome body\n", ","),
        ("time\n12:30\n13:45\n", ","),
        ("text\na, b and c\nd\ne, f\n", ";"),
        ("a,b\n1;2;3,x\n4;5;6,y\n", ","),
        ("a, b, c\n1, 2,50, 3\n2, 3,75, 4\n1, 1, 1\n" + "1, 2, 3\n" * 40, ", "),
        ("FOI 1\n\nid;sum;to\n1;12,50;A\n2;9,00;B; C\n3;1,00;D\n", ";"),
        ("x\n", ","),
    ],
)
def test_the_letters_of_values_are_no_delimiters(text: str, delimiter: str) -> None:
    assert found(text).style.delimiter == delimiter


@pytest.mark.parametrize(
    ("text", "quote", "escape"),
    [
        ('a,b\n"x,y",1\n', '"', None),
        ("a,b\n'x,y',1\n'z',2\n", "'", None),
        ("a,b\n'Men's, low',1\n'it's',2\n'z',3\n", "'", None),
        ("a,b\nO'Neill,1\n'tis,2\n", '"', None),
        ('a,b\n5" pipe,1\n6" pipe,2\n', None, None),
        ('a,b\n"5\\" pipe, long",1\n"x",2\n', '"', "\\"),
        ('a,b\n"C:\\dir\\",1\n"x",2\n', '"', None),
    ],
)
def test_quotes_and_escapes_are_found(text: str, quote: str | None, escape: str | None) -> None:
    style = found(text).style

    assert (style.delimiter, style.quote, style.escape) == (",", quote, escape)


@pytest.mark.parametrize(
    ("text", "line_end", "mixed"),
    [
        ("a,b\n1,2\n", "\n", False),
        ("a,b\r\n1,2\r\n", "\r\n", False),
        ("a,b\r1,2\r", "\r", False),
        ("a,b\r\n1,2\n3,4\r\n", "\r\n", False),
        ("a,b\r1,2\n3,4\r5,6\r", "\r", True),
        ('a,b\n1,"x\ry"\n', "\n", False),
    ],
)
def test_line_ends_are_found(text: str, line_end: str, mixed: bool) -> None:  # noqa: FBT001
    dialect = found(text)

    assert (dialect.line_end, dialect.mixed_ends) == (line_end, mixed)


@pytest.mark.parametrize(
    ("text", "header", "skipped", "footer", "names"),
    [
        (ROWS, 1, 0, 0, ("id", "day", "note")),
        (ROWS[len("id,day,note\n") :], 0, 0, 0, ()),
        ("Report 2024\n\n" + ROWS, 1, 2, 0, ("id", "day", "note")),
        ("Report 2024,,\n,,\n" + ROWS, 1, 2, 0, ("id", "day", "note")),
        ("Report\nof 2024\n" + ROWS, 1, 2, 0, ("id", "day", "note")),
        ("# made by a program, version 2\n" + ROWS, 1, 1, 0, ("id", "day", "note")),
        ("#id,day,note\n1,2024-01-02,x\n2,2024-01-03,y\n", 1, 0, 0, ("#id", "day", "note")),
        (ROWS + "\nSource: the office\n", 1, 0, 1, ("id", "day", "note")),
        (ROWS + "Note: rain is wet\n", 1, 0, 1, ("id", "day", "note")),
        (ROWS + ",,\nNote: rain is wet,,\n", 1, 0, 2, ("id", "day", "note")),
        (ROWS + '4,2024-01-05,"of\ntwo lines"\n5,,\n', 1, 0, 0, ("id", "day", "note")),
        (ROWS + "\n5,,\n", 1, 0, 0, ("id", "day", "note")),
        (
            "Area,Men,,Women\n,2019,2020,2019\nNorth,1,2,3\nSouth,4,5,6\n",
            2,
            0,
            0,
            ("Area", "Men 2019", "2020", "Women 2019"),
        ),
        ("Area,Men,,Women\n,1,2,3\nNorth,1,2,3\nSouth,4,5,6\n", 1, 0, 0, ("Area", "Men", "", "Women")),
        (ROWS + "4\n", 1, 0, 0, ("id", "day", "note")),
        ("id,day,note\n" + ROWS, 2, 0, 0, ("id id", "day day", "note note")),
        ("a,b,c\n(kg),(m),(s)\n1,2,3\n4,5,6\n7,8,9\n", 2, 0, 0, ("a (kg)", "b (m)", "c (s)")),
        ("a,b,c\n-,-,-\n1,2,3\n4,5,6\n7,8,9\n", 1, 0, 0, ("a", "b", "c")),
        ("name,2011,2012\nNorth,1.5,2.5\nSouth,3.5,4.5\n", 1, 0, 0, ("name", "2011", "2012")),
        ("set,x,y\nI,1.5,2.5\nII,3.5,4.5\n", 1, 0, 0, ("set", "x", "y")),
        ("AB-12,x\nAC-13,y\nAD-14,z\n", 0, 0, 0, ()),
        ("Anna,Oslo\nAnna,Oslo\nBen,Rome\n", 1, 0, 0, ("Anna", "Oslo")),
        ("name,city\nAnna,Oslo\nBen,Rome\n", 1, 0, 0, ("name", "city")),
        ("Title\n\nname,n\nAnna,1\nBen,2\n", 1, 2, 0, ("name", "n")),
        ("title,\n,\nname,n\nAnna,1\nBen,2\n", 1, 2, 0, ("name", "n")),
        ("name,\nAnna,1\nBen,2\n", 1, 0, 0, ("name", "")),
        ("only,a,header\n", 1, 0, 0, ("only", "a", "header")),
        ("one\nnorth\nsouth\n", 1, 0, 0, ("one",)),
    ],
)
def test_the_table_is_found_in_what_stands_around_it(
    text: str, header: int, skipped: int, footer: int, names: tuple[str, ...]
) -> None:
    layout = found(text).layout

    assert (layout.header_rows, layout.skipped_lines, layout.footer_lines) == (header, skipped, footer)
    assert layout.names == names


def test_what_the_options_say_is_not_looked_for() -> None:
    text = "x;1\n#;2\n'y';3\n"

    assert found(text, delimiter="::").style.delimiter == "::"
    assert found(text, quote="").style.quote is None
    assert found(text, quote="'").style.quote == "'"
    assert found('a,b\n"x\\"y",1\n"z",2\n', escape="").style.escape is None
    assert found(text, comment="").comment is None
    assert found(text, comment="x").comment == "x"
    assert found(text, header=True).layout.names == ("x", "1")
    assert found(text, header=False).layout.header_rows == 0
    assert found(ROWS, skip=2, header=True).layout.names == ("2", "2024-01-03", "rain")
    assert found("Report 2024\n\n" + ROWS, skip=0).layout.skipped_lines == 0


@pytest.mark.parametrize(
    ("header", "width", "names"),
    [
        (["a", "b"], 2, ("a", "b")),
        (["a", ""], 3, ("a", "column_2", "column_3")),
        (["a", "a", "a"], 3, ("a", "a_2", "a_3")),
        (["a", "a", "a_2"], 3, ("a", "a_3", "a_2")),
        (["", "column_1"], 2, ("column_1", "column_1_2")),
        ([], 2, ("column_1", "column_2")),
    ],
)
def test_every_column_has_a_name_of_its_own(header: list[str], width: int, names: tuple[str, ...]) -> None:
    assert column_names(header, width) == names


@pytest.mark.skipif(not CORPORA.exists(), reason="the public corpora are not here")
def test_real_files_are_told_right() -> None:
    files = [path for path in sorted(CORPORA.rglob("*.csv")) if path.name not in NOT_ANNOTATED]
    wrong = {}
    for path in files:
        name = str(path.relative_to(CORPORA))
        text = path.read_bytes()[: 256 * 1024].decode("utf-8-sig", errors="ignore")
        dialect = found(text[: text.rfind("\n") + 1] if len(text) > 200_000 else text)
        truth = {"delimiter": ",", "comment": None, "skipped": 0, "header": 1} | ANNOTATED.get(name, {})
        told = {
            "delimiter": dialect.style.delimiter,
            "comment": dialect.comment,
            "skipped": dialect.layout.skipped_lines,
            "header": dialect.layout.header_rows,
        }
        if told != truth:
            wrong[name] = told

    assert len(files) > 80
    assert len(wrong) <= 0.03 * len(files), wrong

"""How much of polluted CSV files is read right with no options, beside other readers in the same run.

    python benchmarks/polluted_csv.py [seed] [system …]

Five clean tables of different shapes are each polluted in one way per file, as the Pollock benchmark (VLDB
2023) describes it, and what a reader makes of a file is compared with the clean table as multisets:
success, and precision, recall and F1 of the header's values, of the records and of all values; ten figures,
10 at most. A record is its values one after another, numbers and upper case made alike; values are compared
as they are written. Simple is the mean over all files, weighted the mean by how often real files are so.
Every row and column of a table is polluted in turn, up to a dozen rows and eight columns of each.
"""

from __future__ import annotations

import csv
import io
import random
import sys
import tempfile
import time
import warnings
from collections import Counter, defaultdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import clevercsv
import duckdb
import pandas as pd
import polars as pl

from airpy.contract import ReadOptions
from airpy.files.datasets import dataset_at
from airpy.files.paths import FileRoot
from airpy.files.scan import scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Rows: TypeAlias = list[list[str]]
MOST_ROWS, MOST_COLUMNS = 12, 8


class Polluted(NamedTuple):
    """A file, what it should be read as, and how often real files are so."""

    name: str
    kind: str
    weight: float
    content: bytes
    truth: Rows


class Written(NamedTuple):
    """How a table is written when it is clean."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    line_end: str = "\r\n"
    all_quoted: bool = True


# Clean tables


def products(chance: random.Random) -> Rows:
    """Dates, amounts, inch marks, commas in text, an empty last column."""
    nouns = ["Boots", "Jacket", "Rod", "Socks", "Cap", "Table", "Chair", "Tee"]
    rows = [["DATE", "TIME", "Qty", "PRODUCTID", "Price", "Name", "Description", "URL", "Comments"]]
    for number in range(40):
        code = f"{chance.choice('ABMR')}{chance.choice('NGH')}-{chance.randint(1000, 9999)}"
        size = chance.choice(["", f', Round {chance.randint(5, 60)}"', ", Low"])
        rows.append(
            [
                f"{chance.randint(13, 28)}/0{chance.randint(1, 9)}/2018",
                f"{number // 4:02}:{number % 4 * 15:02}",
                str(chance.randint(0, 30)),
                code,
                f"${chance.randint(1, 90)}.{chance.randint(10, 99)}",
                f"{chance.choice(['Men', 'Women', 'Kid'])}'s {chance.choice(nouns)}{size}",
                f"Light, warm; it won't let you down: {chance.choice(nouns)} {number}.",
                f"https://www.example.com/product/{code}.html",
                "",
            ]
        )
    return rows


def pairs(chance: random.Random) -> Rows:
    """Two columns."""
    return [["city", "people"]] + [
        [chance.choice(["Oslo", "Rome", "Bern", "Kyiv", "Lima"]) + f" {n}", str(chance.randint(1000, 10**7))]
        for n in range(30)
    ]


def wide(chance: random.Random) -> Rows:
    """Forty columns of numbers."""
    return [["id", *(f"m{n}" for n in range(1, 40))]] + [
        [str(n), *(f"{chance.gauss(0, 10):.3f}" for _ in range(39))] for n in range(25)
    ]


def letters(chance: random.Random) -> Rows:
    """Line ends in values, and letters that are no ASCII."""
    words = ["Käse", "Łódź", "naïve", "東京", "señor", "Ωmega", "crème; brûlée"]
    return [["Name", "Größe", "Bemerkung", "Datum"]] + [
        [
            chance.choice(words),
            str(chance.randint(1, 200)),
            f"{chance.choice(words)}\n{chance.choice(words)}, {n}" if n % 3 else chance.choice(words),
            f"2024-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
        ]
        for n in range(30)
    ]


def amounts(chance: random.Random) -> Rows:
    """Decimal commas, dates with points, semicolons in text."""
    return [["Datum", "Konto", "Text", "Soll", "Haben"]] + [
        [
            f"{chance.randint(1, 28):02}.{chance.randint(1, 12):02}.2023",
            str(chance.randint(1000, 9999)),
            chance.choice(["Miete; Mai", "Strom", "Lohn, brutto", "Rückzahlung"]) + f" {n}",
            f"{chance.randint(0, 5000)},{chance.randint(10, 99)}",
            f"{chance.randint(0, 5000)},{chance.randint(10, 99)}" if n % 2 else "",
        ]
        for n in range(30)
    ]


TABLES: dict[str, tuple[Callable[[random.Random], Rows], Written]] = {
    "products": (products, Written()),
    "pairs": (pairs, Written(all_quoted=False)),
    "wide": (wide, Written(all_quoted=False)),
    "letters": (letters, Written()),
    "amounts": (amounts, Written(all_quoted=False)),
}


# Pollution


def cell(value: str, how: Written) -> str:
    """A value as it is written."""
    marks = (how.delimiter, how.quote, "\n", "\r")
    if not how.all_quoted and not any(mark in value for mark in marks):
        return value
    return how.quote + value.replace(how.quote, how.escape + how.quote) + how.quote


def line(row: list[str], how: Written) -> str:
    """A row as it is written, without its end."""
    return how.delimiter.join(cell(value, how) for value in row)


def text(lines: list[str], how: Written) -> bytes:
    """Lines as a file."""
    return "".join(each + how.line_end for each in lines).encode()


def whole_files(rows: Rows, how: Written) -> Iterator[Polluted]:
    """What is done to all of a file."""
    lines = [line(row, how) for row in rows]
    header, body = rows[0], rows[1:]

    def other(kind: str, weight: float, changed: Written, truth: Rows = rows) -> Polluted:
        return Polluted(kind, kind, weight, text([line(row, changed) for row in rows], changed), truth)

    yield Polluted("source", "source", 1, text(lines, how), rows)
    yield Polluted("no bytes", "no bytes", 15, b"", [])
    yield Polluted("no last line end", "no last line end", 184, text(lines, how)[: -len(how.line_end)], rows)
    yield Polluted("two last line ends", "two last line ends", 5, text([*lines, ""], how), rows)
    yield Polluted("no header", "no header", 470, text(lines[1:], how), body)
    for count in (2, 3):
        joined = [" ".join([name] * count) for name in header]
        content = text([lines[0]] * (count - 1) + lines, how)
        yield Polluted(f"header of {count} rows", "header of rows", 47, content, [joined, *body])
    title = how.delimiter.join(["PREAMBLE"] + [""] * (len(header) - 1))
    blank = how.delimiter * (len(header) - 1)
    yield Polluted("preamble", "preamble", 282, text([title, blank, *lines], how), rows)
    second = lines[1:]
    yield Polluted("two tables, same", "two tables", 62.7, text(lines + second, how), rows + body)
    if len(header) > 2:
        fewer = [row[:-1] for row in body]
        content = text(lines + [line(row, how) for row in fewer], how)
        yield Polluted("two tables, fewer", "two tables", 62.7, content, rows + fewer)
    more = [[*row, row[-1]] for row in body]
    content = text(lines + [line(row, how) for row in more], how)
    yield Polluted("two tables, more", "two tables", 62.7, content, rows + more)
    yield Polluted("header alone", "header alone", 3, text(lines[:1], how), rows[:1])
    yield Polluted("one row", "one row", 4, text(lines[:2], how), rows[:2])
    yield other("CR", 7, how._replace(line_end="\r"))
    yield other("LF", 1691, how._replace(line_end="\n"))
    yield other("tab", 4, how._replace(delimiter="\t"))
    yield other("semicolon", 834, how._replace(delimiter=";"))
    yield other("space", 4, how._replace(delimiter=" "))
    yield other("comma and space", 101, how._replace(delimiter=", "))
    yield other("apostrophes", 11, how._replace(quote="'", escape=""))
    yield other("backslashes", 1, how._replace(escape="\\"))
    yield other("no escapes", 7, how._replace(escape=""))


def rows_and_columns(rows: Rows, how: Written) -> Iterator[Polluted]:
    """What is done to one row, at each row and each column."""
    lines = [line(row, how) for row in rows]
    width = len(rows[0])
    places = spread(len(rows), MOST_ROWS)
    columns = spread(width, MOST_COLUMNS)
    share = 1 / (len(places) * len(columns))
    for place in places:
        cells = [cell(value, how) for value in rows[place]]

        def changed(new: str, place: int = place) -> bytes:
            return text([*lines[:place], new, *lines[place + 1 :]], how)

        for column in columns:
            at = how.delimiter.join
            more = at([*cells[:column], "", *cells[column:]])
            yield Polluted(f"more {place} {column}", "separator too many", 336 * share, changed(more), rows)
            if column:
                less = at([*cells[: column - 1], cells[column - 1] + cells[column], *cells[column + 1 :]])
                yield Polluted(
                    f"less {place} {column}", "separator too few", 336 * share, changed(less), rows
                )
            value = rows[place][column]
            plain = cell(value, how)
            stray = '"' + plain if not plain.startswith('"') else '""' + plain[1:]
            dirty = at([*cells[:column], stray, *cells[column + 1 :]])
            truth_row = [*rows[place][:column], '"' + value, *rows[place][column + 1 :]]
            truth = [*rows[:place], truth_row, *rows[place + 1 :]]
            yield Polluted(f"quote {place} {column}", "stray quote", 9 * share, changed(dirty), truth)
        spaced = " ".join(cells)
        yield Polluted(f"spaces {place}", "row of spaces", 14 / len(places), changed(spaced), rows)


def spread(count: int, most: int) -> list[int]:
    """At most so many of the numbers below `count`, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return sorted({round(n * (count - 1) / (most - 1)) for n in range(most)})


# Readers


def by_airpy(path: Path, scratch: Path) -> Rows:
    """This service's reader, which is told nothing but to leave text as it is."""
    root = FileRoot.at(path.parent, (".csv",))
    opened = scan(
        dataset_at(root, path.name, "uri"), ReadOptions(types="string"), infer_rows=1000, scratch=scratch
    )
    return rows_of(opened.frame.collect())


def rows_of(frame: pl.DataFrame) -> Rows:
    """The names of the columns, and the rows; null is empty."""
    values = frame.with_columns(pl.all().cast(pl.String).fill_null(""))
    return [values.columns, *map(list, values.rows())]


def by_duckdb(path: Path, scratch: Path) -> Rows:
    """DuckDB, lenient and all text."""
    del scratch
    with duckdb.connect() as connection:
        relation = connection.read_csv(
            str(path),
            all_varchar=True,
            null_padding=True,
            ignore_errors=True,
            strict_mode=False,
            parallel=False,
        )
        rows = [["" if value is None else value for value in row] for row in relation.fetchall()]
        return [relation.columns, *rows]


def by_clevercsv(path: Path, scratch: Path) -> Rows:
    """CleverCSV, which finds the dialect."""
    del scratch
    content = path.read_text("utf-8")
    dialect = clevercsv.Sniffer().sniff(content)
    if dialect is None:
        message = "no dialect"
        raise ValueError(message)
    return list(clevercsv.reader(io.StringIO(content, newline=""), dialect))


def by_sniffer(path: Path, scratch: Path) -> Rows:
    """The standard library's Sniffer."""
    del scratch
    with path.open(newline="", encoding="utf-8") as file:
        content = file.read()
        dialect = csv.Sniffer().sniff(content)
        return list(csv.reader(io.StringIO(content, newline=""), dialect))


def by_polars(path: Path, scratch: Path) -> Rows:
    """Polars, told nothing."""
    del scratch
    return rows_of(pl.read_csv(path))


def by_pandas(path: Path, scratch: Path) -> Rows:
    """pandas, told nothing but to leave text as it is."""
    del scratch
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    return [list(map(str, frame.columns)), *frame.to_numpy().tolist()]


SYSTEMS: dict[str, Callable[[Path, Path], Rows]] = {
    "airpy": by_airpy,
    "duckdb": by_duckdb,
    "clevercsv": by_clevercsv,
    "sniffer": by_sniffer,
    "polars": by_polars,
    "pandas": by_pandas,
}


# Score


def alike(value: str) -> str:
    """A value without what does not matter of it in a record: case, and how a number is written."""
    try:
        return str(float(value))
    except ValueError:
        return str(value).lower()


def three(truth: list[str], found: list[str]) -> list[float]:
    """Precision, recall and F1."""
    if not truth:
        return [1.0, 1.0, 1.0]
    same = (Counter(truth) & Counter(found)).total()
    if not same:
        return [0.0, 0.0, 0.0]
    precision, recall = same / len(truth), same / len(found)
    return [precision, recall, 2 * precision * recall / (precision + recall)]


def score(truth: Rows, found: Rows | None) -> float:
    """Of ten."""
    if found is None:
        return 0.0
    if not truth:
        return 10.0
    header = three(list(map(alike, truth[0])), list(map(alike, found[0])) if found else [])
    records = three(
        ["".join(map(alike, row)) for row in truth[1:]], ["".join(map(alike, row)) for row in found[1:]]
    )
    cells = three([value for row in truth for value in row], [value for row in found for value in row])
    return 1 + sum(header) + sum(records) + sum(cells)


def main() -> None:
    """Pollute, read, and tell."""
    arguments = sys.argv[1:]
    seed = int(arguments.pop(0)) if arguments and arguments[0].isdigit() else 1
    systems = arguments or list(SYSTEMS)
    warnings.simplefilter("ignore")
    files = [
        polluted._replace(name=f"{table}: {polluted.name}")
        for table, (make, how) in TABLES.items()
        for pollute in (whole_files, rows_and_columns)
        for polluted in pollute(make(random.Random(f"{seed} {table}")), how)  # noqa: S311  no secret
    ]
    print(f"{len(files)} files, seed {seed}")
    by_kind: dict[str, dict[str, list[float]]] = defaultdict(partial(defaultdict, list))
    for system in systems:
        run(system, files, by_kind)
    print(f"\n{'kind':24}" + "".join(f"{system:>11}" for system in systems))
    for kind, scores in sorted(by_kind.items()):
        print(f"{kind:24}" + "".join(f"{sum(s := scores[each]) / len(s):11.3f}" for each in systems))


def run(system: str, files: list[Polluted], by_kind: dict[str, dict[str, list[float]]]) -> None:
    """Read every file with one system, and print its line."""
    simple = weighted = weights = failed = longest = 0.0
    worst: list[tuple[float, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        path, scratch = Path(folder) / "a.csv", Path(folder) / "scratch"
        scratch.mkdir()
        for file in files:
            path.write_bytes(file.content)
            for left in scratch.iterdir():
                left.unlink()
            began = time.perf_counter()
            try:
                found: Rows | None = SYSTEMS[system](path, scratch)
            except BaseException as error:  # noqa: BLE001  a panic is no Exception
                found = [] if not file.content else None
                failed += bool(file.content)
                if system == "airpy" and file.content:
                    worst.append((0, f"{file.name}: {type(error).__name__} {str(error)[:100]}"))
            longest = max(longest, time.perf_counter() - began)
            points = score(file.truth, found)
            by_kind[file.kind][system].append(points)
            simple += points
            weighted += points * file.weight
            weights += file.weight
            worst.append((points, file.name))
    print(
        f"{system:10} simple {simple / len(files):.3f}  weighted {weighted / weights:.3f}  "
        f"success {1 - failed / len(files):.3f}  longest {longest:.2f} s"
    )
    if system == "airpy":
        for points, name in sorted(worst)[:25]:
            print(f"    {points:.2f} {name}")


if __name__ == "__main__":
    main()

"""Makes a CSV file one that Polars reads right: as it is, or rewritten where it is not plain."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
from pydantic import TypeAdapter

from airpy.contract import Faults, TextForm
from airpy.errors import FileUnavailable
from airpy.files.cells import plain_line
from airpy.files.counting import COUNTED_BYTES
from airpy.files.dialect import Dialect, detect_dialect, lines_of
from airpy.files.encodings import detect_encoding, known_encoding, no_text_in
from airpy.files.faults import MOST_EXAMPLES
from airpy.files.formats import compression_of
from airpy.files.layout import column_names
from airpy.files.memory import as_json, remembered
from airpy.files.records import read_records
from airpy.files.rewriting import fresh, in_utf8, rewrite
from airpy.files.suspicion import Misread, misread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from airpy.contract import Fault
    from airpy.files.formats import Compression
    from airpy.files.opening import Opening

__all__ = ["CsvFile", "Plain", "faults_of", "prepare", "read"]

DIALECT, NUMBER = as_json(TypeAdapter(Dialect)), as_json(TypeAdapter(int))
UTF_8 = {"utf-8", "utf-8-sig"}
WHOLE_BYTES = 256 * 1024
"""Files up to this size are looked at in whole; of larger ones, both ends."""
HEAD_BYTES = 32 * 1024
"""Twice as much where more than the first rows is wanted."""
TAIL_BYTES = 16 * 1024
MOST_CUT = 100
"""Lines before the end of the head in which a value may begin that goes on behind it."""


class Plain(NamedTuple):
    """How Polars is to read a file."""

    delimiter: str = ","
    quote: str | None = '"'
    line_end: str = "\n"
    skip_lines: int = 0
    comment: str | None = None
    first_line: bool = False
    """Whether a line before the rows says how many columns there are."""


class CsvFile(NamedTuple):
    """A CSV file, and how it is read."""

    path: Path
    source: Path
    """Its text in UTF-8; itself, where it is that."""
    readable: Path
    """What Polars reads in its place; itself, where it is plain."""
    dialect: Dialect
    columns: tuple[str, ...]
    form: TextForm
    plain: Plain
    ragged: int = 0
    """Rows with more or fewer values than the header, where that was seen."""
    examples: tuple[Fault, ...] = ()
    codes: bool | None = None
    """Whether it has codes that the reader would take for numbers; None when nobody has looked."""

    @property
    def alike(self) -> tuple[Plain, tuple[str, ...]]:
        """Files of which this is the same can be read in one scan."""
        return self.plain, self.columns


def prepare(path: Path, opening: Opening) -> CsvFile:
    """The file in a form that Polars reads right; a copy in the scratch directory where itself is not.

    Raises:
        FileUnavailable: It is empty, or no text in its encoding.
        InvalidOptions: The options name an encoding that there is not.
    """
    options, shown, local = opening.options, opening.dataset.root.shown(path), opening.local[path]
    encoding = (
        detect_encoding(local, whole=opening.careful, shown=shown)
        if options.encoding is None
        else known_encoding(options.encoding)
    )
    source = in_utf8(local, encoding, opening.scratch, UTF_8, shown)
    head, tail = _ends(source, HEAD_BYTES if opening.head_only else 2 * HEAD_BYTES)
    if not head.strip():
        raise FileUnavailable(
            f'"{path.name}" is empty', constraint="a header line at least", reason="EMPTY_FILE"
        )
    dialect = _dialect(opening, source, local, encoding, head, tail)
    layout, style = dialect.layout, dialect.style
    columns = column_names(layout.names, layout.width)
    ragged, odd = _head_faults(head, tail, dialect, len(columns))
    reach = _reach(opening, source, head, tail)
    careful = opening.careful or odd or _needs_rewriting(dialect)
    found = None if careful or not reach else _misread(opening, source, local, dialect, head, reach)
    codes: bool | None = None
    if careful or found == Misread.ROWS:
        target = fresh(opening.scratch, ".csv")
        try:
            written = rewrite(source, target, dialect, len(columns), shown, opening.rows_per_file)
        except UnicodeDecodeError:
            if opening.careful or options.encoding is not None:
                raise no_text_in(source, "utf-8", shown) from None
            return prepare(path, opening._replace(careful=True))  # what tells its encoding is behind the head
        if written.width > len(columns):
            columns = column_names(layout.names, written.width)
        plain, readable = Plain(first_line=True), target
        ragged, examples = written.ragged, tuple(written.examples)
    else:
        plain = Plain(
            style.delimiter,
            style.quote,
            "\r" if dialect.line_end == "\r" else "\n",
            layout.data_line - 1,
            dialect.comment,
        )
        readable, examples = source, ()
        if found is not None and reach >= source.stat().st_size:
            codes = Misread.CODES in found
    return CsvFile(
        path,
        source,
        readable,
        dialect,
        columns,
        _form(dialect, shown, compression_of(path), rewritten=readable != local),
        plain,
        ragged,
        examples,
        codes,
    )


def read(
    files: Sequence[CsvFile],
    types: Mapping[str, pl.DataType],
    null: Sequence[str] = (),
    *,
    content: bytes | None = None,
) -> pl.LazyFrame:
    """Files that are alike as one frame; a column that has no type is text, and these values are null.

    Where there is content, it is read in their place.
    """
    plain, columns = files[0].alike
    return pl.scan_csv(
        [file.readable for file in files] if content is None else content,
        has_header=plain.first_line,
        separator=plain.delimiter,
        quote_char=plain.quote,
        eol_char=plain.line_end,
        skip_lines=plain.skip_lines,
        comment_prefix=plain.comment,
        infer_schema=False,
        null_values=list(null) or None,
        new_columns=columns,
        schema_overrides={name: types.get(name, pl.String()) for name in columns},
        raise_if_empty=False,
        glob=False,
    )


def faults_of(files: Iterable[CsvFile]) -> Faults:
    """What of the files could not be read as it stands, where that was seen."""
    files = list(files)
    examples = [example for file in files for example in file.examples]
    return Faults(
        rows_skipped=0,
        values_nulled=0,
        rows_ragged=sum(file.ragged for file in files),
        examples=examples[:MOST_EXAMPLES],
    )


def _ends(source: Path, most: int) -> tuple[str, str]:
    """The beginning of a file in UTF-8 and its end, in whole lines; no end where the beginning is all."""
    size = source.stat().st_size
    with source.open("rb") as file:
        head = file.read(WHOLE_BYTES if size <= WHOLE_BYTES else most)
        if size == len(head):
            return head.decode("utf-8-sig", errors="ignore"), ""
        cut = max(head.rfind(b"\n"), head.rfind(b"\r") if b"\n" not in head else -1)
        file.seek(max(len(head), size - TAIL_BYTES))
        tail = file.read()
    begin = tail.find(b"\n") if b"\n" in tail else tail.find(b"\r")
    return (
        head[: cut + 1 or None].decode("utf-8-sig", errors="ignore"),
        tail[begin + 1 :].decode("utf-8", errors="ignore"),
    )


def _dialect(opening: Opening, source: Path, local: Path, encoding: str, head: str, tail: str) -> Dialect:
    """How the file is written; of one that goes on behind its head it is remembered."""
    options = opening.options
    return remembered(
        opening.dataset.root.memory if tail and source == local else None,
        source,
        repr(("dialect", encoding, options.model_dump_json(), len(head))),
        lambda: detect_dialect(head, encoding, options, tail),
        DIALECT,
    )


def _misread(opening: Opening, source: Path, local: Path, dialect: Dialect, head: str, reach: int) -> Misread:
    """What may be wrong somewhere behind the file's head; remembered when all of it was looked at."""
    whole = source == local and reach >= source.stat().st_size
    found = remembered(
        opening.dataset.root.memory if whole else None,
        source,
        repr(("misread", dialect)),
        lambda: int(misread(source, dialect, head, reach)),
        NUMBER,
    )
    return Misread(found)


def _reach(opening: Opening, source: Path, head: str, tail: str) -> int:
    """How many bytes of the file will be read; 0 when the head has them all."""
    wanted = opening.infer_rows if opening.head_only else opening.rows_per_file
    if not tail:
        return 0
    if wanted is None or source.stat().st_size <= COUNTED_BYTES:
        return sys.maxsize
    rows = max(head.count("\n"), head.count("\r"), 1)
    # Later rows may be longer. A preview shows fewer rows than it asks for their types.
    seen = 4 * rows if opening.head_only else rows // 2
    return 0 if wanted <= seen else 2 * wanted * len(head.encode()) // rows


def _needs_rewriting(dialect: Dialect) -> bool:
    """Whether Polars cannot be told of how it is written."""
    style = dialect.style
    letters = (style.delimiter, style.quote or "", dialect.comment or "")
    return bool(
        len(style.delimiter) != 1
        or not all(map(str.isascii, letters))
        or style.escape
        or dialect.mixed_ends
        or dialect.layout.footer_lines
    )


def _head_faults(head: str, tail: str, dialect: Dialect, width: int) -> tuple[int, bool]:
    """Rows with too few values, in the ends that were looked at, and whether Polars would err."""
    lines = list(lines_of(head, dialect.line_end, mixed=dialect.mixed_ends))[dialect.layout.data_line - 1 :]
    if width > 1 and any(not line.strip("\r\n") for line in lines):
        return 0, True
    plain = plain_line(dialect.style, width)
    ragged = rows = 0
    for record in read_records(lines, dialect.style, width, dialect.comment, plain):
        if tail and record.open_quote and record.line > len(lines) - MOST_CUT:
            break  # it may well be closed behind the head
        rows += 1
        if record.text is None:
            if not record.strict or len(record.cells) > width:
                return ragged, True
            if len(record.cells) < width:
                if rows == 1:
                    return ragged, True  # of the first row Polars learns how many columns there are
                ragged += 1
    # What begins in the middle of a value tells nothing; quotes are looked at in all of the file.
    lines = list(lines_of(tail, dialect.line_end, mixed=dialect.mixed_ends))
    records = list(read_records(lines, dialect.style, width, dialect.comment, plain))
    if all(record.strict for record in records):
        if any(len(record.cells) > width for record in records):
            return ragged, True
        ragged += sum(record.text is None and len(record.cells) < width for record in records)
    return ragged, not rows  # nor does Polars learn it of nothing


def _form(dialect: Dialect, shown: str, compression: Compression | None, *, rewritten: bool) -> TextForm:
    style, layout = dialect.style, dialect.layout
    return TextForm(
        files=1,
        example=shown,
        encoding=dialect.encoding,
        compression=compression,
        delimiter=style.delimiter,
        quote=style.quote or "",
        escape=style.escape or "",
        comment=dialect.comment or "",
        line_end=dialect.line_end,
        header=layout.header_rows > 0,
        header_rows=layout.header_rows,
        skipped_lines=layout.skipped_lines,
        footer_lines=layout.footer_lines,
        rewritten=rewritten,
    )

"""Opens files with a JSON object on each line as one lazy frame.

What the lines hold is told from the first of them, or from all where the plan does not name its columns.
The engine reads the files themselves; only those are put into plain form before that it would not read, or
not as they are meant: of values of different kinds in one column, of keys that stand twice, of one list.
"""

from __future__ import annotations

import glob
from functools import partial
from typing import TYPE_CHECKING, Protocol

import polars as pl

from airpy.engine.evidence import infer_types
from airpy.engine.text_types import known_as_null
from airpy.errors import AirError
from airpy.files.casting import as_type, asked_types, check_known, every_value_text
from airpy.files.evolution import evolution_of, spellings
from airpy.files.faults import CheckedFile, added, count_faults, first_fault, lenient
from airpy.files.json_kinds import Kind
from airpy.files.json_sources import form_of, lets_pass, notes_on, plain_form, source_of
from airpy.files.json_survey import BLOCK, survey
from airpy.files.opening import MOST_COMPARED, Opened, first_rows, forms_of, share, spread, together

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from airpy.contract import Fault
    from airpy.files.json_sources import JsonSource
    from airpy.files.opening import Opening

__all__ = ["scan_jsonl"]

MOST_HELD_BYTES = 32 * 1024 * 1024
"""Lines that need more are read from the file itself."""


class _Read(Protocol):
    """Reads files that are spelled alike, or content in their place."""

    def __call__(self, paths: Sequence[Path], content: bytes | None = None) -> pl.LazyFrame:
        """One frame of them."""


def scan_jsonl(opening: Opening) -> Opened:
    """Files with a JSON object on each line; strings that are all dates or timestamps become those.

    Raises:
        FileUnavailable: A line is no object, where that is not to be let pass.
        CapExceeded: A line is too long, or there are too many keys.
    """
    options = opening.options
    sources = {path: source_of(path, opening) for path in opening.files}
    spelled = spellings({path: source.found.kind.members for path, source in sources.items()})
    columns = _columns(sources, spelled)
    if opening.every_column:
        check_known(options, columns)
    asked, left_out = asked_types(options), lets_pass(options)
    as_text = {
        name
        for name, kind in columns.items()
        if every_value_text(options) or kind.mixed or _by_its_text(kind, asked.get(name))
    }
    untold = as_text - asked.keys() if options.types != "string" else set()
    schema = pl.Schema({n: pl.String() if n in as_text else kind.dtype for n, kind in columns.items()})
    plain, faults = plain_form(sources, spelled, as_text, opening, len(schema))

    def read(paths: Sequence[Path], content: bytes | None = None) -> pl.LazyFrame:
        other = {spelling: name for name, spelling in spelled.get(paths[0], {}).items()}
        # Alone among the readers this one has no switch for patterns, so their letters are quoted.
        frame = pl.scan_ndjson(
            [glob.escape(str(plain[path])) for path in paths] if content is None else content,
            schema={other.get(name, name): dtype for name, dtype in schema.items()},
        ).rename({name: spelling for spelling, name in other.items()})
        texts = [pl.nth(place) for place, dtype in enumerate(schema.values()) if dtype == pl.String()]
        markers = options.null_markers or []
        return frame.with_columns(known_as_null(text, markers) for text in texts) if markers else frame

    wanted = {name: dtype for name, dtype in asked.items() if name in schema}
    if not every_value_text(options):
        used = None if left_out else opening.columns
        strings = [
            place
            for place, (name, kind) in enumerate(columns.items())
            if kind.kinds == {str} and name not in as_text and (used is None or name in used)
        ]
        if strings:
            wanted = _moments(opening, plain, read, strings) | wanted

    def values(*, strict: bool) -> dict[str, tuple[pl.Expr, pl.Expr]]:
        """By column that becomes another type: what is read, and what becomes of it."""
        return {
            name: (
                pl.nth(place),
                as_type(pl.nth(place), dtype, wanted[name], options.date_format, strict=strict),
            )
            for place, (name, dtype) in enumerate(schema.items())
            if wanted.get(name, dtype) != dtype
        }

    def checked(path: Path) -> CheckedFile:
        return CheckedFile(sources[path].name, read([path]), values(strict=False))

    def read_typed(paths: Sequence[Path]) -> pl.LazyFrame:
        if left_out:
            return pl.concat([lenient(checked(path), left_out) for path in paths])
        return read(paths).with_columns(value.alias(name) for name, (_, value) in values(strict=True).items())

    if left_out and values(strict=True):
        faults = added(faults, count_faults(map(checked, opening.files), left_out))
    return Opened(
        together(opening, read_typed, spelled.get),
        texts=forms_of(
            form_of(source, path, rewritten=plain[path] != opening.local[path])
            for path, source in sources.items()
        ),
        evolution=lambda: evolution_of(
            {source.name: source.found.kind.types for source in sources.values()},
            {name: wanted.get(name, dtype) for name, dtype in schema.items()},
            {sources[path].name: renamed for path, renamed in spelled.items()},
        ),
        faults=faults,
        notes=notes_on(sources, {name: kind for name, kind in columns.items() if name in untold}),
        locate=partial(_locate, sources, checked),
    )


def _columns(
    sources: Mapping[Path, JsonSource], spelled: Mapping[Path, Mapping[str, str]]
) -> dict[str, Kind]:
    """What the columns of all files hold, by the names that they have in all of them."""
    union = Kind()
    for path, source in sources.items():
        names = spelled.get(path, {})
        members = {names.get(name, name): kind for name, kind in source.found.kind.members.items()}
        union.merge(Kind(members=members))
    return union.members


def _by_its_text(kind: Kind, target: pl.DataType | None) -> bool:
    """Whether a column becomes what is asked by way of its text."""
    if target is None or kind.kinds == {str}:
        return False
    return not (target.is_numeric() and kind.kinds <= {int, float})


def _moments(
    opening: Opening, plain: Mapping[Path, Path], read: _Read, strings: Sequence[int]
) -> dict[str, pl.DataType]:
    """Those of the columns of strings that are all dates or timestamps."""
    looked_into = spread(opening.files, MOST_COMPARED)
    rows = share(opening, looked_into)
    heads = [_head(path, plain[path], read, rows, strings) for path in looked_into]
    types = infer_types(pl.concat(heads))
    return {name: dtype for name, dtype in types.items() if dtype.is_temporal()}


def _head(path: Path, plain: Path, read: _Read, rows: int | None, columns: Sequence[int]) -> pl.DataFrame:
    """Columns of the first rows of a file, from its first lines alone."""
    if rows is not None and (content := _first_lines(plain, rows)):
        found = first_rows(read([path], content).select(pl.nth(columns)), rows)
        if found.height == rows or len(content) == plain.stat().st_size:
            return found  # of blank lines there are fewer rows than lines
    return first_rows(read([path]).select(pl.nth(columns)), rows)


def _first_lines(path: Path, most: int) -> bytes:
    """So many whole lines at least, or all there are; nothing where they are too long to be held."""
    blocks, lines, size = list[bytes](), 0, 0
    with path.open("rb") as file:
        while lines < most and (block := file.read(BLOCK)):
            blocks.append(block)
            lines += block.count(b"\n")
            size += len(block)
            if size > MOST_HELD_BYTES:
                return b""
        content = b"".join(blocks)
        return content if lines < most else content[: content.rfind(b"\n") + 1]


def _locate(sources: Mapping[Path, JsonSource], checked: Callable[[Path], CheckedFile]) -> Fault | None:
    """The first line that is no object, or else the first value that its column's type does not take."""
    found: list[Fault] = []

    def keep(fault: Fault) -> None:
        found.append(fault)
        raise StopIteration

    for path, source in sources.items():
        try:
            survey(source.readable, source.name, None, keep)
            if fault := first_fault([checked(path)]):
                return fault
        except StopIteration:
            return found[0]
        except (pl.exceptions.PolarsError, AirError):  # that is not for want of one value
            continue
    return None

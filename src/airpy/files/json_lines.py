"""Opens files with a JSON object on each line as one lazy frame.

What the lines hold is told from the first of them, or from all where the plan does not name its columns.
The engine reads the files themselves; only those are put into plain form before that it would not read, or
not as they are meant: of values of different kinds in one column, of keys that stand twice, of one list.
"""

from __future__ import annotations

import glob
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from airpy.contract import Faults, ReadingNote, TextForm
from airpy.engine.evidence import infer_types
from airpy.errors import AirError, FileUnavailable, listed, shortened
from airpy.files.casting import as_type, asked_types, check_known, every_value_text, known_as_null
from airpy.files.encodings import detect_encoding
from airpy.files.evolution import evolution_of, spellings
from airpy.files.faults import CheckedFile, count_faults, first_fault, lenient
from airpy.files.formats import compression_of
from airpy.files.json_kinds import Kind
from airpy.files.json_rows import begins_as_list, from_list, plain_rows
from airpy.files.json_survey import Survey, refuse, survey
from airpy.files.opening import MOST_COMPARED, Opened, first_rows, share, spread, together
from airpy.files.rewriting import in_utf8

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from airpy.contract import Fault
    from airpy.files.formats import Compression
    from airpy.files.opening import Opening

__all__ = ["scan_jsonl"]

READ_BY_JSONL = {"utf-8"}
"""The reader takes a byte-order mark for bad JSON."""
MOST_EXAMPLES = 10
MOST_NOTES = 100


class Source(NamedTuple):
    """A file, and what is known of it."""

    name: str
    """What the caller knows it by."""
    readable: Path
    """The file itself, or a copy in UTF-8 with a row on each line."""
    encoding: str
    found: Survey
    rewritten: bool


def scan_jsonl(opening: Opening) -> Opened:
    """Files with a JSON object on each line; strings that are all dates or timestamps become those.

    Raises:
        FileUnavailable: A line is no object, where that is not to be let pass.
        CapExceeded: A line is too long, or there are too many keys.
    """
    options = opening.options
    sources = {path: _source(path, opening) for path in opening.files}
    spelled = spellings({path: source.found.kind.members for path, source in sources.items()})
    union = Kind()
    for path, source in sources.items():
        union.merge(_spelled(source.found.kind, spelled.get(path, {})))
    columns = union.members
    if opening.every_column:
        check_known(options, columns)
    asked = asked_types(options)
    as_text = {
        name
        for name, kind in columns.items()
        if every_value_text(options) or kind.mixed or _by_its_text(kind, asked.get(name))
    }
    schema = pl.Schema({n: pl.String() if n in as_text else kind.dtype for n, kind in columns.items()})
    plain, faults = _plain(sources, spelled, as_text, opening, len(schema))

    def read(paths: Sequence[Path]) -> pl.LazyFrame:
        other = {spelling: name for name, spelling in spelled.get(paths[0], {}).items()}
        # Alone among the readers this one has no switch for patterns, so their letters are quoted.
        frame = pl.scan_ndjson(
            [glob.escape(str(plain[path])) for path in paths],
            schema={other.get(name, name): dtype for name, dtype in schema.items()},
        ).rename({name: spelling for spelling, name in other.items()})
        texts = [pl.nth(place) for place, dtype in enumerate(schema.values()) if dtype == pl.String()]
        markers = options.null_markers or []
        return frame.with_columns(known_as_null(text, markers) for text in texts) if markers else frame

    wanted = {name: dtype for name, dtype in asked.items() if name in schema}
    if not every_value_text(options):
        wanted = _moments(opening, read, columns, as_text) | wanted

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
        if _lets_pass(opening):
            return pl.concat([lenient(checked(path), options.on_error or "fail") for path in paths])
        return read(paths).with_columns(value.alias(name) for name, (_, value) in values(strict=True).items())

    if _lets_pass(opening) and values(strict=True):
        faults = _both(faults, count_faults(map(checked, opening.files), options.on_error or "fail"))
    return Opened(
        together(opening, read_typed, spelled.get),
        texts=_forms(sources, plain, opening.local),
        evolution=evolution_of(
            {
                source.name: {name: kind.dtype for name, kind in source.found.kind.members.items()}
                for source in sources.values()
            },
            {name: wanted.get(name, dtype) for name, dtype in schema.items()},
            {sources[path].name: renamed for path, renamed in spelled.items()},
        ),
        faults=faults,
        notes=_notes(sources, {name: columns[name] for name in as_text}, every_value_text(options)),
        locate=partial(_locate, sources, checked),
    )


def _spelled(kind: Kind, names: Mapping[str, str]) -> Kind:
    """What was seen, by the names that columns have in all files."""
    return replace(kind, members={names.get(name, name): member for name, member in kind.members.items()})


def _lets_pass(opening: Opening) -> bool:
    """Whether what cannot be read is left out."""
    return opening.options.on_error in {"skip", "null"}


def _by_its_text(kind: Kind, target: pl.DataType | None) -> bool:
    """Whether a column becomes what is asked by way of its text."""
    if target is None or kind.kinds == {str}:
        return False
    return not (target.is_numeric() and kind.kinds <= {int, float})


def _source(path: Path, opening: Opening) -> Source:
    """A file that can be read, and what its lines hold as far as they are looked at."""
    options, name, local = opening.options, opening.dataset.root.shown(path), opening.local[path]
    encoding = options.encoding or detect_encoding(local)
    readable = in_utf8(local, encoding, opening.scratch, READ_BY_JSONL)
    if begins_as_list(readable):
        target = _fresh(opening, path)
        if from_list(readable, target, path.name):
            readable = target
    looked_at = opening.rows_per_file if opening.every_column else opening.infer_rows
    if opening.careful or _lets_pass(opening):
        looked_at = None
    found = survey(readable, name, looked_at, (lambda _: None) if _lets_pass(opening) else refuse)
    if not found.rows:
        raise FileUnavailable(
            f'"{path.name}" has no rows', constraint="at least one object", reason="EMPTY_FILE"
        )
    return Source(name, readable, encoding, found, rewritten=readable != local)


def _plain(
    sources: Mapping[Path, Source],
    spelled: Mapping[Path, Mapping[str, str]],
    as_text: set[str],
    opening: Opening,
    width: int,
) -> tuple[dict[Path, Path], Faults]:
    """Where each file is read from, and what was left out of it."""
    plain: dict[Path, Path] = {}
    on_error = opening.options.on_error or "fail"
    left_out, examples = 0, list["Fault"]()
    for path, source in sources.items():
        found = source.found
        plain[path] = source.readable
        here = {name for name in found.kind.members if spelled.get(path, {}).get(name, name) in as_text}
        becomes_text = any(not found.kind.members[name].kinds <= {str} for name in here)
        if opening.careful or found.faults or found.repeated or becomes_text:
            plain[path] = _fresh(opening, path)
            rewritten = plain_rows(source.readable, plain[path], source.name, as_text | here, on_error)
            left_out += rewritten.faults
            examples += rewritten.examples[: MOST_EXAMPLES - len(examples)]
    return plain, Faults(
        rows_skipped=left_out if on_error == "skip" else 0,
        values_nulled=left_out * width if on_error == "null" else 0,
        rows_ragged=0,
        examples=examples,
    )


def _fresh(opening: Opening, path: Path) -> Path:
    """A file in the scratch directory that is not there yet."""
    return opening.scratch / f"{len(list(opening.scratch.iterdir()))}{path.suffix.lower()}"


def _moments(
    opening: Opening,
    read: Callable[[Sequence[Path]], pl.LazyFrame],
    columns: Mapping[str, Kind],
    as_text: set[str],
) -> dict[str, pl.DataType]:
    """The columns of strings that are all dates or timestamps."""
    texts = [
        place
        for place, (name, kind) in enumerate(columns.items())
        if kind.kinds == {str} and name not in as_text
    ]
    if not texts:
        return {}
    looked_into = spread(opening.files, MOST_COMPARED)
    rows = share(opening, looked_into)
    heads = [first_rows(read([path]).select(pl.nth(texts)), rows) for path in looked_into]
    types = infer_types(pl.concat(heads))
    return {name: dtype for name, dtype in types.items() if dtype.is_temporal()}


def _locate(sources: Mapping[Path, Source], checked: Callable[[Path], CheckedFile]) -> Fault | None:
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


def _both(one: Faults, other: Faults) -> Faults:
    return Faults(
        rows_skipped=one.rows_skipped + other.rows_skipped,
        values_nulled=one.values_nulled + other.values_nulled,
        rows_ragged=0,
        examples=[*one.examples, *other.examples][:MOST_EXAMPLES],
    )


def _forms(
    sources: Mapping[Path, Source], plain: Mapping[Path, Path], local: Mapping[Path, Path]
) -> tuple[TextForm, ...]:
    """How the files are written, those written alike together."""
    alike: dict[tuple[str, Compression | None, bool], list[str]] = {}
    for path, source in sources.items():
        encoding = "utf-8" if source.encoding == "utf-8-sig" else source.encoding
        alike.setdefault((encoding, compression_of(path), plain[path] != local[path]), []).append(source.name)
    return tuple(
        TextForm(
            files=len(names),
            example=names[0],
            encoding=encoding,
            compression=compression,
            rewritten=rewritten,
        )
        for (encoding, compression, rewritten), names in alike.items()
    )


def _notes(
    sources: Mapping[Path, Source], as_text: Mapping[str, Kind], asked: bool
) -> tuple[ReadingNote, ...]:
    """What a person would want to know of how the files were read."""
    first = next(iter(sources.values())).name
    notes = [
        ReadingNote(
            file=next((s.name for s in sources.values() if name in s.found.kind.members), first),
            column=name,
            text=f"text, since it holds {listed(kind.words)}; what is no string stands as its JSON",
        )
        for name, kind in as_text.items()
        if kind.mixed and not asked
    ]
    for source in sources.values():
        if source.found.repeated:
            name, line = source.found.repeated
            notes.append(
                ReadingNote(
                    file=source.name,
                    text=f'"{shortened(name)}" stands twice in one object, first in line {line:,}; the last value counts',
                )
            )
    return tuple(notes[:MOST_NOTES])

"""A file with JSON on its lines: what is known of it, its plain form, and what is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from airpy.contract import Faults, ReadingNote, TextForm
from airpy.errors import FileUnavailable, listed, shortened
from airpy.files.encodings import detect_encoding
from airpy.files.faults import MOST_EXAMPLES
from airpy.files.formats import compression_of
from airpy.files.json_rows import begins_as_list, from_list, plain_rows
from airpy.files.json_survey import refuse, survey
from airpy.files.rewriting import fresh, in_utf8

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from airpy.contract import Fault, OnError, ReadOptions
    from airpy.files.json_kinds import Kind
    from airpy.files.json_survey import Survey
    from airpy.files.opening import Opening

__all__ = ["JsonSource", "form_of", "lets_pass", "notes_on", "plain_form", "source_of"]

READ_BY_JSONL = {"utf-8"}
"""The reader takes a byte-order mark for bad JSON."""
MOST_NOTES = 100


class JsonSource(NamedTuple):
    """A file, and what is known of it."""

    name: str
    """What the caller knows it by."""
    readable: Path
    """The file itself, or a copy in UTF-8 with a row on each line."""
    encoding: str
    found: Survey


def source_of(path: Path, opening: Opening) -> JsonSource:
    """A file that can be read, and what its lines hold as far as they are looked at."""
    options, name, local = opening.options, opening.dataset.root.shown(path), opening.local[path]
    encoding = options.encoding or detect_encoding(local)
    readable = in_utf8(local, encoding, opening.scratch, READ_BY_JSONL)
    if begins_as_list(readable):
        target = fresh(opening.scratch, path.suffix.lower())
        if from_list(readable, target, path.name):
            readable = target
    looked_at = opening.rows_per_file if opening.every_column else opening.infer_rows
    if opening.careful or lets_pass(options):
        looked_at = None
    found = survey(readable, name, looked_at, (lambda _: None) if lets_pass(options) else refuse)
    if not found.rows:
        raise FileUnavailable(
            f'"{path.name}" has no rows', constraint="at least one object", reason="EMPTY_FILE"
        )
    return JsonSource(name, readable, encoding, found)


def plain_form(
    sources: Mapping[Path, JsonSource],
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
            plain[path] = fresh(opening.scratch, path.suffix.lower())
            rewritten = plain_rows(source.readable, plain[path], source.name, as_text | here, on_error)
            left_out += rewritten.faults
            examples += rewritten.examples[: MOST_EXAMPLES - len(examples)]
    return plain, Faults(
        rows_skipped=left_out if on_error == "skip" else 0,
        values_nulled=left_out * width if on_error == "null" else 0,
        rows_ragged=0,
        examples=examples,
    )


def form_of(source: JsonSource, path: Path, *, rewritten: bool) -> TextForm:
    """How a file is written."""
    return TextForm(
        files=1,
        example=source.name,
        encoding="utf-8" if source.encoding == "utf-8-sig" else source.encoding,
        compression=compression_of(path),
        rewritten=rewritten,
    )


def notes_on(sources: Mapping[Path, JsonSource], mixed: Mapping[str, Kind]) -> tuple[ReadingNote, ...]:
    """What a person would want to know of how the files were read."""
    first = next(iter(sources.values())).name
    notes = [
        ReadingNote(
            file=next((s.name for s in sources.values() if name in s.found.kind.members), first),
            column=name,
            text=f"text, since it holds {listed(kind.words)}; what is no string stands as its JSON",
        )
        for name, kind in mixed.items()
    ]
    for source in sources.values():
        if source.found.repeated:
            name, line = source.found.repeated
            notes.append(
                ReadingNote(
                    file=source.name,
                    text=f'"{shortened(name)}" stands twice in one object, first in line {line:,}; '
                    "the last value counts",
                )
            )
    return tuple(notes[:MOST_NOTES])


def lets_pass(options: ReadOptions) -> OnError | None:
    """What becomes of that which cannot be read, where it does not fail."""
    return None if options.on_error == "fail" else options.on_error

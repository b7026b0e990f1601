"""States as bytes and back, so that what was measured of a file need not be measured again."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa

from airpy.engine.profile.distinct import Distinct
from airpy.engine.profile.frequent import Frequent
from airpy.engine.profile.orders import Order
from airpy.engine.profile.pairs import Pairs
from airpy.engine.profile.powers import Powers
from airpy.engine.profile.ranks import Ranks
from airpy.engine.profile.repeats import Repeats
from airpy.engine.profile.samples import RowSample
from airpy.engine.profile.states import ColumnState, FrameState
from airpy.engine.profile.tallies import Tallies

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["state_from", "state_to"]

VERSION = 2
"""Of the bytes; what another one wrote is not read."""
CODEC = "lz4"
BROKEN = (
    msgspec.MsgspecError,
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
    OSError,
    LookupError,
    TypeError,
    ValueError,
)
"""What decoding bytes of another origin raises."""
PARTS = {
    part.__name__: part
    for part in (
        FrameState,
        ColumnState,
        Distinct,
        Frequent,
        Order,
        Pairs,
        Powers,
        Ranks,
        Repeats,
        RowSample,
        Tallies,
    )
}


def state_to(state: FrameState) -> bytes:
    """The state as MessagePack; arrays in it as their bytes, and series and the sample as Arrow IPC.

    A series is a stream, which is written in a tenth of the time that a file takes.
    """
    return msgspec.msgpack.encode([*_packed(state), VERSION])


def state_from(content: bytes) -> FrameState:
    """The state in such bytes.

    Raises:
        ValueError: They are no such state, or one of another version.
    """
    try:
        *packed, version = msgspec.msgpack.decode(content)
        state = _unpacked(packed) if version == VERSION else None
    except BROKEN as error:
        raise ValueError("these bytes are no state of a frame") from error
    if not isinstance(state, FrameState):
        raise ValueError("these bytes are no state of a frame")  # noqa: TRY004  of whoever wrote them
    return state


def _packed(value: Any) -> Any:  # noqa: ANN401, PLR0911  any part of a state
    match value:
        case pl.DataFrame():
            return ["frame", _written(value.write_ipc)]
        case pl.Series():
            return ["series", _written(value.to_frame().write_ipc_stream)]
        case np.ndarray():
            content = pa.compress(np.ascontiguousarray(value), CODEC, asbytes=True)
            return ["array", content, list(value.shape), value.dtype.str]
        case dict():
            return ["dict", {name: _packed(part) for name, part in value.items()}]
        case tuple() if type(value).__name__ in PARTS:
            return [type(value).__name__, [_packed(part) for part in value]]
        case tuple():
            return ["tuple", [_packed(part) for part in value]]
        case _:
            return value


def _unpacked(value: Any) -> Any:  # noqa: ANN401, PLR0911  the same
    match value:
        case ["frame", bytes(content)]:
            return pl.read_ipc(io.BytesIO(content))
        case ["series", bytes(content)]:
            return pl.read_ipc_stream(io.BytesIO(content)).to_series()
        case ["array", bytes(content), list(shape), str(name)]:
            values = pa.CompressedInputStream(pa.BufferReader(content), CODEC).read()
            return np.frombuffer(values, name).reshape(shape)
        case ["dict", dict(parts)]:
            return {name: _unpacked(part) for name, part in parts.items()}
        case ["tuple", list(parts)]:
            return tuple(map(_unpacked, parts))
        case [str(name), list(parts)]:
            return PARTS[name](*map(_unpacked, parts))
        case _:
            return value


def _written(write: Callable[..., object]) -> bytes:
    sink = io.BytesIO()
    write(sink, compression=CODEC)
    return sink.getvalue()

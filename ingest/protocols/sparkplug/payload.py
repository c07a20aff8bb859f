"""Bytes → one payload, decompressed where it is compressed. Bounded, and without an exception that is not declared."""

from __future__ import annotations

import zlib
from typing import Any, Final

from ingest import reasons
from ingest.protocols.sparkplug.schema import DecodeError, Payload
from ingest.reasons import Refused

COMPRESSED: Final = b"SPBV1.0_COMPRESSED"
MOST_METRICS: Final = 20_000
MOST_INFLATED_BYTES: Final = 1_048_576
_WINDOWS: Final = {"GZIP": (31,), "DEFLATE": (15, -15)}
"""Forms that an algorithm's bytes come in; some senders leave the header of DEFLATE out."""


def read(payload: bytes) -> Any:
    """
    :raises Refused: with the reason. Nothing else is raised, whatever the bytes.
    """
    found = _parsed(payload)
    if found.uuid == COMPRESSED:
        found = _parsed(_inflated(found))
        if found.uuid == COMPRESSED:
            raise Refused(reasons.NOT_OF_PROTOCOL, "Sparkplug: compressed twice")
    return found


def _parsed(payload: bytes) -> Any:
    if not payload:
        raise Refused(reasons.EMPTY, "0 B")
    try:
        found = Payload.FromString(payload)
    except DecodeError:
        raise Refused(reasons.NOT_OF_PROTOCOL, f"Sparkplug: protobuf {payload[:24]!r}") from None
    if len(found.metrics) > MOST_METRICS:
        raise Refused(reasons.NOT_OF_PROTOCOL, f"Sparkplug: {len(found.metrics)} metrics > {MOST_METRICS}")
    if not found.metrics and not any(map(found.HasField, ("timestamp", "seq", "uuid"))):
        # Almost any bytes are a message of protobuf, with nothing in it that is known.
        raise Refused(reasons.NOT_OF_PROTOCOL, f"Sparkplug: {payload[:24]!r}")
    return found


def _inflated(outer: Any) -> bytes:
    said = next((metric.string_value for metric in outer.metrics if metric.name == b"algorithm"), b"DEFLATE")
    algorithm = said[:40].decode("utf-8", "replace").upper()
    if algorithm not in _WINDOWS:
        raise Refused(reasons.NOT_OF_PROTOCOL, f"Sparkplug: algorithm={algorithm!r}: {'|'.join(_WINDOWS)}")
    for window in _WINDOWS[algorithm]:
        reader = zlib.decompressobj(window)
        try:
            inflated = reader.decompress(outer.body, MOST_INFLATED_BYTES + 1)
        except zlib.error:
            continue
        if len(inflated) > MOST_INFLATED_BYTES:
            raise Refused(reasons.INFLATED_TOO_LARGE, f"{len(outer.body)} B -> > {MOST_INFLATED_BYTES} B")
        if reader.eof and not reader.unused_data:
            return inflated
    raise Refused(reasons.NOT_OF_PROTOCOL, f"Sparkplug: body is no {algorithm}")

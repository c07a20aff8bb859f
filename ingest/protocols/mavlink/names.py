"""What frames have to offer, before there is a plan: each field under the name that a `source` may give, and its unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from ingest import reasons
from ingest.protocols.json import document
from ingest.protocols.mavlink import modes
from ingest.protocols.mavlink.dialect import Field, Kind, kind, states, symbol
from ingest.protocols.mavlink.frames import frames
from ingest.protocols.mavlink.takers import ARMED, text
from ingest.protocols.mavlink.vocabulary import WORDS, place
from ingest.reasons import Refused


def names(payload: bytes) -> Iterator[tuple[str, str, str]]:
    """Name, value and unit of every field of every frame; the word for it where there is one.

    :raises Refused: there is no frame.
    """
    found = frames(payload).frames
    if not found:
        raise Refused(reasons.NOT_OF_PROTOCOL, f"MAVLink: {payload[:20].hex()}")
    for frame in found:
        of = kind(frame.number)
        if of is not None and frame.payload is not None:
            values = of.read(frame.payload)
            for field in of.fields.values():
                yield from _field(of, field, values)


def _field(of: Kind, field: Field, values: tuple[Any, ...]) -> Iterator[tuple[str, str, str]]:
    sensor = (
        "" if of.instance is None or field is of.instance else f"[{_written(of.instance, values, of.instance.place)}]"
    )
    unit = symbol(field.unit) or ""
    for at in range(max(field.length, 1)):
        name = f"{of.name}{sensor}.{field.name}" + (f"[{at}]" if field.length else "")
        value = values[field.place + at]
        if value == field.invalid:
            shown = "-"
        elif field.enum is not None and not field.is_flags:
            shown = f"{value} ({states(field.enum).get(value, '?')})"
        else:
            shown = _written(field, values, field.place + at)
        yield name, shown, unit
        word = _words().get((of.name, field.name))
        if word is not None and sensor in ("", "[0]"):
            yield word, _special(word, of, values) or shown, unit


def _special(word: str, of: Kind, values: tuple[Any, ...]) -> str | None:
    if word == "armed":
        return "armed" if values[of.fields["base_mode"].place] & ARMED else "disarmed"
    if word == "mode":
        return modes.mode(
            *(values[of.fields[name].place] for name in ("autopilot", "type", "base_mode", "custom_mode"))
        )
    return None


def _written(field: Field, values: tuple[Any, ...], at: int) -> str:
    return text(values[at]) if field.is_text else document.shown(values[at])


@cache
def _words() -> Mapping[tuple[str, str], str]:
    """By message and field."""
    return {(found.kind.name, found.field.name): word for word in WORDS if (found := place(word)) is not None}

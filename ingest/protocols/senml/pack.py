"""A SenML pack → its records, resolved: full names, absolute or relative times, values with their units.

Source: RFC 8428, sections 4 to 6. JSON and CBOR; which one is told by the first byte, since no array in CBOR begins like one in
JSON.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

import cbor2
import msgspec

from ingest import reasons
from ingest.protocols.json import document
from ingest.protocols.json.repeated import Repeated
from ingest.reasons import Refused

VERSION: Final = 10
"""The newest that RFC 8428 defines, and the one where none is said."""
_CBOR_LABELS: Final = {
    -1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs",
    0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd",
}  # fmt: skip
_BASE: Final = frozenset({"bn", "bt", "bu", "bv", "bs", "bver"})
_VALUES: Final = ("v", "vs", "vb", "vd")
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-:./_]*", re.ASCII)
_MOST_RECORDS: Final = 10_000
_FARTHEST: Final = 1e100
_TOO_FAR: Final = 1e300
_NUMBERS: Final = frozenset({int, float})
_OTHER_ERRORS: Final = (UnicodeDecodeError, ValueError, TypeError, OverflowError, RecursionError, MemoryError)
_strict: Final = msgspec.json.Decoder()


class Labels(NamedTuple):
    """How the labels of what is usual are written."""

    base_name: Any
    base_time: Any
    base_unit: Any
    name: Any
    unit: Any
    value: Any
    time: Any


IN_JSON: Final = Labels("bn", "bt", "bu", "n", "u", "v", "t")
IN_CBOR: Final = Labels(-2, -3, -4, 0, 1, 2, 6)


class Resolved(NamedTuple):
    """One value under its full name."""

    name: str
    raw: Any
    unit: str | None
    """As the pack has it; None where it has none."""
    time_s: float
    summed: bool = False
    """A sum over time: its unit is ``unit`` times seconds."""


class Unresolved(NamedTuple):
    """A record that says nothing usable; those around it do."""

    name: str
    raw: Any
    why: Refused


def plain(payload: bytes) -> tuple[list[Any], Labels] | None:
    """The records of a pack as they stand there, and how its labels are written, if it is sure that no key stands twice.

    :returns: None where :func:`read` must look closer, or there is no pack.
    """
    try:
        if payload[:1] >= b"\x80":
            stream = io.BytesIO(payload)
            found = cbor2.CBORDecoder(stream, allow_duplicate_keys=False).decode()
            return (found, IN_CBOR) if type(found) is list and stream.tell() == len(payload) else None
        found = _strict.decode(payload)
        # A colon follows each key: if there are as many as the records have keys, none repeats one or holds another object.
        if type(found) is list and payload.count(b'":') == sum(map(len, found)):
            return found, IN_JSON
    except (msgspec.MsgspecError, cbor2.CBORError, *_OTHER_ERRORS):
        pass
    return None


def read(payload: bytes) -> list[dict[str, Any]]:
    """The records of a pack, with the labels of JSON.

    :raises Refused: with the reason. Nothing else is raised, whatever the bytes.
    """
    found = _read_cbor(payload) if payload[:1] >= b"\x80" else document.read(payload)
    if type(found) is not list or not found:
        raise Refused(reasons.NOT_OF_PROTOCOL, "SenML: [{…}, …]")
    if len(found) > _MOST_RECORDS:
        raise Refused(reasons.NOT_OF_PROTOCOL, f"SenML: {len(found)} records > {_MOST_RECORDS}")
    for place, record in enumerate(found):
        if type(record) is Repeated:
            raise Refused(reasons.REPEATED_KEY, f"record {place}: {record.told()}")
        if type(record) is not dict:
            raise Refused(reasons.NOT_OF_PROTOCOL, f"SenML: record {place} != {{…}}")
        for label in record:
            if label[-1:] == "_":
                # RFC 8428, 4.4: a label that must be understood, and is not.
                raise Refused(reasons.NOT_OF_PROTOCOL, f"SenML: record {place}: {document.named(label)}")
    return found


def _read_cbor(payload: bytes) -> list[Any]:
    stream = io.BytesIO(payload)
    try:
        found = cbor2.CBORDecoder(stream, allow_duplicate_keys=False).decode()
    except (cbor2.CBORError, *_OTHER_ERRORS) as error:
        raise Refused(reasons.NOT_OF_PROTOCOL, f"CBOR: {str(error)[:120] or type(error).__name__}") from None
    if stream.tell() != len(payload):
        raise Refused(reasons.NOT_OF_PROTOCOL, f"CBOR: {len(payload) - stream.tell()} B after its end")
    if type(found) is not list:
        raise Refused(reasons.NOT_OF_PROTOCOL, "SenML: [{…}, …]")
    return [_labelled(place, record) for place, record in enumerate(found)]


def _labelled(place: int, record: Any) -> Any:
    if type(record) is not dict:
        return record
    made: dict[str, Any] = {}
    for label, value in record.items():
        name = _CBOR_LABELS.get(label, f"{label}") if type(label) is int else label
        if type(name) is not str:
            raise Refused(reasons.NOT_OF_PROTOCOL, f"SenML: record {place}: {document.named(name)}")
        if name in made:
            raise Refused(reasons.REPEATED_KEY, f"record {place}: {name} 2+")
        made[name] = value
    return made


def resolve(records: list[dict[str, Any]]) -> Iterator[Resolved | Unresolved]:
    """The values of a pack, each with what the records before it say for all that follow (RFC 8428, 4.1 and 4.6).

    A sum stands under its name in ``sum(…)``: no SenML name has brackets. Records that only say what holds for the others
    yield nothing.
    """
    base_name, base_time, base_unit, base_value, base_sum = "", 0.0, None, 0.0, 0.0
    for record in records:
        if not _BASE.isdisjoint(record):
            version = record.get("bver", VERSION)
            if type(version) is not int or version > VERSION:
                raise Refused(reasons.NOT_OF_PROTOCOL, f"SenML: bver={document.named(version)} > {VERSION}")
            base_name = _text(record, "bn", base_name)
            base_unit = _text(record, "bu", base_unit)
            base_time = _number(record, "bt", base_time)
            base_value = _number(record, "bv", base_value)
            base_sum = _number(record, "bs", base_sum)
        name = base_name + _text(record, "n", "")
        has_value = [label for label in _VALUES if label in record]
        if not has_value and "s" not in record:
            continue
        try:
            _require_sound(name, has_value)
            time_s = base_time + _number(record, "t", 0.0)
            unit = _text(record, "u", base_unit)
        except Refused as why:
            yield Unresolved(name, record, why)
            continue
        for label in has_value:
            raw = record[label]
            yield Resolved(name, _added(raw, base_value) if label == "v" else raw, unit, time_s)
        if "s" in record:
            yield Resolved(f"sum({name})", _added(record["s"], base_sum), unit, time_s, True)


def _require_sound(name: str, has_value: Sequence[str]) -> None:
    if len(has_value) > 1:
        raise Refused(reasons.NOT_OF_PROTOCOL, f"SenML: {'+'.join(has_value)}")
    if NAME.fullmatch(name) is None:
        raise Refused(reasons.NOT_OF_PROTOCOL, f"SenML: n={document.named(name)}")


def _text(record: dict[str, Any], label: str, otherwise: Any) -> Any:
    found = record.get(label, otherwise)
    if found is not otherwise and type(found) is not str:
        raise Refused(reasons.NOT_OF_PROTOCOL, f"SenML: {label}={document.named(found)}")
    return found


def _number(record: dict[str, Any], label: str, otherwise: float) -> float:
    found = record.get(label, otherwise)
    if type(found) is Decimal:
        found = float(found)
    if type(found) not in _NUMBERS or not -_FARTHEST < found < _FARTHEST:
        raise Refused(reasons.NOT_OF_PROTOCOL, f"SenML: {label}={document.named(found)}")
    return float(found)


def _added(raw: Any, base: float) -> Any:
    """The value with what the base adds to it. What is no number stays what it is, and is refused for that."""
    if type(raw) is Decimal:
        raw = float(raw)
    # An integer may be too large for any float; nothing is added to it that would show.
    return raw + base if base and type(raw) in _NUMBERS and -_TOO_FAR < raw < _TOO_FAR else raw

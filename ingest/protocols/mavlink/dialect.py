"""What the dialect says of each message: where its fields stand, their units, and what means that a value is unknown.

The definitions are pymavlink's (``ardupilotmega``, which has all of ``common``): the one module of this platform that knows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from struct import Struct
from typing import Any, Final

from fastcrc import crc16
from pymavlink.dialects.v20 import ardupilotmega  # type: ignore[import-untyped]

from ingest.protocols.mavlink.invalid import INVALID
from ingest.protocols.mavlink.units import UNITS

definitions: Final[Any] = ardupilotmega
checksum: Final = crc16.mcrf4xx
"""Of bytes, or going on from a checksum so far: CRC-16/MCRF4XX."""

_FLOATS: Final = frozenset({"float", "double"})
NO_CLOCK, BOOT_MS, SINCE_US, SYSTEM_TIME = range(4)
"""How a message tells its time: not, by ``time_boot_ms``, by ``time_usec`` (since boot or 1970), or both at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a message."""

    name: str
    place: int
    """Of its (first) value in the unpacked message."""
    length: int
    """Of an array; 0: it is a single value."""
    is_text: bool
    is_float: bool
    unit: str | None
    """The dialect's own."""
    enum: str | None
    is_flags: bool
    """Its enumeration names bits."""
    invalid: float | None
    """The value that means that there is none; NaN always does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One message of the dialect."""

    number: int
    name: str
    fields: Mapping[str, Field]
    unpack: Struct
    instance: Field | None
    """The field that tells one sensor's messages from another's."""
    clock: int
    clock_at: int
    """Bytes of the payload before the time."""

    def read(self, payload: bytes) -> tuple[Any, ...]:
        """The values of a payload, which may be cut where zeros follow, or be longer than this dialect knows."""
        size = self.unpack.size
        if len(payload) < size:
            payload = payload.ljust(size, b"\0")
        return self.unpack.unpack_from(payload)


CUSTOM_MODE: Final[int] = definitions.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED
_NOT_NOW: Final = frozenset({"CAMERA_IMAGE_CAPTURED"})
"""Their times are those of something else than their sending."""
EXTRA: Final[Mapping[int, bytes]] = {
    number: bytes((kind.crc_extra,)) for number, kind in definitions.mavlink_map.items()
}
"""The byte that each message's checksum ends with: nobody can check a message without knowing it."""
NUMBERS: Final[Mapping[str, int]] = {kind.msgname: number for number, kind in definitions.mavlink_map.items()}


@cache
def kind(number: int) -> Kind | None:
    """A message by its number; None where the dialect has none."""
    found = definitions.mavlink_map.get(number)
    if found is None:
        return None
    fields = {name: _field(found, at, name) for at, name in enumerate(found.fieldnames)}
    clock, field = NO_CLOCK, None
    if "time_boot_ms" in fields and fields["time_boot_ms"].unit == "ms":
        clock, field = BOOT_MS, fields["time_boot_ms"]
    elif "time_usec" in fields and found.fieldtypes[found.fieldnames.index("time_usec")] == "uint64_t":
        clock, field = SINCE_US, fields["time_usec"]
    if found.msgname in _NOT_NOW:
        clock, field = NO_CLOCK, None
    if found.msgname == "SYSTEM_TIME":
        clock = SYSTEM_TIME
    instance = fields.get(found.instance_field or "")
    return Kind(
        number=number, name=found.msgname, fields=fields, unpack=found.unpacker, instance=instance, clock=clock,
        clock_at=_bytes_before(found.unpacker.format, 0 if field is None else field.place),
    )  # fmt: skip


def _field(found: Any, at: int, name: str) -> Field:
    ordered = found.orders[at]
    before = found.ordered_fieldnames[:ordered]
    place = sum(_values(found, found.fieldnames.index(one)) for one in before)
    kind_of = found.fieldtypes[at]
    enum = found.fieldenums_by_name.get(name)
    return Field(
        name=name, place=place, length=0 if kind_of == "char" else found.array_lengths[ordered], is_text=kind_of == "char",
        is_float=kind_of in _FLOATS, unit=found.fieldunits_by_name.get(name), enum=enum,
        is_flags=found.fielddisplays_by_name.get(name) == "bitmask", invalid=INVALID.get((found.msgname, name)),
    )  # fmt: skip


def _values(found: Any, at: int) -> int:
    """How many values a field has once it is unpacked: a text is one."""
    length = found.array_lengths[found.orders[at]]
    return 1 if found.fieldtypes[at] == "char" or not length else int(length)


def _bytes_before(form: str | bytes, place: int) -> int:
    """Where the value of this place begins, in front of which are single numbers only."""
    text = form.decode() if isinstance(form, bytes) else form
    return Struct(f"<{text[1 : 1 + place]}").size


@cache
def states(enum: str) -> Mapping[int, str]:
    """Value → name of an enumeration, without what all its names begin with: ``MAV_STATE_ACTIVE`` is ``ACTIVE``."""
    entries = {
        number: entry.name
        for number, entry in definitions.enums.get(enum, {}).items()
        if not entry.name.endswith("_ENUM_END")
    }
    prefix = f"{enum}_"
    return {number: name.removeprefix(prefix) or name for number, name in entries.items()}


def symbol(unit: str | None) -> str | None:
    """The unit by the name that ``core/units.py`` has for it; None where the dialect says none that is known."""
    return None if unit is None else UNITS.get(unit)

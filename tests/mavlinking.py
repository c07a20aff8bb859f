"""A vehicle as pymavlink makes it: the sender that this project did not write."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as dialect  # type: ignore[import-untyped]

from devices.plan.model import Connection, Slot
from ingest.memory import Memory
from ingest.message import Decoded, Message
from ingest.planned import planned
from ingest.protocols.mavlink.decoder import MavlinkConnection

AT_S = 1_780_282_800
"""2026-06-01 12:00 in Seoul."""
TOPIC = "pilots/demo/drone-1/mavlink"
CHANNELS: dict[str, dict[str, Any]] = {
    "lat": {"unit": "deg", "period": "1 s"},
    "lon": {"unit": "deg", "period": "1 s"},
    "altitude": {"unit": "m", "period": "1 s"},
    "heading": {"unit": "deg", "period": "1 s"},
    "ground-speed": {"unit": "km/h", "period": "1 s", "source": "ground_speed"},
    "voltage": {"unit": "V", "period": "1 s"},
    "current": {"unit": "A", "period": "1 s"},
    "battery": {"unit": "%", "period": "1 s"},
    "mode": {"kind": "state", "states": ["STABILIZE", "AUTO", "RTL", "LOITER"], "reporting": "on_change"},
    "armed": {"kind": "state", "states": ["disarmed", "armed"], "reporting": "on_change"},
}
EVENTS = ("flight", "takeoff", "landing", "mission_item", "alert", "failsafe")


class Vehicle:
    """Packs messages one after the other, with its own sequence numbers."""

    def __init__(self, system: int = 1, component: int = 1, *, version: int = 2, seq: int = 0) -> None:
        self.mav = dialect.MAVLink(None, srcSystem=system, srcComponent=component)
        self.mav.seq = seq
        self.version = version

    def __getattr__(self, name: str) -> Any:
        """``vehicle.heartbeat(…)``: the bytes of that message."""
        encode = getattr(self.mav, f"{name}_encode")

        def packed(*values: Any) -> bytes:
            return self.pack(encode(*values))

        return packed

    def pack(self, message: Any) -> bytes:
        """The bytes of a message."""
        made = bytes(message.pack(self.mav, force_mavlink1=self.version == 1))
        self.mav.seq = (self.mav.seq + 1) % 256
        return made

    def beat(self, *, armed: bool = False, mode: int = 3, state: int = 4) -> bytes:
        """A quadrotor's heartbeat under ArduPilot."""
        return bytes(self.heartbeat(2, 3, 81 | (128 if armed else 0), mode, state))

    def position(self, boot_ms: int, lat: float, lon: float, up_m: float) -> bytes:
        """Where it is, 50 m above the sea when it stands."""
        return bytes(
            self.global_position_int(
                boot_ms, round(lat * 1e7), round(lon * 1e7), round((50 + up_m) * 1000), round(up_m * 1000), 120, -50, 3, 9_000
            )
        )  # fmt: skip


def connection(
    channels: dict[str, dict[str, Any]] | None = None, *, events: Iterable[str] = EVENTS, **options: Any
) -> MavlinkConnection:
    """A connection of one slot, ``drone-1``."""
    slot = {
        "device": {"serial": "1"}, "connection": "c", "channels": CHANNELS if channels is None else channels,
        "events": {event: {"phased": event == "flight"} for event in events}, "select": options.pop("select", {"system": 1}),
    }  # fmt: skip
    (binding,) = planned(
        pilot="demo", start_us=0, end_us=4 * 10**15,
        connections={"c": Connection.model_validate({"protocol": "mavlink", **options})},
        slots={"drone-1": Slot.model_validate(slot)},
    )  # fmt: skip
    return MavlinkConnection(binding)


class Ground:
    """Decodes payloads one after the other, as a collector does."""

    def __init__(self, of: MavlinkConnection | None = None, **options: Any) -> None:
        self.connection = connection(**options) if of is None else of
        self.memory = Memory()
        self.now_us = AT_S * 1_000_000

    def hear(self, *payloads: bytes, redelivered: bool = False, topic: str = TOPIC, retain: bool = False) -> Decoded:
        """A batch of messages, committed."""
        out = Decoded(memory=self.memory.batch())
        decoder = self.connection.decoder(topic)
        assert decoder is not None
        for payload in payloads:
            flags = 2 if retain else 0
            decoder.decode(
                Message(topic=topic, payload=payload, received_us=self.now_us, flags=flags, redelivered=redelivered),
                out,
            )
        out.memory.stored()
        self.memory.settle(out.memory)
        return out

    def pass_time(self, seconds: float, *, since_us: int = 0) -> Decoded:
        """Time passes, and the collector looks.

        :param since_us: since when it has listened without a gap.
        """
        self.now_us += round(seconds * 1_000_000)
        out = Decoded(memory=self.memory.batch())
        self.connection.wait(self.now_us, out, since_us=since_us)
        self.memory.settle(out.memory)
        return out

    def values(self, out: Decoded) -> list[tuple[str, float]]:
        """Channel and value of each reading."""
        names = {one.channel_id: one.name for slot in self.connection.binding.slots for one in slot.channels}
        return [(names[channel], value) for channel, value in zip(out.channel_id, out.value, strict=True)]

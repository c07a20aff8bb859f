"""The front door: command line, the embedded local stack, background jobs."""

from __future__ import annotations

from typing import Final

from devices.plan.protocols import Terms, provide, register

__version__: Final = "0.2.0"


def _register_protocols() -> None:
    from ingest.protocols import PROTOCOLS

    for name, room in PROTOCOLS.items():
        register(name, Terms(room.options(), room.select(), room.unit_of()))


provide(_register_protocols)

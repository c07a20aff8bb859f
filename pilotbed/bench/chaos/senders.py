"""The senders as a process of their own: no kill meets them, and what they remember is what is judged.

    python -m pilotbed.bench.chaos.senders

The first line on stdin is JSON: ``host``, ``port``, ``senders`` (see :class:`Instructions`). Then a line at a time, each answered
by one JSON line: ``go`` makes new messages, ``hold`` stops that (what is kept is still sent), ``tell`` says where things stand.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from pilotbed.bench.chaos.device import Device, Instructions


def _state(device: Device) -> dict[str, Any]:
    buffer = device.buffer
    return {
        "username": device.told.username,
        "kind": device.told.kind,
        "published": buffer.published,
        "acknowledged": buffer.acknowledged_ranges(),
        "transmissions": buffer.transmissions,
        "open": buffer.open,
        "connections": device.connections,
        "receipts": buffer.receipts_seen,
        "receipt": device.receipt,
    }


async def _main() -> None:
    loop = asyncio.get_running_loop()
    told = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    devices = [Device(Instructions(**one), host=told["host"], port=told["port"]) for one in told["senders"]]
    tasks = [asyncio.create_task(device.run()) for device in devices]
    while command := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        if command in ("go", "hold"):
            for device in devices:
                device.making = command == "go"
        failed = [task.exception() for task in tasks if task.done()]
        print(
            json.dumps({"failed": [repr(one) for one in failed], "senders": [_state(one) for one in devices]}),
            flush=True,
        )
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(_main())

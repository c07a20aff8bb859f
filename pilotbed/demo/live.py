"""The demo's devices: each pilot's scenario over MQTT in its protocol, in a thread of this process, while the demo runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from core.errors import PilotbedError, TransientError
from pilotbed.demo.pilots import DemoPilot
from simulators.live import Run
from simulators.receipts.sender import Receipts

_AGAIN_AFTER_S = 5.0
_FAREWELL_S = 3.0
_CATCH_UP_S = 10.0
"""Within so long, what lies between the loaded history and now is sent."""


class Devices:
    """Sends what every pilot's site sends: first, faster than it was, what came after the loaded history; then live. Goes on
    after the broker was away.
    """

    def __init__(self, pilots: Sequence[DemoPilot], say: Callable[[str], None]) -> None:
        self._say = say
        self._receipts = Receipts(farewell_s=_FAREWELL_S, say=say)
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(pilot,), name=f"devices-{pilot.plan.pilot}", daemon=True)
            for pilot in pilots
        ]

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Say offline and take leave, within a bound."""
        self._stop.set()
        for thread in self._threads:
            thread.join(10)

    def _run(self, pilot: DemoPilot) -> None:
        # Receipts are for native JSON; the other protocols have nothing to carry their numbers in.
        native = all(pilot.plan.connection_of(slot)[1].protocol == "json" for slot in pilot.plan.slots)
        start: datetime | None = pilot.seam
        while not self._stop.is_set():
            behind_s = 0.0 if start is None else (datetime.now(UTC) - start).total_seconds()
            try:
                run = Run(
                    pilot.scenario,
                    pilot.plan,
                    pilot.logins,
                    start=start,
                    speed=max(1.0, behind_s / _CATCH_UP_S),
                    receipts=self._receipts if native else None,
                )
                start = None
                run(self._stop)
                return  # stopped, or the pilot's period has ended
            except TransientError:
                self._stop.wait(_AGAIN_AFTER_S)
            except PilotbedError as error:
                self._say(f"The devices of {pilot.plan.pilot} fell silent: {error}")
                return

"""The demo's devices: each pilot's scenario over MQTT, in a thread of this process, for as long as the demo runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from core.errors import PilotbedError, TransientError
from pilotbed.demo.pilots import DemoPilot
from simulators.live import Run
from simulators.receipts.sender import Receipts

_AGAIN_AFTER_S = 5.0
_FAREWELL_S = 3.0


class Devices:
    """Sends what every pilot's site sends, live, and goes on after the broker was away."""

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
        while not self._stop.is_set():
            try:
                Run(pilot.scenario, pilot.plan, pilot.logins, receipts=self._receipts)(self._stop)
                return  # stopped, or the pilot's period has ended
            except TransientError:
                self._stop.wait(_AGAIN_AFTER_S)
            except PilotbedError as error:
                self._say(f"The devices of {pilot.plan.pilot} fell silent: {error}")
                return

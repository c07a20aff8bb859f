"""Structured logs: one event a line on stderr, ``time level process logger event key=value …``."""

from __future__ import annotations

import logging
import sys
import time


class _OneLine(logging.Formatter):
    """An event never takes more than one line; a traceback's lines are joined by ⏎."""

    converter = time.gmtime  # type: ignore[assignment] # the logging module's own recipe for UTC

    def __init__(self, process: str) -> None:
        super().__init__(f"%(asctime)s.%(msecs)03dZ %(levelname)s {process} %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace("\n", " ⏎ ")


def configure(process: str, level: int = logging.INFO) -> None:
    """Log this process's events to stderr. Libraries are heard from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine(process))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for ours in ("core", "devices", "ingest", "telemetry", "kpi", "dashboards", "simulators", "pilotbed"):
        logging.getLogger(ours).setLevel(level)

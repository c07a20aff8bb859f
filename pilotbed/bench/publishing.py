"""The publishers' processes, from outside."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from core.errors import TransientError
from pilotbed.bench.arena import SLOTS, Field

PUBLISHERS: Final = 2
"""Processes; the connections are shared out among them."""
WINDOW: Final = 500
"""Messages of one connection that await the broker's acknowledgement."""


@contextmanager
def publishers(
    where: Field, *, readings: int, messages: int, rate: float | None = None
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that have made every packet and wait for a line to begin (:func:`begin`).

    :param rate: messages a second of all together; None: as fast as the broker acknowledges.
    """
    share = messages // SLOTS
    processes = []
    try:
        for number in range(PUBLISHERS):
            told: dict[str, Any] = {
                "host": "127.0.0.1", "port": where.broker.port, "readings": readings, "window": WINDOW,
                "start_ms": where.start_ms, "rate": None if rate is None else rate / SLOTS,
                "connections": [
                    {
                        "username": one.username, "password": one.password, "messages": share,
                        "topic": f"pilots/bench/{one.slots[0]}/readings",
                    }
                    for one in where.credentials[number::PUBLISHERS]
                ],
            }  # fmt: skip
            process = subprocess.Popen(
                [sys.executable, "-m", "pilotbed.bench.publisher"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
                cwd=Path(__file__).parents[2],
            )  # fmt: skip
            processes.append(process)
            assert process.stdin is not None
            process.stdin.write(json.dumps(told).encode() + b"\n")
            process.stdin.flush()
        for process in processes:
            assert process.stdout is not None
            if process.stdout.readline() != b"ready\n":
                raise TransientError("A publisher of the benchmark did not come up; its error stands above.")
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()


def begin(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Have them publish."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()


def took_s(processes: Sequence[subprocess.Popen[bytes]]) -> float:
    """Wait until all are done; how long the slowest took."""
    return max(
        float(json.loads(process.stdout.readline())["took_s"]) for process in processes if process.stdout is not None
    )

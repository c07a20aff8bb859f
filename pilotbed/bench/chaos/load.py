"""The senders' process, from outside: told what to do, asked where it stands."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from core.errors import TransientError
from devices.plan.credential_file import Credential
from pilotbed.bench.chaos.device import Instructions

KINDS: Final = ("plain", "receipts", "numbered", "receipts")
"""In turns over the slots: so that each kind is there, and half of all go by receipts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """What one sender remembers."""

    username: str
    slot: str
    kind: str
    published: int
    acknowledged: list[tuple[int, int]]
    """Numbers, as ranges with both ends."""
    transmissions: int
    open: int
    """Messages that it still keeps."""
    connections: int
    receipts: int
    receipt: dict[str, Any] | None


def instructions(credentials: Sequence[Credential], *, rate: float, start_ms: int, boot: str) -> list[Instructions]:
    """One sender a slot; ``rate`` is that of all."""
    return [
        Instructions(
            username=one.username,
            password=one.password,
            topic=f"pilots/bench/{one.slots[0]}/readings",
            receipt_topic=f"pilots/bench/{one.slots[0]}/receipt",
            kind=KINDS[place % len(KINDS)],
            boot=boot,
            start_ms=start_ms,
            rate=rate / len(credentials),
        )
        for place, one in enumerate(credentials)
    ]


class Load:
    """The process, for the length of a ``with`` block."""

    def __init__(self, told: Sequence[Instructions], *, address: tuple[str, int]) -> None:
        self._slots = {one.username: one.topic.split("/")[2] for one in told}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pilotbed.bench.chaos.senders"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            cwd=Path(__file__).parents[3],
        )
        host, port = address
        self._write(json.dumps({"host": host, "port": port, "senders": [asdict(one) for one in told]}))

    def __enter__(self) -> Load:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def go(self) -> None:
        """Make new messages."""
        self._ask("go")

    def hold(self) -> None:
        """Make no more; what is kept is still sent."""
        self._ask("hold")

    def tell(self) -> list[Sender]:
        """Where each stands."""
        return [
            Sender(
                **one | {"slot": self._slots[one["username"]], "acknowledged": [tuple(r) for r in one["acknowledged"]]}
            )
            for one in self._ask("tell")
        ]

    def _ask(self, command: str) -> list[dict[str, Any]]:
        self._write(command)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise TransientError("The senders of the benchmark ended; their error stands above.")
        answer = json.loads(line)
        if answer["failed"]:
            raise TransientError(f"A sender of the benchmark failed: {'; '.join(answer['failed'])}")
        senders: list[dict[str, Any]] = answer["senders"]
        return senders

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()


def counted(ranges: Sequence[tuple[int, int]]) -> int:
    """How many numbers the ranges hold.

    >>> counted([(1, 3), (7, 7)])
    4
    """
    return sum(end - start + 1 for start, end in ranges)


def start_ms() -> int:
    """The instant of message 0: a day ago, so that no message is of the future."""
    return int((time.time() - 86_400) * 1000)

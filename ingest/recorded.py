"""Messages in a file, as somebody recorded them: one payload, or a line of JSON a message.

A line is what ``mosquitto_sub -F %j`` (or ``%J``) writes, ``{"topic": …, "payload": …, "tst"?, "qos"?, "retain"?}``, or the same
with ``payload_hex`` or ``payload_base64`` for bytes that are no text, and ``received_at`` for the time of receipt. A file whose
name ends in ``.tlog`` is a ground station's log of MAVLink frames.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from core.errors import PermanentError
from core.window import micros
from ingest.message import message_flags
from ingest.tlog import logged

_LARGEST: Final = 16 * 1024 * 1024
"""A file of one message, and a line, may have so many bytes."""
_AT_LEAST_ONCE: Final = message_flags(retain=False, qos=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One message of a file."""

    topic: str | None
    """None where the file does not say it."""
    payload: bytes
    received_us: int | None
    flags: int


def recorded(path: Path) -> Iterator[tuple[Recorded, int]]:
    """The messages of a file, each with the bytes of the file up to its end.

    :raises PermanentError: the file cannot be read, or a line of it is no message.
    """
    try:
        with path.open("rb") as file:
            if path.suffix.lower() == ".tlog":
                for received_us, frame, done in logged(file):
                    yield Recorded(topic=None, payload=frame, received_us=received_us, flags=_AT_LEAST_ONCE), done
                return
            first = file.readline(_LARGEST + 1)
            if _line(first) is None:
                yield _whole(path, first + file.read(_LARGEST + 1 - len(first)))
                return
            file.seek(0)
            for number, line in enumerate(iter(lambda: file.readline(_LARGEST + 1), b""), start=1):
                if line.strip():
                    yield _told(path, number, line), file.tell()
    except OSError as error:
        raise PermanentError(f"{path} cannot be read ({error.strerror}): name a file of recorded messages.") from error


def _whole(path: Path, payload: bytes) -> tuple[Recorded, int]:
    if len(payload) > _LARGEST:
        raise PermanentError(
            f"{path} has more than {_LARGEST // 2**20} MiB and is no file of lines: one message is never so large."
        )
    return Recorded(topic=None, payload=payload, received_us=None, flags=_AT_LEAST_ONCE), len(payload)


def _line(line: bytes) -> dict[str, Any] | None:
    """A line that tells a message; None if it is something else, such as a payload itself."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    told = isinstance(found, dict) and isinstance(found.get("topic"), str)
    return found if told and {"payload", "payload_hex", "payload_base64"} & found.keys() else None


def _told(path: Path, number: int, line: bytes) -> Recorded:
    found = _line(line)
    if found is None:
        raise PermanentError(
            f'Line {number} of {path} is no message ({line[:60]!r}): write {{"topic": …, "payload": …}} on each line.'
        )
    try:
        return Recorded(
            topic=found["topic"],
            payload=_payload(found),
            received_us=_received(found.get("received_at", found.get("tst"))),
            flags=message_flags(retain=bool(found.get("retain", False)), qos=int(found.get("qos", 1))),
        )
    except (ValueError, TypeError, binascii.Error) as error:
        raise PermanentError(
            f"Line {number} of {path} cannot be read: {error}. Correct it, or leave it out."
        ) from error


def _payload(found: dict[str, Any]) -> bytes:
    if "payload_hex" in found:
        return bytes.fromhex(found["payload_hex"])
    if "payload_base64" in found:
        return base64.b64decode(found["payload_base64"], validate=True)
    payload = found["payload"]
    return payload.encode() if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False).encode()


def _received(raw: Any) -> int | None:
    if raw is None:
        return None
    at = datetime.fromisoformat(raw)
    if at.tzinfo is None:
        raise ValueError(f"the time {raw} has no zone")
    return micros(at)

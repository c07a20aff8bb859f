"""The record of a seal: what is hashed, signed and chained. Its bytes are what counts; this reads and writes them. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from core.canonical import canonical_json
from telemetry.seals import merkle
from telemetry.seals.leaves import Leaf

FORMAT: Final = "pilotbed-seal/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """The database was set back to an earlier state: where the chain had been, and where it goes on from."""

    at_number: int
    """The last seal that the database still had; 0: none."""
    at_head: str | None
    known_number: int
    """The last seal that was ever made, which only the witnesses have."""
    known_head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRecord:
    """What a seal says."""

    pilot: str
    zone: str
    number: int
    """Along the pilot's chain, interim seals included; never given twice."""
    epoch: int
    day: date
    interim: bool
    start: datetime | None
    """Everything from here on … None: from the beginning."""
    end: datetime
    """… up to, not including, here."""
    as_of: datetime
    """The closed past: nothing will ever be received or recorded at or before it again."""
    root: str
    leaves: int
    rows: Mapping[str, int]
    """By kind, zeros included."""
    plan: Mapping[str, Any]
    """Version and SHA-256 of the plan in force at the end."""
    previous: str | None
    """The head before; None: the first of the pilot."""
    code_version: str
    key: str
    """The fingerprint of the key that signs."""
    restored: Restored | None = None

    def bytes(self) -> bytes:
        """The canonical JSON."""
        return canonical_json(
            {
                "format": FORMAT, "pilot": self.pilot, "zone": self.zone, "number": self.number, "epoch": self.epoch,
                "day": self.day, "interim": self.interim, "start": self.start, "end": self.end, "as_of": self.as_of,
                "root": self.root, "leaves": self.leaves, "rows": dict(self.rows), "plan": dict(self.plan),
                "previous": self.previous, "code_version": self.code_version, "key": self.key,
                "restored": self.restored,
            }
        )  # fmt: skip


def read_record(data: bytes) -> SealRecord:
    """The record that bytes say.

    :raises ValueError: they are none, or not canonical.
    """
    document = json.loads(data)
    if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
        raise ValueError(f"no record of the format {FORMAT}")
    restored = document.pop("restored")
    try:
        record = SealRecord(
            **document
            | {
                "day": date.fromisoformat(document["day"]),
                "start": None if document["start"] is None else datetime.fromisoformat(document["start"]),
                "end": datetime.fromisoformat(document["end"]),
                "as_of": datetime.fromisoformat(document["as_of"]),
                "restored": None if restored is None else Restored(**restored),
            }
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not the fields of {FORMAT}: {error}") from error
    if record.bytes() != data:
        raise ValueError("the bytes are not canonical")
    return record


def head(record: bytes) -> str:
    """By what a seal is known and the next one refers to it: the SHA-256 of its record."""
    return hashlib.sha256(record).hexdigest()


def root_of(leaves: Iterable[Leaf]) -> str:
    """The root over leaves, which are in the tree's order."""
    return merkle.root(leaf.hash for leaf in leaves).hex()

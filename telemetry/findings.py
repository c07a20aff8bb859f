"""Observations about the quality of data, themselves kept as data: 품질 점검 결과.

A finding is never changed. What a later judgement sees otherwise supersedes it: the old row gets ``superseded_at``, the new one
the same instant as ``recorded_at``. So what was held true at any instant can be told, and judging again what has not changed
writes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from psycopg.types.json import Jsonb

from core.database import Connection
from core.sql import load
from core.window import Window
from telemetry import horizon

_SQL = load("telemetry", "findings.sql")

Kind = Literal["gap", "stuck", "range", "spike", "rate", "clock", "jump", "summary"]
Scope = tuple[int, int | None]
"""A slot and one of its channels (its first revision), or None for the slot as a whole."""

SUSPECT: Final = 3
FAIL: Final = 4
MISSING: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a judgement says: from when to when, how much."""

    slot_id: int
    channel_id: int | None = None
    window: Window
    """Instants of observation. Not empty."""
    value: float | None
    unit: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    """The rule, its threshold, and what else reproduces it; JSON."""
    flag: int = SUSPECT
    """How grave: 3 suspect, 4 fail, 9 missing."""

    @property
    def scope(self) -> Scope:
        return self.slot_id, self.channel_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A finding as it stands in the record."""

    finding_id: int
    slot: str
    channel: str | None
    kind: Kind
    window: Window
    value: float | None
    unit: str
    detail: Mapping[str, Any]
    flag: int
    recorded_at: datetime
    superseded_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a judgement changed in the record."""

    new: int = 0
    superseded: int = 0
    kept: int = 0


def findings(
    connection: Connection,
    pilot: str,
    window: Window,
    as_of: datetime | None = None,
    *,
    kind: Kind | None = None,
) -> list[Finding]:
    """The findings of a pilot that touch a window, in the order of time.

    :param as_of: as they were held true at that instant; now if left out.
    """
    rows = connection.execute(
        _SQL["findings"],
        {"pilot": pilot, "start": window.start, "end": window.end, "as_of": as_of, "kind": kind},
    )
    return [_finding(row) for row in rows]


def record(
    connection: Connection, *, kind: Kind, scopes: Sequence[Scope], window: Window, found: Sequence[Found]
) -> Recorded:
    """Keep what was found of one kind: new, instead of what it supersedes, or as it stands already.

    :param scopes: what was judged.
    :param window: for when. Every current finding of this kind and these scopes that touches it was judged anew: it stays if
        ``found`` has the very same, else it is superseded. A finding may reach beyond the window, but must touch it.
    :raises ValueError: something was found outside of what was judged.
    """
    _require_judged(scopes, window, found)
    slots = sorted({slot for slot, _ in scopes})
    asked = {
        "kind": kind, "slots": [slot for slot, _ in scopes], "channels": [channel for _, channel in scopes],
        "start": window.start, "end": window.end,
    }  # fmt: skip
    with connection.transaction():
        connection.execute(_SQL["take_slots"], {"slots": slots})
        # Later than the horizon: what is recorded up to a closed past never changes again.
        at = horizon.receive(connection)
        held = {row["finding_id"]: _key(_held(row)) for row in connection.execute(_SQL["current"], asked)}
        said = {_key(one): one for one in found}
        gone = [finding_id for finding_id, key in held.items() if key not in said]
        known = set(held.values())
        new = [one for key, one in said.items() if key not in known]
        if gone:
            connection.execute(_SQL["supersede"], {"findings": gone, "at": at})
        if new:
            connection.cursor().executemany(_SQL["insert"], [_columns(one, kind, at) for one in new])
    return Recorded(new=len(new), superseded=len(gone), kept=len(held) - len(gone))


def _require_judged(scopes: Sequence[Scope], window: Window, found: Sequence[Found]) -> None:
    for one in found:
        if one.scope not in scopes or not one.window.intersection(window).seconds:
            raise ValueError(
                f"A finding of slot {one.slot_id}, channel {one.channel_id}, {one.window.start.isoformat()} to"
                f" {one.window.end.isoformat()}, lies outside of what was judged:"
                f" {window.start.isoformat()} to {window.end.isoformat()} of {len(scopes)} scopes."
            )


def _key(one: Found) -> tuple[Any, ...]:
    """By what two findings are the same. The database gives a whole number of JSON back as an integer, however it was written."""
    return *one.scope, one.window, one.value, one.unit, one.flag, json.dumps(_floats(one.detail), sort_keys=True)


def _floats(detail: Any) -> Any:
    if isinstance(detail, Mapping):
        return {key: _floats(value) for key, value in detail.items()}
    if isinstance(detail, list | tuple):
        return [_floats(value) for value in detail]
    return float(detail) if isinstance(detail, int | float) and not isinstance(detail, bool) else detail


def _held(row: Mapping[str, Any]) -> Found:
    return Found(
        slot_id=row["slot_id"],
        channel_id=row["channel_id"],
        window=Window(start=row["start_at"], end=row["end_at"]),
        value=row["value"],
        unit=row["unit"],
        detail=row["detail"],
        flag=row["flag"],
    )


def _columns(one: Found, kind: Kind, at: datetime) -> dict[str, Any]:
    return {
        "slot": one.slot_id, "channel": one.channel_id, "kind": kind, "start": one.window.start, "end": one.window.end,
        "value": one.value, "unit": one.unit, "detail": Jsonb(dict(one.detail)), "flag": one.flag, "at": at,
    }  # fmt: skip


def _finding(row: Mapping[str, Any]) -> Finding:
    return Finding(
        finding_id=row["finding_id"],
        slot=row["slot"],
        channel=row["channel"],
        kind=row["kind"],
        window=Window(start=row["start_at"], end=row["end_at"]),
        value=row["value"],
        unit=row["unit"],
        detail=row["detail"],
        flag=row["flag"],
        recorded_at=row["recorded_at"],
        superseded_at=row["superseded_at"],
    )

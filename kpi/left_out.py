"""What findings left out of a KPI, as its entry says it; and which findings a result therefore rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.database import Connection
from core.language import duration_text
from core.numbers import printed
from core.sql import load
from core.window import Window
from devices.plan.model import Kpi, Plan
from devices.plan.reading_quality import ReadingQuality, quality_of
from kpi.inputs.left_out import Left
from kpi.inputs.reader import Reader
from kpi.revisions import read_channels
from kpi.stretches import Stretches
from telemetry.findings import FAIL, SUSPECT
from telemetry.quality.judge import due

_SQL = load("kpi", "left_out.sql")

TESTS: Final[Mapping[str, tuple[str, str]]] = {
    "stuck": ("고착", "stuck"),
    "range": ("범위 벗어남", "out of range"),
    "spike": ("튐", "spikes"),
    "rate": ("급변", "too fast a change"),
    "jump": ("수준 변화", "shifts of the level"),
}
"""What people call the tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelLeft:
    """What is left out of one channel at one slot."""

    slot: str
    channel: str
    left: Left


def leaving(reader: Reader, plan: Plan, kpi: Kpi) -> Reader:
    """The reader that a KPI is computed by: without the readings that its plan leaves out."""
    quality = quality_of(kpi.measure.of)
    return reader if quality is None else reader.leaving_out(quality, read_channels(plan, kpi))


def left_out_of(reader: Reader, plan: Plan, kpi: Kpi, required: Callable[[str], Stretches]) -> list[ChannelLeft]:
    """What is left out of each channel of a KPI; nothing where its plan leaves nothing out.

    :param required: the required time of each slot.
    """
    if quality_of(kpi.measure.of) is None:
        return []
    own = leaving(reader, plan, kpi)
    return [
        ChannelLeft(slot=slot, channel=name, left=own.left_out(slot, name, required(slot)))
        for slot, name in read_channels(plan, kpi)
    ]


def described(quality: ReadingQuality, found: Sequence[ChannelLeft]) -> dict[str, Any]:
    """``left_out`` of an entry: by which tests and from which level, how many readings and seconds, of which channels."""
    return {
        "tests": list(quality.tests),
        "from": quality.from_,
        "readings": sum(one.left.readings for one in found),
        "seconds": sum(one.left.us for one in found) / 1e6,
        "findings": [
            {
                "kind": test,
                "readings": sum(part.readings for one in found for part in one.left.parts if part.kind == test),
                "seconds": sum(part.us for one in found for part in one.left.parts if part.kind == test) / 1e6,
            }
            for test in quality.tests
        ],
        "channels": [
            {
                "slot": one.slot,
                "channel": one.channel,
                "readings": one.left.readings,
                "seconds": one.left.us / 1e6,
            }
            for one in found
        ],
    }


def left_out_text(found: Mapping[str, Any], language: str) -> str:
    """One clause: how much was left out, and by which tests; nothing where nothing was.

    >>> found = {"readings": 3, "seconds": 180.0, "findings": [{"kind": "stuck", "readings": 3, "seconds": 180.0}]}
    >>> left_out_text(found, "ko")
    '품질 점검으로 뺀 측정값 3건 3분(고착 3건)'
    >>> left_out_text(found, "en")
    '3 readings (3 min) left out by quality findings: stuck 3'
    """
    if not found["readings"]:
        return ""
    korean = language == "ko"
    told = [
        (TESTS[one["kind"]][not korean], printed(one["readings"], "건")) for one in found["findings"] if one["readings"]
    ]
    n, length = printed(found["readings"], "건"), duration_text(found["seconds"], language)
    if korean:
        return f"품질 점검으로 뺀 측정값 {n}건 {length}({', '.join(f'{word} {count}건' for word, count in told)})"
    words = ", ".join(f"{word} {count}" for word, count in told)
    return f"{n} reading{'' if found['readings'] == 1 else 's'} ({length}) left out by quality findings: {words}"


def findings_due(connection: Connection, plan: Plan, until: datetime) -> int:
    """How many channel-hours before an instant are not judged yet by whose findings a KPI of the plan leaves readings out.

    While there are any, what a result leaves out may not be all that it will: findings follow the readings by minutes.
    """
    if all(quality_of(part.measure.of) is None for kpi in plan.kpis.values() for part in kpi.parts):
        return 0
    return due(connection, plan.pilot, until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """How many findings that a result rests on came and went."""

    recorded: int = 0
    superseded: int = 0

    def __bool__(self) -> bool:
        return bool(self.recorded or self.superseded)


def findings_changed(
    connection: Connection, documents: Iterable[Mapping[str, Any]], window: Window, after: datetime, until: datetime
) -> Changed:
    """The findings of a window by which results leave readings out, that were recorded or superseded between two instants.

    :param documents: of one pilot's results.
    """
    several = list(documents)
    rows = sorted({row for document in several for row in _watched(document)})
    if not rows:
        return Changed()
    columns = {name: [row[place] for row in rows] for place, name in enumerate(("slots", "channels", "kinds", "least"))}
    asked = {"pilot": several[0]["pilot"], "start": window.start, "end": window.end, "after": after, "until": until}
    row = connection.execute(_SQL["changed"], {**asked, **columns}).fetchone()
    assert row is not None
    return Changed(recorded=row["recorded"], superseded=row["superseded"])


def _watched(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str, int]]:
    """Which findings would change a result: of which slot, channel and kind, from which flag on."""
    for kpi in document["kpis"]:
        for entry in (kpi, *kpi.get("parts", ())):
            left = entry.get("left_out")
            if left is None:
                continue
            least = FAIL if left["from"] == "fail" else SUSPECT
            for one in left["channels"]:
                for test in left["tests"]:
                    yield one["slot"], one["channel"], test, least

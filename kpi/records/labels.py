"""정답 기록: truth labels that people record. Each says what happened at a slot, or that nothing did; by whom, and how.

Nothing of a label is ever changed: a wrong one is withdrawn, with why, and another is recorded. What the plan does not declare as
truth cannot be recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias

from psycopg.types.json import Jsonb

from core.audit import record
from core.database import Connection
from core.errors import NotFound, PermanentError
from core.sql import load
from core.window import Window
from devices.plan.model import Plan
from devices.plan.truth import SIDES, Side
from devices.registry.queries import plan_of
from kpi.records import documents
from kpi.records.documents import Paper
from kpi.records.shared import listed, require_text, slot_ids
from telemetry import horizon

_SQL = load("kpi.records", "labels.sql")
_PILOTS = load("kpi.records", "records.sql")

Outcome: TypeAlias = Literal["positive", "negative", "empty"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("positive", "negative", "empty")
"""It happened; it did not (a staged test without it, an alert that was dismissed); nothing at all happened in that time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A label as somebody gives it; checked by :func:`fault_of`."""

    slot: str
    start: datetime
    end: datetime
    """Equal to ``start``: of an instant."""
    outcome: Outcome
    labeller: str
    side: Side
    blind: bool
    reader: int = 1
    """2: the second label of the same thing, by another person."""
    place: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    window_at: datetime | None = None
    """The start of the sample window that it was made for."""
    note: str = ""
    line: int = 0
    """In the file that it came in."""

    @property
    def key(self) -> tuple[Any, ...]:
        """What makes it the same label as another."""
        return (
            self.slot,
            self.start,
            self.end,
            self.outcome,
            self.labeller,
            self.reader,
            self.place,
            _text(self.attributes),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One label, with who recorded it when."""

    label_id: int
    pilot: str
    slot: str
    kind: str
    start_at: datetime
    end_at: datetime
    outcome: Outcome
    attributes: Mapping[str, Any]
    place: str
    labeller: str
    side: Side
    blind: bool
    reader: int
    window_at: datetime | None
    note: str
    file_name: str | None
    file_sha256: str | None
    file_line: int | None
    recorded_at: datetime
    recorded_by: str
    superseded_at: datetime | None = None
    superseded_by: str | None = None
    superseded_why: str | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """As that of a :class:`Given`."""
        return (
            self.slot, self.start_at, self.end_at, self.outcome, self.labeller, self.reader, self.place, _text(self.attributes),
        )  # fmt: skip


def _text(attributes: Mapping[str, Any]) -> str:
    return repr(sorted(attributes.items()))


def truth_slots(plan: Plan, kind: str) -> tuple[str, ...]:
    """The slots of which a kind of event is the truth.

    :raises NotFound: it is that of none.
    """
    declared = tuple(name for name, slot in plan.slots.items() if kind in slot.events and slot.events[kind].truth)
    # Others than the company's only deliver labels.
    found = tuple(name for name in declared if plan.owner_of(name) == "company")
    if not found:
        there = ", ".join(truth_kinds(plan)) or "none"
        raise NotFound(
            f"The plan of pilot {plan.pilot} has no truth labels {kind!r}; it has: {there}. They are declared at the slots:"
            f" events: {{{kind}: {{truth: true}}}}."
        )
    return found


def truth_kinds(plan: Plan) -> tuple[str, ...]:
    """The kinds of events that are truth labels somewhere, in the plan's order."""
    kinds = (name for slot in plan.slots.values() for name, kind in slot.events.items() if kind.truth)
    return tuple(dict.fromkeys(kinds))


def fault_of(given: Given, plan: Plan, kind: str, now: datetime) -> tuple[str, str] | None:
    """Why a label cannot be recorded, in Korean and English; None if it can."""
    slots = truth_slots(plan, kind)
    if given.slot not in slots:
        there = ", ".join(slots)
        return (
            f"지점 {given.slot!r}에는 정답 기록 {kind}이(가) 없습니다. 있는 지점: {there}",
            f"slot {given.slot!r} has no truth labels {kind}; there are: {there}",
        )
    for one in (given.start, given.end, *([] if given.window_at is None else [given.window_at])):
        if one.tzinfo is None:
            return (
                f"시각 {one.isoformat(sep=' ')}에 시간대가 없습니다. {one.isoformat()}+09:00처럼 쓰십시오",
                f"the time {one.isoformat(sep=' ')} has no zone: write it as {one.isoformat()}+09:00",
            )
    if given.end < given.start:
        return ("종료가 시작보다 이릅니다", "it ends before it starts")
    window = plan.window
    if not window.start <= given.start < window.end:
        days = f"{plan.period.start} ~ {plan.period.end}"
        return (f"실증 기간({days}) 밖의 시각입니다", f"its time lies outside of the pilot's period ({days})")
    if given.end > now:
        return ("아직 오지 않은 시각입니다", "its time is still to come")
    if given.window_at is not None and given.start < given.window_at:
        return ("적은 표본 구간보다 이른 시각입니다", "it lies before the sample window that it names")
    return _fault_of_person(given)


def _fault_of_person(given: Given) -> tuple[str, str] | None:
    if not given.labeller.strip():
        return ("기록자가 비어 있습니다", "the labeller is empty")
    if given.outcome not in OUTCOMES:
        return (f"결과는 {', '.join(OUTCOMES)} 중 하나입니다", f"the outcome is one of {', '.join(OUTCOMES)}")
    if given.side not in SIDES:
        return (f"소속은 {', '.join(SIDES)} 중 하나입니다", f"the side is one of {', '.join(SIDES)}")
    if given.reader not in (1, 2):
        return ("회차는 1 또는 2입니다", "the reader is 1 or 2")
    return None


def add_labels(
    connection: Connection,
    pilot: str,
    kind: str,
    given: Sequence[Given],
    *,
    paper: Paper | None = None,
    who: str,
    now: datetime | None = None,
) -> int:
    """Record labels, all of them or none.

    :param paper: the file they came in; it is kept with its hash.
    :returns: how many were recorded.
    :raises NotFound: no such pilot, or the plan has no such truth labels.
    :raises PermanentError: one of them cannot be recorded; the message says which and why.
    """
    plan, _, _ = plan_of(connection, pilot)
    truth_slots(plan, kind)
    now = now or datetime.now(UTC)
    for one in given:
        fault = fault_of(one, plan, kind, now)
        if fault is not None:
            raise PermanentError(f"{f'Line {one.line}: ' if one.line else ''}the label cannot be recorded: {fault[1]}.")
    if not given:
        raise PermanentError(f"There is no label to record for pilot {pilot}.")
    with connection.transaction():
        row = connection.execute(_PILOTS["pilot"], {"pilot": pilot}).fetchone()
        assert row is not None
        ids = slot_ids(connection, pilot, sorted({one.slot for one in given}))
        at = horizon.receive(connection)
        there = {one.key for one in labels(connection, pilot, kind=kind)}
        if paper is None and (again := next((one for one in given if _utc(one).key in there), None)) is not None:
            raise PermanentError(f"This label of {again.slot} at {again.start.isoformat()} is recorded already.")
        if paper is not None:
            documents.keep(connection, pilot, row["pilot_id"], paper, at=at, who=who)
        fresh = [one for one in map(_utc, given) if one.key not in there]
        shared = {"pilot_id": row["pilot_id"], "kind": kind, "at": at, "who": who}
        rows = [{**_row(one, paper), "slot_id": ids[one.slot], **shared} for one in fresh]
        with connection.cursor() as cursor:
            cursor.executemany(_SQL["add_label"], rows)
        record(
            connection, who=who, what="label.add" if paper is None else "label.import", pilot=pilot, object=f"label {kind}",
            after=fresh[0] if paper is None else {"n": len(rows), "file": paper.name, "sha256": paper.sha256},
        )  # fmt: skip
    return len(rows)


def _utc(one: Given) -> Given:
    return replace(one, start=one.start.astimezone(UTC), end=one.end.astimezone(UTC))


def _row(one: Given, paper: Paper | None) -> dict[str, Any]:
    return {
        "start": one.start, "end": one.end, "outcome": one.outcome, "attributes": Jsonb(dict(one.attributes)),
        "place": one.place, "labeller": one.labeller.strip(), "side": one.side, "blind": one.blind, "reader": one.reader,
        "window_at": one.window_at, "note": one.note.strip(), "file_name": None if paper is None else paper.name,
        "file_sha256": None if paper is None else paper.sha256, "file_line": None if paper is None else one.line,
    }  # fmt: skip


def labels(
    connection: Connection,
    pilot: str,
    *,
    kind: str | None = None,
    window: Window | None = None,
    as_of: datetime | None = None,
    withdrawn_too: bool = False,
) -> list[Label]:
    """The labels that people recorded of a pilot, in the order of time.

    :param window: only those that touch it.
    :param as_of: as they were known then; now if left out.
    """
    asked = listed(pilot, window, as_of, withdrawn_too=withdrawn_too) | {"kind": kind}
    return [Label(**row) for row in connection.execute(_SQL["labels"], asked)]


def withdraw_label(connection: Connection, label_id: int, *, why: str, who: str, pilot: str | None = None) -> Label:
    """Let a label count no more from now on. What was judged by it stays as it was.

    :param pilot: of whose labels it must be one.
    :raises NotFound: there is none of that number.
    :raises PermanentError: it was withdrawn before.
    """
    require_text("why", why)
    with connection.transaction():
        row = connection.execute(_SQL["label"], {"id": label_id}).fetchone()
        if row is None or (pilot is not None and row["pilot"] != pilot):
            raise NotFound(f"There is no label {label_id}: `pilotbed label list PILOT` shows them.")
        before = Label(**row)
        if before.superseded_at is not None:
            raise PermanentError(
                f"Label {label_id} was withdrawn at {before.superseded_at.isoformat()} by {before.superseded_by}:"
                f" {before.superseded_why}"
            )
        at = horizon.receive(connection)
        connection.execute(_SQL["withdraw_label"], {"id": label_id, "at": at, "who": who, "why": why})
        record(
            connection, who=who, what="label.withdraw", pilot=before.pilot, object=f"label {label_id}", before=before,
            after={"superseded_at": at, "superseded_why": why},
        )  # fmt: skip
    return before


def withdraw_file(connection: Connection, pilot: str, sha256: str, *, why: str, who: str) -> int:
    """Let all labels that came in one file count no more.

    :returns: how many there were.
    :raises NotFound: none counts that came in such a file.
    """
    require_text("why", why)
    with connection.transaction():
        at = horizon.receive(connection)
        asked = {"pilot": pilot, "sha256": sha256, "at": at, "who": who, "why": why}
        n = connection.execute(_SQL["withdraw_file"], asked).rowcount
        if not n:
            raise NotFound(f"Pilot {pilot} has no label that counts from a file with the SHA-256 {sha256[:64]!r}.")
        record(
            connection, who=who, what="label.withdraw", pilot=pilot, object=f"label file {sha256[:12]}",
            after={"n": n, "sha256": sha256, "superseded_at": at, "superseded_why": why},
        )  # fmt: skip
    return n

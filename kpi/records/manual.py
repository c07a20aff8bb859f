"""수기 관측값: what people observe and enter. Each entry has its window, its document, who measured and who entered.

Nothing of an entry is ever changed: a wrong one is withdrawn, with why, and another is entered. What the plan does not declare
cannot be entered, and two entries of one quantity never speak of the same time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from core.audit import record
from core.database import Connection
from core.errors import NotFound, PermanentError
from core.sql import load
from core.window import Window
from devices.plan.manual import ManualQuantity
from devices.plan.model import Plan
from devices.registry.queries import plan_of
from kpi.records import documents
from kpi.records.documents import Paper
from kpi.records.manual_rules import Given, checked
from kpi.records.refusal import Refused
from kpi.records.shared import require_text, slot_ids, told
from telemetry import horizon

_SQL = load("kpi.records", "manual.sql")
_PILOTS = load("kpi.records", "records.sql")

MOST_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualEntry:
    """One entry, with who recorded it when."""

    manual_id: int
    pilot: str
    slot: str | None
    """None: of the pilot as a whole."""
    quantity: str
    unit: str
    start_at: datetime
    end_at: datetime
    """As ``start_at``: of an instant."""
    value: float
    """A count, the mean of a sample, or a value."""
    exposure: float | None
    exposure_unit: str | None
    n: int | None
    sd: float | None
    scores: tuple[float, ...] | None
    """The single answers, where they were entered one by one."""
    measured_by: str
    note: str
    sha256: str
    """Of the document."""
    document: str
    """Its name."""
    bytes: int
    media_type: str
    recorded_at: datetime
    recorded_by: str
    superseded_at: datetime | None = None
    superseded_by: str | None = None
    superseded_why: str | None = None

    @property
    def window(self) -> Window | None:
        """None: of an instant."""
        return None if self.start_at == self.end_at else Window(start=self.start_at, end=self.end_at)


def quantity_of(plan: Plan, name: str) -> ManualQuantity:
    """A quantity that the plan declares.

    :raises NotFound: it declares none of this name.
    """
    found = plan.manual.get(name)
    if found is None:
        there = ", ".join(plan.manual) or "none"
        raise NotFound(f"The plan of pilot {plan.pilot} declares no manual quantity {name!r}; it has: {there}.")
    return found


def add_manual(
    connection: Connection, pilot: str, given: Sequence[Given], paper: Paper, *, who: str, now: datetime | None = None
) -> list[ManualEntry]:
    """Record what somebody observed: all of it, or nothing.

    :param paper: what proves it.
    :param now: the clock's if left out.
    :raises NotFound: no such pilot, quantity or slot.
    :raises PermanentError: a rule does not allow one of them; the message says which.
    """
    plan, _, _ = plan_of(connection, pilot)
    if not given or len(given) > MOST_AT_ONCE:
        raise PermanentError(
            f"There are {len(given):,} entries for pilot {pilot}: at least one, and at most {MOST_AT_ONCE:,} at once."
        )
    now = now or datetime.now(UTC)
    for one in given:
        checked(one, quantity_of(plan, one.quantity), now)
        require_text("measured_by", one.measured_by)
    added: list[int] = []
    with connection.transaction():
        row = connection.execute(_PILOTS["pilot"], {"pilot": pilot}).fetchone()
        assert row is not None
        ids = slot_ids(connection, pilot, [one.slot for one in given if one.slot is not None])
        at = horizon.receive(connection)
        kept = documents.keep(connection, pilot, row["pilot_id"], paper, at=at, who=who)
        require_free(manual_entries(connection, pilot), given)
        for one in given:
            quantity = plan.manual[one.quantity]
            values = {
                "pilot_id": row["pilot_id"], "slot_id": None if one.slot is None else ids[one.slot],
                "quantity": one.quantity, "unit": quantity.unit, "start": one.start, "end": one.end, "value": one.value,
                "exposure": one.exposure,
                "exposure_unit": None if one.exposure is None or quantity.exposure is None else quantity.exposure.unit,
                "n": one.n, "sd": one.sd, "scores": None if one.scores is None else list(one.scores),
                "measured_by": one.measured_by.strip(), "note": one.note.strip(), "document_id": kept.document_id,
                "at": at, "who": who,
            }  # fmt: skip
            made = connection.execute(_SQL["add"], values).fetchone()
            assert made is not None
            added.append(made["manual_id"])
        entries = [one for one in manual_entries(connection, pilot) if one.manual_id in set(added)]
        for entry in entries:
            record(
                connection, who=who, what="manual.add", pilot=pilot, object=f"manual {entry.manual_id}", after=entry
            )  # fmt: skip
    return entries


def manual_entries(
    connection: Connection,
    pilot: str,
    *,
    quantity: str | None = None,
    as_of: datetime | None = None,
    withdrawn_too: bool = False,
) -> list[ManualEntry]:
    """What was entered of a pilot, in the order of time.

    :param as_of: as it was known then; now if left out.
    """
    asked = {"pilot": pilot, "quantity": quantity, "as_of": as_of, "withdrawn_too": withdrawn_too}
    return [entry_of(row) for row in connection.execute(_SQL["entries"], asked)]


def withdraw_manual(
    connection: Connection, manual_id: int, *, why: str, who: str, pilot: str | None = None
) -> ManualEntry:
    """Let an entry count no more from now on. What was judged by it stays as it was.

    :param pilot: of whose entries it must be one.
    :raises NotFound: there is none of that number.
    :raises PermanentError: it was withdrawn before.
    """
    require_text("why", why)
    with connection.transaction():
        row = connection.execute(_SQL["manual"], {"id": manual_id}).fetchone()
        if row is None or (pilot is not None and row["pilot"] != pilot):
            raise NotFound(f"There is no manual entry {manual_id}: `pilotbed manual list PILOT` shows them.")
        before = entry_of(row)
        if before.superseded_at is not None:
            raise Refused(
                f"Manual entry {manual_id} was withdrawn at {before.superseded_at.isoformat()} by {before.superseded_by}:"
                f" {before.superseded_why}",
                f"수기 입력 {manual_id}호는 {before.superseded_by}이(가) 이미 철회했습니다.",
            )
        at = horizon.receive(connection)
        connection.execute(_SQL["withdraw_manual"], {"id": manual_id, "at": at, "who": who, "why": why})
        record(
            connection, who=who, what="manual.withdraw", pilot=before.pilot, object=f"manual {manual_id}", before=before,
            after={"superseded_at": at, "superseded_why": why},
        )  # fmt: skip
    return before


def require_free(there: Sequence[ManualEntry], given: Sequence[Given]) -> None:
    """No two entries of one quantity, at one slot, speak of the same time.

    :raises PermanentError: they would.
    """
    spans: dict[tuple[str, str | None], list[tuple[datetime, datetime, str]]] = {}
    for entry in there:
        named = f"entry {entry.manual_id}"
        spans.setdefault((entry.quantity, entry.slot), []).append((entry.start_at, entry.end_at, named))
    for one in given:
        beside = spans.setdefault((one.quantity, one.slot), [])
        for start, end, named in beside:
            if _overlap(one.start, one.end, start, end):
                raise Refused(
                    f"{one.where}{named} of {one.quantity} has this time already ({_told(start, end)}): withdraw that one, or"
                    f" give another time than {_told(one.start, one.end)}.",
                    f"같은 기간의 입력이 이미 있습니다({named}): 그것을 철회하거나 다른 기간을 적어 주십시오.",
                )
        beside.append((one.start, one.end, f"another row (line {one.line})" if one.line else "another entry"))


def _overlap(start: datetime, end: datetime, other_start: datetime, other_end: datetime) -> bool:
    """Half-open windows; an instant lies in a window, and two instants are the same or not.

    >>> a, b, c = (datetime(2026, 5, day, tzinfo=UTC) for day in (1, 2, 3))
    >>> _overlap(a, b, b, c), _overlap(a, c, b, b), _overlap(a, b, b, b), _overlap(b, b, b, b)
    (False, True, False, True)
    """
    if start == end and other_start == other_end:
        return start == other_start
    if start == end:
        return other_start <= start < other_end
    if other_start == other_end:
        return start <= other_start < end
    return start < other_end and other_start < end


def _told(start: datetime, end: datetime) -> str:
    return f"{start:%Y-%m-%dT%H:%M:%SZ}" if start == end else told(Window(start=start, end=end))


def entry_of(row: Mapping[str, Any]) -> ManualEntry:
    """An entry from its row."""
    scores = None if row["scores"] is None else tuple(row["scores"])
    given = {key: row[key] for key in ManualEntry.__dataclass_fields__ if key != "scores"}
    return ManualEntry(**given, scores=scores)

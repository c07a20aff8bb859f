"""Exclusions asked for and agreed on the pages: three acts of three people, each with its instant.

The company asks, for a cause not older than the plan's deadline; the site's officer and the programme team agree or refuse, each
once; with the second consent the exclusion is there, and counts from that instant on. Nobody stands for another: which side a
person speaks for is their role's, and whether they see the pilot at all is asked of the database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from core.audit import record
from core.database import Connection
from core.errors import NotFound
from core.sql import load
from core.window import Window
from devices.registry.queries import plan_of
from kpi.records.exclusions import Asked, Exclusion, insert, require_allowed, require_room
from kpi.records.refusal import Refused
from kpi.records.shared import require_text, slot_ids, span, told
from telemetry import horizon

_SQL = load("kpi.records", "consent.sql")
_RECORDS = load("kpi.records", "records.sql")

Side = Literal["site", "team"]
State = Literal["waiting", "agreed", "refused", "taken_back"]

SIDE_OF: Final[Mapping[str, Side]] = {"officer": "site", "admin": "team"}
"""Which side a role speaks for."""
ASKING: Final = ("company",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What one side said."""

    side: Side
    agreed: bool
    why: str
    said_at: datetime
    said_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An exclusion that was asked for, and what became of it."""

    request_id: int
    pilot: str
    asked: Asked
    recorded_at: datetime
    recorded_by: str
    consents: tuple[Consent, ...]
    exclusion_id: int | None
    superseded_at: datetime | None
    superseded_by: str | None
    superseded_why: str | None

    @property
    def state(self) -> State:
        if self.exclusion_id is not None:
            return "agreed"
        if any(not one.agreed for one in self.consents):
            return "refused"
        return "waiting" if self.superseded_at is None else "taken_back"

    def of(self, side: Side) -> Consent | None:
        """What a side said; None: nothing yet."""
        return next((one for one in self.consents if one.side == side), None)

    def waits_for(self, role: str) -> bool:
        """Whether it waits for what a person of this role says."""
        side = SIDE_OF.get(role)
        return side is not None and self.state == "waiting" and self.of(side) is None


def ask(
    connection: Connection,
    pilot: str,
    *,
    person: int,
    slot: str,
    start: datetime,
    end: datetime,
    reason: str,
    note: str,
    now: datetime | None = None,
) -> Request:
    """Ask for an exclusion, as somebody of the company.

    :param person: the number of who asks.
    :param now: the clock's if left out.
    :raises NotFound: no such pilot or slot, or not for this person.
    :raises PermanentError: a rule does not allow it; the message says which.
    """
    who, pilot_id = _may(connection, pilot, person, ASKING)
    plan, version, _ = plan_of(connection, pilot)
    today = (now or datetime.now(plan.zone)).astimezone(plan.zone).date()
    asked = Asked(slot=slot, window=span(start, end), reason=reason, asked_on=today, note=note.strip())
    judged = require_allowed(plan, version, asked, today)
    with connection.transaction():
        connection.execute(_RECORDS["pilot"], {"pilot": pilot}).fetchone()
        ids = slot_ids(connection, pilot, [slot])
        _require_alone(requests_of(connection, pilot), asked)
        require_room(connection, plan, asked, judged)
        at = horizon.receive(connection)
        values = {
            "pilot_id": pilot_id, "slot_id": ids[slot], "start": asked.window.start, "end": asked.window.end,
            "reason": reason, "asked_on": today, "note": asked.note, "at": at, "who": who,
        }  # fmt: skip
        row = connection.execute(_SQL["ask"], values).fetchone()
        assert row is not None
        number = int(row["request_id"])
        record(
            connection, who=who, what="exclusion.ask", pilot=pilot, object=f"exclusion request {number}", after=asked
        )  # fmt: skip
        return request(connection, pilot, number, person=person)


def say(
    connection: Connection,
    pilot: str,
    number: int,
    *,
    person: int,
    agreed: bool,
    why: str = "",
    now: datetime | None = None,
) -> Request:
    """Agree to a request, or refuse it, for the side that the person's role speaks for. It cannot be undone.

    :param why: of a refusal it must say something.
    :returns: the request as it is then; with the second consent it has its exclusion.
    :raises NotFound: there is no such request for this person.
    :raises PermanentError: it waits for nobody any more, or this side has said so already; or with others agreed meanwhile there
        is no room for it.
    """
    who, pilot_id = _may(connection, pilot, person, tuple(SIDE_OF))
    if not agreed:
        require_text("why", why)
    plan, version, _ = plan_of(connection, pilot)
    with connection.transaction():
        connection.execute(_RECORDS["pilot"], {"pilot": pilot}).fetchone()
        before = request(connection, pilot, number, person=person)
        side = SIDE_OF[_role(connection, pilot, person)]
        _require_waiting(before, side, who)
        at = horizon.receive(connection)
        exclusion: Exclusion | None = None
        if agreed and before.consents:
            judged = require_allowed(plan, version, before.asked, (now or at).astimezone(plan.zone).date())
            require_room(connection, plan, before.asked, judged)
            ids = slot_ids(connection, pilot, [before.asked.slot])
            first = before.consents[0].said_by
            exclusion = insert(
                connection, before.asked, pilot=pilot, pilot_id=pilot_id, slot_id=ids[before.asked.slot],
                asked_by=before.recorded_by, agreed_site=who if side == "site" else first,
                agreed_team=who if side == "team" else first, at=at, who=who,
            )  # fmt: skip
        values = {
            "request": number, "side": side, "agreed": agreed, "why": why.strip(), "at": at, "who": who,
            "exclusion": None if exclusion is None else exclusion.exclusion_id,
        }  # fmt: skip
        connection.execute(_SQL["say"], values)
        record(
            connection, who=who, what="exclusion.agree" if agreed else "exclusion.refuse", pilot=pilot,
            object=f"exclusion request {number}",
            after={"side": side, "why": why.strip(), "exclusion": values["exclusion"]},
        )  # fmt: skip
        return request(connection, pilot, number, person=person)


def take_back(connection: Connection, pilot: str, number: int, *, person: int, why: str) -> Request:
    """Ask for it no more, as somebody of the company, while it still waits.

    :raises NotFound: there is no such request for this person.
    :raises PermanentError: it waits no more.
    """
    who, _ = _may(connection, pilot, person, ASKING)
    require_text("why", why)
    with connection.transaction():
        connection.execute(_RECORDS["pilot"], {"pilot": pilot}).fetchone()
        before = request(connection, pilot, number, person=person)
        _require_open(before)
        at = horizon.receive(connection)
        connection.execute(_SQL["take_back"], {"request": number, "at": at, "who": who, "why": why.strip()})
        record(
            connection, who=who, what="exclusion.take_back", pilot=pilot, object=f"exclusion request {number}",
            after={"superseded_at": at, "superseded_why": why.strip()},
        )  # fmt: skip
        return request(connection, pilot, number, person=person)


def requests(connection: Connection, *, person: int, pilot: str | None = None) -> list[Request]:
    """What was asked for in the pilots that a person sees, the newest first."""
    asked = {"person": person, "pilot": pilot, "request": None}
    return _gathered(connection.execute(_SQL["requests"], asked).fetchall())


def requests_of(connection: Connection, pilot: str) -> list[Request]:
    """What was asked for in a pilot, the newest first."""
    return _gathered(connection.execute(_SQL["of_pilot"], {"pilot": pilot}).fetchall())


def request(connection: Connection, pilot: str, number: int, *, person: int) -> Request:
    """One request, as the person sees it.

    :raises NotFound: there is none of that number in a pilot of theirs.
    """
    asked = {"person": person, "pilot": pilot, "request": number}
    found = _gathered(connection.execute(_SQL["requests"], asked).fetchall())
    if not found:
        raise NotFound(f"Pilot {pilot} has no exclusion request {number}.")
    return found[0]


def _may(connection: Connection, pilot: str, person: int, roles: Sequence[str]) -> tuple[str, int]:
    """Who it is by name, and the pilot's number.

    :raises NotFound: the person does not see the pilot in one of these roles.
    """
    asked = {"pilot": pilot, "person": person, "roles": list(roles)}
    row = connection.execute(_SQL["may"], asked).fetchone()
    if row is None:
        raise NotFound(f"There is no pilot {pilot!r} of whose exclusions this person decides as {' or '.join(roles)}.")
    return row["person"], int(row["pilot_id"])


def _role(connection: Connection, pilot: str, person: int) -> str:
    row = connection.execute(_SQL["may"], {"pilot": pilot, "person": person, "roles": list(SIDE_OF)}).fetchone()
    assert row is not None
    return str(row["role"])


def _require_open(before: Request) -> None:
    if before.state != "waiting":
        became, korean = {
            "agreed": ("was agreed", "합의되었습니다"),
            "refused": ("was refused", "거절되었습니다"),
            "taken_back": ("was taken back", "거두어졌습니다"),
        }[before.state]
        raise Refused(
            f"Exclusion request {before.request_id} {became}: it waits for nobody any more.",
            f"평가 제외 요청 {before.request_id}호는 이미 {korean}.",
        )


def _require_waiting(before: Request, side: Side, who: str) -> None:
    _require_open(before)
    said = before.of(side)
    if said is not None:
        raise Refused(
            f"For the {side} {said.said_by} has agreed to exclusion request {before.request_id} already, at"
            f" {said.said_at.isoformat()}: it cannot be said twice.",
            f"평가 제외 요청 {before.request_id}호에는 {said.said_by}이(가) 이미 동의했습니다.",
        )
    spoke = {before.recorded_by, *(one.said_by for one in before.consents)}
    if who in spoke:
        raise Refused(
            f"{who} has asked for or agreed to exclusion request {before.request_id}: it takes another person.",
            "요청하거나 동의한 사람이 아닌 다른 사람이 동의해야 합니다.",
        )


def _require_alone(there: Sequence[Request], asked: Asked) -> None:
    for one in there:
        same = one.asked.slot == asked.slot and one.asked.window.intersection(asked.window).seconds
        if one.state == "waiting" and same:
            raise Refused(
                f"Exclusion request {one.request_id} of {asked.slot} asks for a part of it already ({told(one.asked.window)}):"
                " wait for the answer, or take that one back.",
                f"평가 제외 요청 {one.request_id}호와 시간이 겹칩니다: 답을 기다리거나 그 요청을 거두어 주십시오.",
            )


def _gathered(rows: Sequence[Mapping[str, Any]]) -> list[Request]:
    by_number: dict[int, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_number.setdefault(row["request_id"], []).append(row)
    return [_request(own) for own in by_number.values()]


def _request(rows: Sequence[Mapping[str, Any]]) -> Request:
    first = rows[0]
    said = [row for row in rows if row["side"] is not None]
    own = ("request_id", "pilot", "recorded_at", "recorded_by", "superseded_at", "superseded_by", "superseded_why")
    return Request(
        **{name: first[name] for name in own},
        asked=Asked(
            slot=first["slot"], window=Window(start=first["start_at"], end=first["end_at"]), reason=first["reason"],
            asked_on=first["asked_on"], note=first["note"],
        ),
        consents=tuple(
            Consent(**{name: row[name] for name in ("side", "agreed", "why", "said_at", "said_by")}) for row in said
        ),
        exclusion_id=next((row["exclusion_id"] for row in said if row["exclusion_id"] is not None), None),
    )  # fmt: skip

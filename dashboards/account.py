"""The account of a day as the page draws it: bars whose parts flow into the next, then what only the readings tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from core.database import Connection
from core.language import N_
from dashboards.access import VisiblePilot
from dashboards.site import Site
from telemetry import intake
from telemetry.account import Account

_COUNTS_S: Final = 5.0
_OVER_S: Final = 600.0
"""A day that is over changes only by what comes late: what was made of it is shown so long."""
_WHOLE: Final = 100.0
_LEAST: Final = 0.9
"""A part that is there is seen, however small: per cent of the bar's width."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a bar: where it begins and how wide it is, in per cent."""

    kind: str
    name: str
    n: int
    share: float
    x: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A count and what it divides into. ``outline`` is the width of what was expected, where that is on the same scale."""

    name: str
    note: str
    n: int
    parts: tuple[Part, ...]
    flow: str
    """The points of the band that leads from the first part to all parts of the next bar; empty: none follows."""
    outline: float | None = None
    expected: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Which day is shown, and where one can go from it."""

    day: date
    first: date
    last: date

    @property
    def before(self) -> date | None:
        return self.day - timedelta(days=1) if self.day > self.first else None

    @property
    def after(self) -> date | None:
        return self.day + timedelta(days=1) if self.day < self.last else None


SENT: Final = N_("보낸 메시지(번호로 셈)")
DELIVERED: Final = N_("받은 메시지")
DECODED: Final = N_("해석한 값")
_NOTES: Final = {
    SENT: N_("장비가 붙인 번호(seq)로 셉니다."),
    DELIVERED: N_("브로커가 플랫폼에 건넨 것. 같은 것이 다시 오기도 합니다."),
    DECODED: N_("메시지에서 읽어 낸 측정값과 발생 기록."),
}


def days_of(pilot: VisiblePilot, asked: str) -> Days:
    """The day that was asked for; today for anything that is no day of the pilot so far."""
    today = pilot.today()
    first = min(pilot.today(pilot.start_at), today)
    try:
        day = date.fromisoformat(asked)
    except ValueError:
        day = today
    return Days(day=day if first <= day <= today else today, first=first, last=today)


def counted(site: Site, connection: Connection, pilot: VisiblePilot, day: date) -> Account:
    """The counts of a day: some milliseconds, whatever came in."""
    key = (pilot.name, pilot.plan_sha256, day, "counts")
    return site.accounts.get(key, lambda: intake.account(connection, pilot.name, day, timed=False), span_s=_COUNTS_S)


def timed(site: Site, connection: Connection, pilot: VisiblePilot, day: date) -> Account:
    """The whole account: every reading of the day is looked at, unless that was done a short time ago."""
    key, span_s = _timed_key(pilot, day)
    return site.accounts.get(key, lambda: intake.account(connection, pilot.name, day), span_s=span_s)


def timed_if_kept(site: Site, pilot: VisiblePilot, day: date) -> Account | None:
    """The whole account if somebody asked for it a short time ago."""
    key, span_s = _timed_key(pilot, day)
    return site.accounts.kept(key, span_s=span_s)


def _timed_key(pilot: VisiblePilot, day: date) -> tuple[tuple[object, ...], float | None]:
    over = day < pilot.today()
    return (pilot.name, pilot.plan_sha256, day, "timed", over), _OVER_S if over else None


def bars(account: Account) -> list[Bar]:
    """The flow, from what was sent to what was stored. Messages and values have a scale each."""
    total = account.totals
    values = [
        ("taken", N_("저장"), total.stored),
        ("again", N_("중복"), total.duplicate),
        ("conflict", N_("상이값 중복"), total.conflict),
        ("refused", N_("거부"), total.rejected),
    ]
    messages = [("taken", N_("처리"), total.committed), ("held", N_("수신 보류"), total.quarantined)]
    decoded = _bar(DECODED, total.decoded, values, max(total.decoded, total.expected), expected=total.expected)
    delivered = _bar(DELIVERED, total.delivered, messages, total.delivered, to=decoded)
    found = [delivered, decoded]
    if total.sent is not None and total.distinct is not None and total.missing is not None:
        numbers = [("taken", N_("도착"), total.distinct), ("missing", N_("유실"), total.missing)]
        # Only where every sender counts do the numbers flow into all messages that came.
        every = all(one.numbers for one in account.connections if one.delivered)
        found.insert(0, _bar(SENT, total.sent, numbers, total.sent, to=delivered if every else None))
    return found


def _bar(
    name: str,
    n: int,
    given: Sequence[tuple[str, str, int]],
    scale: int,
    *,
    to: Bar | None = None,
    expected: int | None = None,
) -> Bar:
    parts = _parts(given, n, scale)
    return Bar(
        name=name,
        note=_NOTES[name],
        n=n,
        parts=tuple(parts),
        flow=_flow(parts[0], to.parts[-1]) if to is not None and to.n and parts[0].n else "",
        outline=max(round(_WHOLE * expected / scale, 3), _LEAST) if expected else None,
        expected=expected,
    )


def _flow(part: Part, last: Part) -> str:
    return f"0,0 {part.width:g},0 {last.x + last.width:g},10 0,10"


def _parts(given: Sequence[tuple[str, str, int]], n: int, scale: int) -> list[Part]:
    """The parts side by side. What would be too thin to be seen is drawn wider, at the cost of the widest."""
    widths = [_WHOLE * count / scale if scale else 0.0 for _, _, count in given]
    seen = [max(width, _LEAST) if count else 0.0 for width, (_, _, count) in zip(widths, given, strict=True)]
    too_much = sum(seen) - sum(widths)
    if too_much > 0:
        widest = max(range(len(seen)), key=seen.__getitem__)
        seen[widest] = max(seen[widest] - too_much, _LEAST)
    parts = []
    x = 0.0
    for (kind, name, count), width in zip(given, seen, strict=True):
        parts.append(
            Part(
                kind=kind,
                name=name,
                n=count,
                share=count / n if n else 0.0,
                x=round(x, 3),
                width=round(width, 3),
            )
        )
        x += width
    return parts

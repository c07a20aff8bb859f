"""Dates, numbers and lengths of time as the pages print them: one object a language, ``f`` in every template."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from core.language import (
    N_,
    STATES,
    State,
    catalogue,
    date_text,
    days_text,
    duration_text,
    month_text,
    time_text,
    unit_text,
    window_text,
    with_unit,
)
from core.numbers import Target, printed, printed_interval, written
from core.window import Window
from kpi.reports.words import capitalised

_SECONDS = 1e11
"""Seconds up to the year 5138: a larger number counts thousandths of them, or their thousandths."""
_ROLES = {
    "admin": N_("사업단"),
    "officer": N_("수요처 담당자"),
    "company": N_("참여기업"),
    "committee": N_("심사위원"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The wording of one language."""

    language: str

    def say(self, message: str, **values: Any) -> str:
        """A message of the catalogue with values in its ``%(name)s`` places."""
        text = catalogue(self.language).gettext(message)
        return text % values if values else text

    def day(self, day: date, *, weekday: bool = True) -> str:
        return date_text(day, self.language, weekday=weekday)

    def day_alone(self, day: date) -> str:
        """A day without its year, for axes: ``3. 14.``, ``14 Mar``."""
        text = date_text(day, self.language, weekday=False)
        return text.partition(" ")[2] if self.language == "ko" else text.rpartition(" ")[0]

    def days(self, first: date, last: date, *, year: bool = True) -> str:
        return days_text(first, last, self.language, year=year)

    def month(self, month: str) -> str:
        return month_text(month, self.language)

    def window(self, window: Window, zone: ZoneInfo) -> str:
        return window_text(window, zone, self.language)

    def whole_days(self, start: datetime, end: datetime, zone: ZoneInfo) -> bool:
        """Whether a stretch goes from one midnight to another."""
        return all(one.astimezone(zone).timetz().replace(tzinfo=None) == time.min for one in (start, end))

    def span(self, start: datetime, end: datetime, zone: ZoneInfo) -> str:
        """A stretch of whole days, its last day included."""
        return window_text(Window(start=start, end=end), zone, self.language)

    def time(self, instant: datetime, zone: ZoneInfo, *, seconds: bool = False) -> str:
        return time_text(instant, zone, self.language, seconds=seconds)

    def clock(self, instant: datetime, zone: ZoneInfo, *, now: datetime | None = None) -> str:
        """The time alone where it is of today, else with its date: for tables of recent instants."""
        local = instant.astimezone(zone)
        if local.date() == (now or datetime.now(UTC)).astimezone(zone).date():
            return f"{local:%H:%M:%S}"
        return self.time(instant, zone, seconds=True)

    def sent(self, observed: str, zone: ZoneInfo) -> str:
        """A device's own time where it wrote a number: seconds since 1970 or a smaller unit; empty where it is none."""
        try:
            number = float(observed)
            for _unit in ("ms", "us", "ns"):
                number = number / 1000 if abs(number) >= _SECONDS else number
            return self.time(datetime.fromtimestamp(number, UTC), zone, seconds=True)
        except (ValueError, OverflowError, OSError):
            return ""

    def duration(self, seconds: float) -> str:
        return duration_text(seconds, self.language)

    def ago(self, instant: datetime | None, now: datetime | None = None) -> str:
        """How long ago something was: ``8초 전``."""
        if instant is None:
            return self.say("아직 없음")
        seconds = ((now or datetime.now(UTC)) - instant).total_seconds()
        if seconds < 1:
            return self.say("방금")
        return self.say("%(length)s 전", length=self.duration(seconds))

    def delay(self, seconds: float) -> str:
        """The time from a reading to its receipt; a device's clock may run ahead."""
        if seconds < 0:
            return self.say("−%(length)s(장비 시계 빠름)", length=self.duration(-seconds))
        return f"{seconds:.1f}{unit_text_of_seconds(self.language)}" if seconds < 10 else self.duration(seconds)

    def number(self, value: float | None, unit: str = "", target: Target | None = None) -> str:
        """A number without its unit."""
        return printed(value, unit, target)

    def quantity(self, value: float | None, unit: str = "", target: Target | None = None) -> str:
        """A number with its unit."""
        return with_unit(printed(value, unit, target), unit, self.language)

    def capitalised(self, text: str) -> str:
        return capitalised(text)

    def written(self, number: float) -> str:
        """A number that a person wrote, with its own digits."""
        return written(number)

    def interval(self, low: float | None, high: float | None, unit: str = "", target: Target | None = None) -> str:
        return printed_interval(low, high, unit, target)

    def unit(self, unit: str) -> str:
        return unit_text(unit, self.language)

    def count(self, n: int) -> str:
        """A whole number with thousands commas."""
        return f"{n:,}"

    def size(self, n: int) -> str:
        """A number of bytes."""
        for step, name in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")):
            if n >= step:
                return f"{n / step:.1f} {name}"
        return f"{n} B"

    def percent(self, share: float | None) -> str:
        """A share of one as per cent."""
        return self.quantity(None if share is None else share * 100, "%")

    def role(self, role: str) -> str:
        """What somebody is called who has a role."""
        return self.say(_ROLES[role])

    def state(self, code: str | None) -> State | None:
        """How a status or verdict is shown."""
        return None if code is None else STATES.get(code)


def unit_text_of_seconds(language: str) -> str:
    """Seconds beside a number."""
    return "초" if language == "ko" else " s"

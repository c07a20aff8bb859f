"""How a document says things: one object a language and zone, and the printed forms of a KPI's numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from core.language import (
    STATES,
    catalogue,
    date_text,
    duration_text,
    month_text,
    time_text,
    unit_text,
    window_text,
    with_unit,
)
from core.numbers import MISSING, printed, printed_difference, printed_interval
from core.window import Window
from devices.plan.target import Bounds, parse_bounds
from kpi.reports.record import Figure, Interval, OpinionKpi, Promise


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters; what is cut is marked.

    >>> shortened("스마트 환기 실증", 6)
    '스마트 환…'
    """
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def capitalised(text: str) -> str:
    """A text whose first letter is a capital, the others as they are.

    >>> capitalised("the site's power"), capitalised("수요처 정전")
    ("The site's power", '수요처 정전')
    """
    return text[:1].upper() + text[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words of one document."""

    language: str
    zone: ZoneInfo

    def say(self, message: str, **values: object) -> str:
        """A message of the catalogue, marked with ``N_`` where it is written, with values in its ``%(name)s`` places."""
        text = catalogue(self.language).gettext(message)
        return text % values if values else text

    def day(self, day: date, *, weekday: bool = True) -> str:
        return date_text(day, self.language, weekday=weekday)

    def time(self, instant: datetime) -> str:
        return time_text(instant, self.zone, self.language)

    def days(self, window: Window) -> str:
        return window_text(window, self.zone, self.language)

    def month(self, month: str) -> str:
        return month_text(month, self.language)

    def month_alone(self, month: str) -> str:
        """A month without its year."""
        return month_text(month, self.language).split(" ")[self.language == "ko"]

    def unit(self, unit: str) -> str:
        return unit_text(unit, self.language)

    def length(self, seconds: float) -> str:
        return duration_text(seconds, self.language)

    def count(self, number: int) -> str:
        """So many occurrences; Korean counts them with a word of its own."""
        return with_unit(f"{number:,}", "case", "ko") if self.language == "ko" else f"{number:,}"

    def state(self, code: str) -> dict[str, str]:
        """A status as a template shows it."""
        state = STATES[code]
        return {"tone": state.tone, "mark": state.mark, "word": state.word(self.language)}

    def level(self, level: float) -> str:
        """A confidence level: ``95 %``, ``97.5 %``."""
        return f"{level * 100:.4g} %"

    def share(self, share: float | None, least: float | None = None) -> str:
        """A share of one as per cent; it agrees with the least that is asked of it."""
        if share is None:
            return MISSING
        bounds = None if least is None else parse_bounds(f">= {least * 100:g} %")
        return with_unit(printed(share * 100, "%", bounds), "%", self.language)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The printed numbers of one promise: each by the one rule of :mod:`core.numbers`, against its target."""

    words: Words
    unit: str
    bounds: Bounds
    """The target in this unit."""
    least: float | None = None
    """The least completeness, as a share of one."""

    @classmethod
    def of(cls, kpi: OpinionKpi, words: Words) -> Numbers:
        return cls(words=words, unit=kpi.unit, bounds=_in_unit(kpi.target, kpi.unit), least=kpi.minimum_completeness)

    @classmethod
    def of_promise(cls, promise: Promise, words: Words) -> Numbers:
        return cls(words=words, unit=promise.unit, bounds=_in_unit(promise.target, promise.unit))

    @property
    def target(self) -> str:
        return self.bounds.shown(self.words.language)

    def bare(self, value: float | None) -> str:
        return printed(value, self.unit, self.bounds)

    def value(self, value: float | None) -> str:
        return with_unit(self.bare(value), self.unit, self.words.language)

    def interval(self, interval: Interval | None) -> str:
        if interval is None:
            return MISSING
        ends = printed_interval(interval.low, interval.high, self.unit, self.bounds)
        return with_unit(ends, self.unit, self.words.language)

    def change(self, now: float | None, before: float | None) -> str:
        """The change of the printed values; between per cents it is in percentage points."""
        difference = printed_difference(self.bare(now), self.bare(before))
        if difference is None:
            return MISSING
        return with_unit(difference, "%p" if self.unit == "%" else self.unit, self.words.language)

    def completeness(self, figure: Figure) -> str:
        return self.words.share(figure.completeness, self.least)


def _in_unit(target: str, unit: str) -> Bounds:
    written = parse_bounds(target)
    return written if written.unit == unit else written.to(unit)

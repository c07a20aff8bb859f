"""The numbers of one KPI as a document's record holds them: unrounded; ``None`` where there is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from core.language import translator
from core.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """One text in both languages."""

    ko: str
    en: str

    def text(self, language: str) -> str:
        return self.ko if language == "ko" else self.en


def both(message: str, **values: object) -> Both:
    """A message of the catalogue, marked with ``N_`` where it is written, with values in its ``%(name)s`` places.

    A value that is itself a :class:`Both` takes the language of the text.
    """

    def told(language: str) -> str:
        text = translator(language)(message)
        return text % {name: v.text(language) if isinstance(v, Both) else v for name, v in values.items()}

    return Both(ko=told("ko"), en=told("en"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Two ends; one that is open is None."""

    low: float | None
    high: float | None
    level: float | None = None
    """Of each end by itself (one-sided), as a share of one: 0.95. None where chance has no part in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One value of a KPI over one window."""

    value: float | None
    n: int | None = None
    completeness: float | None = None
    """As a share of one; None where it cannot be told."""
    interval: Interval | None = None
    """The confidence bounds."""
    open_gaps: Interval | None = None
    """The value if all silence that no record charges to anybody went against it, and in its favour."""
    reason: Both | None = None
    """Why there is no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Without:
    """The same KPI if something that people agreed on did not count."""

    cumulative: float | None
    """None also where another of several promises would decide: its value is in another unit."""
    month: float | None
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """To whom time without data is charged, in seconds, of all slots that the value is of."""

    company_s: float
    platform_s: float
    site_s: float
    unattributed_s: float
    excluded_s: float = 0.0
    """Left out of judgement, as agreed; of all slots of the KPI."""
    slot: str | None = None
    """Of this slot alone, where the worst one decides."""
    site_outages: tuple[int, ...] = ()
    platform_outages: tuple[int, ...] = ()
    exclusions: tuple[int, ...] = ()
    """The numbers of the records behind it."""
    left_out_n: int = 0
    """Readings that do not count because of quality findings …"""
    left_out_s: float = 0.0
    """… and for how long; most of it is the company's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One of several things that a KPI promises at once."""

    name: str
    unit: str
    target: str
    month: float | None
    cumulative: float | None
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotFigure:
    """A slot's own value over the whole window."""

    slot: str
    place: str
    value: float | None
    n: int
    completeness: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentFigure:
    """A slot's value while one device, as it was, stood there."""

    slot: str
    place: str
    window: Window
    cause: Literal["device", "model", "firmware", "installed_again"] | None
    """What was other than before; None: the first."""
    serial: str | None
    model: str | None
    firmware: str | None
    value: float | None
    n: int
    completeness: float | None
    promise: int = 0
    """Of which of several promises, from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSegment:
    """Every slot's last segment together."""

    value: float | None
    n: int
    completeness: float | None
    promise: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetVersion:
    """A target that a KPI has, or had before an amendment."""

    text: Both
    """As people read it; of a KPI of several promises all of them."""
    written: str
    since: datetime
    plan_version: int
    agreed_on: date | None = None
    """None: it came with the first plan."""
    reason: str | None = None
    parties: tuple[str, ...] = ()

"""What a monthly opinion says, before anybody decides how it looks: one plain record, and its JSON is what is hashed.

Numbers are unrounded, instants are UTC, texts that the platform itself writes are there in both languages. ``None`` means
that there is no such number; the reason stands beside it. Nothing here depends on a language or on a page's size.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias

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
class TrendMonth:
    """A month of a KPI, as the result of that month had it."""

    month: str
    value: float | None
    cumulative: float | None
    status: str | None
    completeness: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionKpi:
    """A KPI in a month's opinion. A month shows a status, never a verdict."""

    id: str
    name: str
    definition: str | None
    unit: str
    """As the plan writes it; month, cumulative value and interval are in it."""
    target: str
    """As the plan writes it."""
    weight: float
    required: bool
    scope: Literal["period", "capability"]
    rule: Literal["estimate", "confident", "guarded"]
    minimum_completeness: float
    """As a share of one."""
    month: Figure
    cumulative: Figure
    status: str
    why: Both
    trend: tuple[TrendMonth, ...]
    """All months so far, this one last."""
    method: str | None = None
    measured_by: str | None = None
    baseline: str | None = None


ChargedTo: TypeAlias = Literal["company", "platform", "site", "unattributed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A stretch in which a slot was not heard, or said to be away."""

    slot: str
    place: str
    window: Window
    charged_to: ChargedTo
    note: Both | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """A device that was put into a slot in this month."""

    slot: str
    place: str
    at: datetime
    serial: str
    before: str | None
    firmware: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """How often something was refused or set aside in this month, for one reason."""

    kind: Literal["message", "item"]
    """A whole message set aside, or one reading or event."""
    where: str
    reason: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeDay:
    """A day of receipt, all connections and slots together.

    ``delivered = committed + quarantined``, ``decoded = stored + duplicate + conflict + rejected``.
    """

    day: date
    delivered: int
    committed: int
    quarantined: int
    decoded: int
    stored: int
    duplicate: int
    conflict: int
    rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a person wrote under the numbers, shown unaltered."""

    judgement: Literal["adequate", "needs_work", "inadequate"] | None
    body: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Whose opinion it is, on what."""

    pilot: str
    title: str
    kind: Literal["rnd", "opportunity"]
    company: str
    site: str
    product: str
    places: tuple[str, ...]
    zone: str
    period: Window
    simulated: bool
    plan_version: int
    plan_sha256: str
    organisation: str
    team: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionData:
    """The monthly monitoring opinion of one pilot."""

    number: str
    """Document number: unique, and the same for the same result."""
    header: Header
    month: str
    """``YYYY-MM``"""
    window: Window
    as_of: datetime
    provisional: bool
    result_version: int
    result_sha256: str
    code_version: str
    kpis: tuple[OpinionKpi, ...]
    decisions: tuple[Both, ...]
    outages: tuple[Outage, ...]
    swaps: tuple[Swap, ...]
    refused: tuple[Refused, ...]
    intake: tuple[IntakeDay, ...]
    site_opinion: Written | None = None
    team_opinion: Written | None = None
    company_reply: Written | None = None

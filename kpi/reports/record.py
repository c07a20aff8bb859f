"""What a monthly opinion says, before anybody decides how it looks: one plain record, and its JSON is what is hashed.

Numbers are unrounded, instants are UTC, texts that the platform itself writes are there in both languages. ``None`` means
that there is no such number; the reason stands beside it. Nothing here depends on a language or on a page's size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, TypeAlias

from core.window import Window
from kpi.reports.figures import (
    Both,
    Charged,
    Figure,
    Interval,
    LastSegment,
    Promise,
    SegmentFigure,
    SlotFigure,
    TargetVersion,
    Without,
    both,
)
from kpi.reports.manual_row import ManualRow
from kpi.reports.pairs_record import Pairs

__all__ = [
    "AgreedOutage",
    "Both",
    "ChannelRevision",
    "Charged",
    "ChargedTo",
    "Exclusion",
    "Figure",
    "Header",
    "IntakeDay",
    "Interval",
    "LastSegment",
    "OpinionData",
    "OpinionKpi",
    "Outage",
    "Overall",
    "OverallPart",
    "Promise",
    "Refused",
    "ResultVersion",
    "Room",
    "SealHead",
    "SegmentFigure",
    "SlotFigure",
    "Swap",
    "TargetVersion",
    "TrendMonth",
    "Without",
    "Written",
    "both",
]


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
    group: Literal["pooled", "worst", "mean", "sum"] = "pooled"
    charged: Charged | None = None
    without_exclusions: Without | None = None
    """None: no exclusion concerns it."""
    without_outages: Without | None = None
    without_conditions: Without | None = None
    """With the time outside of the operating conditions counted."""
    promises: tuple[Promise, ...] = ()
    """Of a KPI that promises several things; its own value is that of the one that decides."""
    promise: int | None = None
    compared: Mapping[str, tuple[Mapping[str, Any], ...]] | None = None
    """Of an agreement with a reference, by language: the charts of its pairs, as specifications with what they show."""
    pairs: Pairs | None = None
    """Of a detection: what became of alerts and labels."""
    by_slot: tuple[SlotFigure, ...] = ()
    segments: tuple[SegmentFigure, ...] = ()
    """Empty where no device, model or firmware changed."""
    last_segments: tuple[LastSegment, ...] = ()
    """One a promise."""
    pooling: tuple[Both, ...] = ()
    """Whether its segments may be taken together, and why; of instruments alone."""
    targets: tuple[TargetVersion, ...] = ()
    """The oldest first, the one in force last."""


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
class AgreedOutage:
    """An outage that people agreed on, of the site or of the platform; withdrawn ones too."""

    number: int
    slots: tuple[str, ...] | None
    """None: all of them."""
    window: Window
    cause: str
    agreed_by: str
    note: str
    recorded_at: datetime
    recorded_by: str
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None
    withdrawn_why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """An interval that people agreed to leave out of judgement; withdrawn ones too."""

    number: int
    slot: str
    place: str
    window: Window
    reason: Both
    asked_on: date
    asked_by: str
    agreed_site: str
    agreed_team: str
    note: str
    recorded_at: datetime
    recorded_by: str
    counts: bool
    """False: withdrawn, or beyond the room of its slot."""
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None
    withdrawn_why: str | None = None
    sha256: str | None = None
    """Of the signed paper, where it was agreed on paper and that was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much of a slot is left out, and how much may be."""

    slot: str
    place: str
    used_s: float
    most_s: float
    most_share: float
    """Of the window of the final verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverallPart:
    """One KPI in the answer over all of them."""

    name: str
    required: bool
    weight: float
    verdict: str
    counts_as: str
    score: float | None
    formula: Both | None
    to_committee: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Overall:
    """목표달성도 as the plan decides it: at the last evaluation date that was judged, or the rule alone before the first."""

    rule: Literal["all_required", "weighted"]
    sentences: tuple[Both, ...]
    """The rule in words."""
    at: date | None
    """The evaluation date; None: none was judged yet."""
    result_version: int | None
    verdict: str | None
    score: float | None
    low: float | None
    high: float | None
    pass_score: float | None
    why: Both | None
    parts: tuple[OverallPart, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultVersion:
    """A version of the month's result, and what made it differ from the one before."""

    version: int
    as_of: datetime
    plan_version: int
    code_version: str
    check_code: str
    causes: tuple[Both, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRevision:
    """How readings of a channel were decoded: one revision of which there were some in the judged window."""

    slot: str
    place: str
    channel: str
    name: str
    """What people call the channel."""
    unit: str
    number: int
    source: str
    """Where in the message the value stands …"""
    source_unit: str
    """… and its unit there."""
    stands: bool
    """Whether any of its readings counts."""
    redecoded: bool
    """Whether some count no more, because their messages were decoded again by a later revision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealHead:
    """The newest seal of the pilot's data that was made by the ``as_of``: who holds it can tell later whether the chain up to it
    is still the same."""

    number: int
    day: date
    """Of receipt."""
    head: str
    """SHA-256 of the seal's record."""


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
    agreed_outages: tuple[AgreedOutage, ...] = ()
    """Of the time from the pilot's start to the month's end, as known at ``as_of``."""
    exclusions: tuple[Exclusion, ...] = ()
    rooms: tuple[Room, ...] = ()
    """Of slots with exclusions."""
    overall: Overall | None = None
    """None: the plan says nothing of it."""
    versions: tuple[ResultVersion, ...] = ()
    """Up to this one, the newest last; the first ones may be left out."""
    versions_before: int = 0
    """So many earlier ones are left out."""
    most_excluded: float | None = None
    """How much of a slot's time may be left out of judgement, as a share of one; None: the result does not tell."""
    channels: tuple[ChannelRevision, ...] = ()
    manual: tuple[ManualRow, ...] = ()
    """What people entered, as the result has it."""
    seal: SealHead | None = None
    """None: nothing was sealed by then."""

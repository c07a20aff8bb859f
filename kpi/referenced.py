"""What a result says of the reference that a KPI is compared with: whose it is, what vouches for it, and what changed of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from core.language import N_, date_text, translator
from core.window import MICROSECOND, Window
from devices.plan.agreement_measures import Agreement
from devices.plan.model import Kpi, Plan
from devices.plan.references import reference_told


class Stretch(Protocol):
    """One device in a slot, as it was."""

    @property
    def window(self) -> Window: ...
    @property
    def cause(self) -> str | None: ...
    @property
    def serial(self) -> str | None: ...


OWNERS: Mapping[str, str] = {
    "company": N_("참여기업"),
    "site": N_("수요처"),
    "team": N_("사업단"),
    "outside": N_("기준측정기관"),
}
"""Whose a slot is."""


def referenced(plan: Plan, kpi: Kpi, segments: Mapping[str, Sequence[Stretch]], whole: Window) -> dict[str, Any]:
    """``references``: a row for each that a KPI is compared with; nothing where there is none.

    :param segments: of each slot, as the devices in it changed.
    """
    found: list[dict[str, Any]] = []
    for part in kpi.parts:
        of = part.measure.of
        if not isinstance(of, Agreement) or any(
            (row["slot"], row["channel"]) == (of.reference.slot, of.reference.channel) for row in found
        ):
            continue
        told = reference_told(plan, of)
        until = None if told["certificate"] is None else told["certificate"]["valid_until"]
        judged = _last_day(whole, plan.zone)
        told["certificate_expired"] = None if until is None else until < judged
        told["changes"] = [
            {"at": one.window.start, "cause": one.cause, "serial": one.serial}
            for one in segments.get(of.reference.slot, ())
            if one.cause is not None
        ]
        told["calibrations"] = [
            {"change": pair.change, "measured_on": pair.date, "certificate": pair.certificate}
            for pair in plan.calibrations
            if (pair.slot, pair.channel) == (of.reference.slot, of.reference.channel) and pair.change <= judged
        ]
        found.append(told)
    return {"references": found} if found else {}


def _last_day(whole: Window, zone: ZoneInfo) -> date:
    return (whole.end - MICROSECOND).astimezone(zone).date()


def reference_clauses(rows: Sequence[Mapping[str, Any]], language: str) -> list[str]:
    """What has to be known of it: that it is the company's own, that its certificate has run out, that it changed."""
    say = translator(language)
    found = []
    for row in rows:
        if row["owner"] == "company":
            found.append(say(N_("기준측정값({slot})이 참여기업의 것임")).format(slot=row["slot"]))
        if row["certificate_expired"]:
            until = date_text(_date(row["certificate"]["valid_until"]), language, weekday=False)
            found.append(
                say(N_("기준측정기({slot})의 교정성적서 {number}는 {until}까지 유효함")).format(
                    slot=row["slot"], number=row["certificate"]["number"], until=until
                )
            )
        if row["changes"] or row["calibrations"]:
            found.append(
                say(N_("기준측정기({slot})가 기간 중 {n}번 교체·교정됨")).format(
                    slot=row["slot"], n=len(row["changes"]) + len(row["calibrations"])
                )
            )
    return found


def _date(value: date | str) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)

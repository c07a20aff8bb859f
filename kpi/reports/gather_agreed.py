"""What people agreed on, the answer over all KPIs, and the versions of a result: as they were known at its ``as_of``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from core.canonical import check_code
from core.database import Connection
from core.language import translator
from core.sql import load
from core.window import Window, date_window
from devices.plan.model import Kpi, Plan
from devices.registry.queries import plan_of, plan_versions
from kpi.records.exclusions import exclusions as exclusions_recorded
from kpi.records.exclusions import rules_of
from kpi.records.outages import outages as outages_recorded
from kpi.reports.causes import cause_text
from kpi.reports.entries import Places, to_committee
from kpi.reports.figures import Both
from kpi.reports.record import (
    AgreedOutage,
    Exclusion,
    Overall,
    OverallPart,
    ResultVersion,
    Room,
    SealHead,
)
from kpi.reports.scoring import Say, formula_text, rule_sentences
from kpi.results import Stored
from telemetry.seals.store import head_of

_SQL = load("kpi.reports", "reports.sql")
_MOST_VERSIONS: Final = 12


def places_of(plan: Plan) -> Places:
    """What people call each slot that has a place."""
    return {name: slot.place for name, slot in plan.slots.items() if slot.place}


def parties_of(connection: Connection, pilot: str, versions: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """Who agreed to the amendment that each of these plan versions came with."""
    found = {}
    for version in versions:
        amendment = plan_of(connection, pilot, version)[0].amendment
        if amendment is not None:
            found[version] = amendment.parties
    return found


def amendments_of(connection: Connection, pilot: str) -> list[dict[str, Any]]:
    """The amendments of a pilot, the oldest first: each with what it changed in the targets.

    ``{"plan_version", "recorded_at", "date", "reason", "parties", "targets": [(name, old, new)]}``, the targets as
    :class:`~kpi.reports.figures.Both`.
    """
    found: list[dict[str, Any]] = []
    before: Plan | None = None
    for version in plan_versions(connection, pilot):
        plan = plan_of(connection, pilot, version["version"])[0]
        if before is not None and plan.amendment is not None and plan.amendment != before.amendment:
            found.append(
                {
                    "plan_version": version["version"],
                    "recorded_at": version["recorded_at"],
                    "date": plan.amendment.date,
                    "reason": plan.amendment.reason,
                    "parties": plan.amendment.parties,
                    "targets": _changed_targets(before, plan),
                }
            )
        before = plan
    return found


def _changed_targets(before: Plan, now: Plan) -> list[tuple[str, Both, Both]]:
    def told(kpi: Kpi) -> Both:
        ko, en = (", ".join(part.bounds.shown(language) for part in kpi.parts) for language in ("ko", "en"))
        return Both(ko=ko, en=en)

    pairs = [(before.kpis[name], kpi) for name, kpi in now.kpis.items() if name in before.kpis]
    return [(new.name, told(old), told(new)) for old, new in pairs if told(old) != told(new)]


def agreed_outages(
    connection: Connection, pilot: str, window: Window | None = None, as_of: datetime | None = None
) -> tuple[AgreedOutage, ...]:
    """The agreed outages of a pilot in the order of time, withdrawn ones too, as known at ``as_of``."""
    rows = outages_recorded(connection, pilot, window=window, as_of=as_of, withdrawn_too=True)
    return tuple(
        AgreedOutage(
            number=one.outage_id,
            slots=one.slots,
            window=one.window,
            cause=one.cause,
            agreed_by=one.agreed_by,
            note=one.note,
            recorded_at=one.recorded_at,
            recorded_by=one.recorded_by,
            withdrawn_at=one.superseded_at,
            withdrawn_by=one.superseded_by,
            withdrawn_why=one.superseded_why,
        )
        for one in (_as_known(row, as_of) for row in rows)
    )


def exclusions(
    connection: Connection,
    pilot: str,
    plan: Plan,
    counting: Mapping[int, bool],
    window: Window | None = None,
    as_of: datetime | None = None,
    *,
    told: Mapping[int, Mapping[str, str]] | None = None,
) -> tuple[Exclusion, ...]:
    """The exclusions of a pilot as they were recorded, withdrawn ones too, as known at ``as_of``.

    :param counting: by number, whether it counts in the result; one that is not there counts unless it was withdrawn.
    :param told: by number, its reason in the words of the result; one that is not there has the plan's.
    """
    places, reasons = places_of(plan), rules_of(plan).reasons
    rows = exclusions_recorded(connection, pilot, window=window, as_of=as_of, withdrawn_too=True)
    return tuple(
        Exclusion(
            number=one.exclusion_id,
            slot=one.slot,
            place=places.get(one.slot, ""),
            window=one.window,
            reason=_reason(one, reasons, told or {}),
            asked_on=one.asked_on,
            asked_by=one.asked_by,
            agreed_site=one.agreed_site,
            agreed_team=one.agreed_team,
            note=one.note,
            recorded_at=one.recorded_at,
            recorded_by=one.recorded_by,
            counts=one.superseded_at is None and counting.get(one.exclusion_id, True),
            withdrawn_at=one.superseded_at,
            withdrawn_by=one.superseded_by,
            withdrawn_why=one.superseded_why,
            sha256=one.sha256,
        )
        for one in (_as_known(row, as_of) for row in rows)
    )


def _reason(one: Any, reasons: Mapping[str, tuple[str, str]], told: Mapping[int, Mapping[str, str]]) -> Both:
    found = told.get(one.exclusion_id)
    if found is not None:
        return Both(ko=found["ko"], en=found["en"])
    korean, english = reasons.get(one.reason, (one.reason, one.reason))
    return Both(ko=korean, en=english)


def _as_known(one: Any, as_of: datetime | None) -> Any:
    """A record as it was known then: what was withdrawn later still stood."""
    if as_of is None or one.superseded_at is None or one.superseded_at <= as_of:
        return one
    return replace(one, superseded_at=None, superseded_by=None, superseded_why=None)


def rooms(plan: Plan, found: Sequence[Exclusion]) -> tuple[Room, ...]:
    """How much of what may be left out of each slot is used, of the window of the final verdict."""
    judged = date_window(plan.period.start, plan.evaluation.data_until, plan.zone)
    used: dict[str, float] = {}
    for one in found:
        if one.withdrawn_at is None:
            used[one.slot] = used.get(one.slot, 0.0) + one.window.intersection(judged).seconds
    places, most_share = places_of(plan), rules_of(plan).most_share
    return tuple(
        Room(
            slot=slot,
            place=places.get(slot, ""),
            used_s=seconds,
            most_s=most_share * judged.seconds,
            most_share=most_share,
        )
        for slot, seconds in used.items()
    )


def await_seals(connection: Connection) -> None:
    """Wait until no seal is being written: one made by an ``as_of`` that is over is there from then on, or never will be."""
    with connection.transaction():
        connection.execute(_SQL["await_seals"])


def head_at(connection: Connection, pilot: str, as_of: datetime) -> SealHead | None:
    """The head of the newest seal that was there at an instant."""
    seal = head_of(connection, pilot, as_of=as_of)
    return None if seal is None else SealHead(number=seal.number, day=seal.day, head=seal.head)


def overall_at(connection: Connection, plan: Plan, result: Stored) -> Overall | None:
    """The whole as the plan decides it, at the last evaluation date that was judged by the result's ``as_of``."""
    if "overall" not in plan.model_fields_set:
        return None
    asked = {"pilot": result.pilot, "as_of": result.as_of, "until": result.document["window"]["end"]}
    row = connection.execute(_SQL["last_verdicts"], asked).fetchone()
    return overall_of(plan, None if row is None else row["document"], None if row is None else row["version"])


def overall_of(plan: Plan, document: Mapping[str, Any] | None, version: int | None) -> Overall:
    """The whole in a stored result with verdicts; the rule alone without one.

    :param plan: the one that the result was judged by.
    """
    found = {} if document is None else document["overall"]
    entries = {} if document is None else {entry["id"]: entry for entry in document["kpis"]}
    parts = [_part(one, entries[one["id"]], plan) for one in found.get("parts", ())]
    return Overall(
        rule=plan.overall.rule,
        sentences=_both_lists(lambda say: rule_sentences(plan.overall, say)),
        at=None if document is None else date.fromisoformat(document["label"]),
        result_version=version,
        verdict=found.get("verdict"),
        score=found.get("score"),
        low=found.get("low"),
        high=found.get("high"),
        pass_score=found.get("pass"),
        why=None if document is None else Both(ko=found["why"]["ko"], en=found["why"]["en"]),
        parts=tuple(parts) if document is not None else _planned(plan),
    )


def _part(part: Mapping[str, Any], entry: Mapping[str, Any], plan: Plan) -> OverallPart:
    formula = None
    if part["formula"] is not None:
        [formula] = _both_lists(lambda say: [formula_text(part, entry, plan.overall, say)])
    return OverallPart(
        name=part["name"],
        required=part["required"],
        weight=part["weight"],
        verdict=part["verdict"],
        counts_as=part["counts_as"],
        score=part["score"],
        formula=formula,
        to_committee=to_committee(entry),
    )


def _planned(plan: Plan) -> tuple[OverallPart, ...]:
    """Before the first evaluation date: what each KPI is worth."""
    return tuple(
        OverallPart(
            name=kpi.name, required=kpi.required, weight=kpi.weight, verdict="", counts_as="", score=None, formula=None,
            to_committee=False,
        )
        for kpi in plan.kpis.values()
    )  # fmt: skip


def _both_lists(told: Callable[[Say], list[str]]) -> tuple[Both, ...]:
    """Texts in both languages, from what says them in one."""

    def say(language: str) -> Say:
        translate = translator(language)
        return lambda message, **values: translate(message) % values if values else translate(message)

    return tuple(Both(ko=ko, en=en) for ko, en in zip(told(say("ko")), told(say("en")), strict=True))


def versions_until(connection: Connection, result: Stored, zone: ZoneInfo) -> tuple[tuple[ResultVersion, ...], int]:
    """The last versions of a result up to this one, the newest last, and how many earlier ones there are."""
    asked = {
        "pilot": result.pilot, "kind": result.kind, "label": result.label, "version": result.version,
        "most": _MOST_VERSIONS,
    }  # fmt: skip
    rows = connection.execute(_SQL["versions_until"], asked).fetchall()
    found = [
        ResultVersion(
            version=row["version"],
            as_of=row["as_of"],
            plan_version=row["plan_version"],
            code_version=row["code_version"],
            check_code=check_code(row["sha256"]),
            causes=tuple(
                Both(ko=cause_text(cause, "ko", zone), en=cause_text(cause, "en", zone))
                for cause in row["causes"] or ()
            ),
        )
        for row in rows
    ]
    return tuple(reversed(found)), result.version - len(found)

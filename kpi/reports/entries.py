"""From an entry of a stored result to what pages and documents show beside its value: nothing is computed anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal

from core.window import Window
from devices.plan.model import Plan
from kpi.pooling import pooling_told
from kpi.reports.figures import (
    Both,
    Charged,
    LastSegment,
    Promise,
    SegmentFigure,
    SlotFigure,
    TargetVersion,
    Without,
)
from kpi.reports.record import ChannelRevision

Entry = Mapping[str, Any]
Places = Mapping[str, str]
"""What people call each slot, by its name."""


def window_of(found: Mapping[str, str]) -> Window:
    return Window(start=datetime.fromisoformat(found["start"]), end=datetime.fromisoformat(found["end"]))


def answer_of(entry: Entry) -> str:
    """The verdict, or in a month the status."""
    return str(entry.get("verdict") or entry["status"])


def to_committee(entry: Entry) -> bool:
    """Whether an exclusion turns the verdict, so that the committee has to decide it."""
    return bool(entry.get("reason") == "exclusion_turns")


def without_of(entry: Entry, what: Literal["exclusions", "outages", "conditions"]) -> Without | None:
    """The KPI as it would be if these did not count; None where there are none that concern it."""
    found = (entry.get("without") or {}).get(what)
    if found is None:
        return None
    same = found.get("part") == entry.get("part")
    month = found.get("month")
    return Without(
        cumulative=found["value"] if same else None,
        month=month["value"] if same and month is not None else None,
        status=answer_of(found),
    )


def charged_of(entry: Entry, document: Entry) -> Charged | None:
    """To whom its time without data is charged; None where its measure does not tell.

    The deciding slot's alone where the worst one decides; the records named are those that touch these slots.
    """
    facts = entry["facts"]
    if "company_s" not in facts:
        return None
    slots = {entry["slot"]} if entry["slot"] else {row["slot"] for row in entry["slots"]}
    outages = [one for one in document.get("outages", ()) if one["slots"] is None or slots & set(one["slots"])]
    judged = window_of(document["window"])
    excluded = [one for one in document.get("exclusions", ()) if one["counts"] and one["slot"] in slots]
    return Charged(
        company_s=float(facts["company_s"]),
        platform_s=float(facts["platform_s"]),
        site_s=float(facts.get("site_s", 0)),
        unattributed_s=float(facts["nobody_s"]),
        excluded_s=sum(window_of(one["window"]).intersection(judged).seconds for one in excluded),
        slot=entry["slot"],
        site_outages=tuple(one["outage_id"] for one in outages if one["charged_to"] == "site"),
        platform_outages=tuple(one["outage_id"] for one in outages if one["charged_to"] == "platform"),
        exclusions=tuple(one["exclusion_id"] for one in excluded),
        left_out_n=int((entry.get("left_out") or {}).get("readings", 0)),
        left_out_s=float((entry.get("left_out") or {}).get("seconds", 0.0)),
    )


def promises_of(entry: Entry) -> tuple[Promise, ...]:
    """The several things that it promises, each with its own answer; none where it promises one."""
    return tuple(
        Promise(
            name=part["name"],
            unit=part["unit"],
            target=part["target"]["text"],
            month=part["month"]["value"] if "month" in part else None,
            cumulative=part["value"],
            status=answer_of(part),
        )
        for part in entry.get("parts") or ()
    )


def slots_of(entry: Entry, places: Places) -> tuple[SlotFigure, ...]:
    """Each slot's own value, where it is of several."""
    rows: Sequence[Entry] = entry["slots"]
    if len(rows) < 2:
        return ()
    return tuple(
        SlotFigure(
            slot=row["slot"],
            place=places.get(row["slot"], ""),
            value=row["value"],
            n=row["n"],
            completeness=row["completeness"],
        )
        for row in rows
    )


def segments_of(entry: Entry, places: Places) -> tuple[SegmentFigure, ...]:
    """What was measured with each device, of slots that had more than one."""
    return tuple(
        SegmentFigure(
            slot=row["slot"],
            place=places.get(row["slot"], ""),
            window=window_of(row),
            cause=row["cause"],
            serial=row["device"]["serial"],
            model=row["device"]["model"],
            firmware=row["device"]["firmware"],
            value=row["value"],
            n=row["n"],
            completeness=row["completeness"],
            promise=row.get("part", 0),
        )
        for row in entry.get("segments") or ()
    )


def last_segments_of(entry: Entry) -> tuple[LastSegment, ...]:
    """Every slot's last segment together, of each promise."""
    found = entry.get("last_segment")
    rows = [] if found is None else found if isinstance(found, list) else [found]
    return tuple(
        LastSegment(value=row["value"], n=row["n"], completeness=row["completeness"], promise=row.get("part", 0))
        for row in rows
    )


def pooling_of(entry: Entry) -> tuple[Both, ...]:
    """Whether its segments may be taken together, and why; none where no instrument has a part in the value."""
    found = entry.get("pooling")
    rows = [] if found is None else found if isinstance(found, list) else [found]
    return tuple(Both(ko=pooling_told(row, "ko"), en=pooling_told(row, "en")) for row in rows if row is not None)


def targets_of(entry: Entry, parties: Mapping[int, Sequence[str]]) -> tuple[TargetVersion, ...]:
    """The targets it has had, the one in force last; one alone where none was amended.

    :param parties: who agreed to the amendment of a plan version.
    """
    return tuple(
        TargetVersion(
            text=Both(ko=row["ko"], en=row["en"]),
            written=row["target"],
            since=datetime.fromisoformat(row["from"]),
            plan_version=row["plan_version"],
            agreed_on=None if row["agreed_on"] is None else date.fromisoformat(row["agreed_on"]),
            reason=row["why"],
            parties=tuple(parties.get(row["plan_version"], ())) if row["agreed_on"] is not None else (),
        )
        for row in entry.get("targets") or ()
    )


def channels_of(document: Entry, plan: Plan) -> tuple[ChannelRevision, ...]:
    """By which revisions of its channels a result's readings were decoded; none where it does not tell.

    :param plan: the one that the result was judged by.
    """
    rows = [(one, plan.slots[one["slot"]]) for one in document.get("channels") or () if one["slot"] in plan.slots]
    return tuple(
        ChannelRevision(
            slot=one["slot"],
            place=slot.place or "",
            channel=one["channel"],
            name=slot.channels[one["channel"]].name or one["channel"],
            unit=one["unit"],
            **revision,
        )
        for one, slot in rows
        for revision in one["revisions"]
    )


def amended_in(entries: Sequence[Entry]) -> set[int]:
    """The plan versions that brought an amended target."""
    return {row["plan_version"] for entry in entries for row in entry.get("targets") or () if row["agreed_on"]}

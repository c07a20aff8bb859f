"""From a stored result to the opinion's record: everything as it was known at the result's ``as_of``.

So the same result gives the same document, whenever it is asked for; only what people write under it makes a new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from core.database import Connection
from core.errors import PermanentError
from core.language import N_, STATES
from core.settings import settings
from core.sql import load
from core.window import Window, midnight, months
from devices.plan.model import Kpi, Plan
from devices.registry.queries import DeviceRow, devices, plan_of
from kpi.changed import pictures_of
from kpi.charges import unattributed
from kpi.compared import charts_of
from kpi.compound import part_of
from kpi.evaluate import evaluate
from kpi.inputs.reader import Reader
from kpi.kept import require_readings
from kpi.reports.entries import (
    amended_in,
    channels_of,
    charged_of,
    last_segments_of,
    pooling_of,
    promises_of,
    segments_of,
    slots_of,
    targets_of,
    without_of,
)
from kpi.reports.entries import window_of as _window
from kpi.reports.gather_agreed import (
    agreed_outages,
    await_seals,
    exclusions,
    head_at,
    overall_at,
    parties_of,
    places_of,
    rooms,
    versions_until,
)
from kpi.reports.manual_row import manual_of
from kpi.reports.pairs_record import pairs_of
from kpi.reports.record import (
    Both,
    ChargedTo,
    Figure,
    Header,
    IntakeDay,
    Interval,
    OpinionData,
    OpinionKpi,
    Outage,
    Refused,
    Swap,
    TrendMonth,
    Written,
    both,
)
from kpi.results import Stored, versions
from kpi.stretches import Stretches, difference, intersection, of_windows, windows_of
from telemetry.intake import connection_days, rejection_counts, slot_days
from telemetry.windows import snapshot

_SQL = load("kpi.reports", "reports.sql")

Document = Mapping[str, Any]


def last_whole_month(plan: Plan, now: datetime) -> str:
    """The last month of the pilot that is over.

    :raises PermanentError: none is.
    """
    first = now.astimezone(plan.zone).date().replace(day=1)
    end = plan.period.end if now >= plan.window.end else first
    over = list(months(plan.period.start, min(plan.period.end, end)))
    if not over:
        raise PermanentError(
            f"No month of pilot {plan.pilot} is over yet: it begins on {plan.period.start}. Name the running one with --month."
        )
    return over[-1]


def opinion_data(connection: Connection, result: Stored) -> OpinionData:
    """The monthly opinion that a stored result of a month comes to.

    :raises PermanentError: the result is not of a month.
    :raises ReadingsDeleted: retention has deleted the pilot's readings, from which the outages are told.
    """
    if result.kind != "month":
        raise PermanentError(
            f"The result {result.kind} {result.label} of pilot {result.pilot} is not of a month: an opinion is monthly."
        )
    require_readings(connection, result.pilot)
    plan, version, sha256 = plan_of(connection, result.pilot, result.plan_version)
    month = _window(result.document["month"])
    trend = [*_earlier(connection, plan, result), result.document]
    texts = _texts(connection, result)
    await_seals(connection)
    with snapshot(connection):
        outages = _outages(connection, plan, month, result.as_of)
        refused = _refused(connection, result, month)
        judged = {one["exclusion_id"]: one for one in result.document.get("exclusions", ())}
        counting = {number: bool(one["counts"]) for number, one in judged.items()}
        told = {number: one["reason_text"] for number, one in judged.items() if "reason_text" in one}
        whole = _window(result.document["window"])
        left_out = exclusions(connection, result.pilot, plan, counting, whole, result.as_of, told=told)
        known, before = versions_until(connection, result, plan.zone)
        data = OpinionData(
            number=f"OP-{result.pilot}-{result.label.replace('-', '')}-{result.version}",
            header=_header(plan, version, sha256),
            month=result.label,
            window=month,
            as_of=result.as_of,
            provisional=bool(result.document["provisional"]),
            result_version=result.version,
            result_sha256=result.sha256,
            code_version=result.code_version,
            kpis=_kpis(connection, plan, result, trend),
            decisions=_decisions(connection, result, month, outages),
            outages=outages,
            swaps=_swaps(devices(connection, result.pilot, result.as_of), month),
            refused=refused,
            intake=_intake(connection, plan, month, result.as_of),
            site_opinion=texts.get("officer"),
            team_opinion=texts.get("admin"),
            company_reply=texts.get("company"),
            agreed_outages=agreed_outages(connection, result.pilot, whole, result.as_of),
            exclusions=left_out,
            rooms=rooms(plan, left_out),
            overall=overall_at(connection, plan, result),
            versions=known,
            versions_before=before,
            most_excluded=result.document.get("most_excluded"),
            channels=channels_of(result.document, plan),
            manual=manual_of(result.document, plan),
            seal=head_at(connection, result.pilot, result.as_of),
        )
    require_readings(connection, result.pilot)  # nothing was deleted while they were read
    return data


def _header(plan: Plan, version: int, sha256: str) -> Header:
    return Header(
        pilot=plan.pilot,
        title=plan.title,
        kind=plan.kind,
        company=plan.company.name,
        site=plan.site.name,
        product=plan.product.name,
        places=tuple(dict.fromkeys(slot.place or name for name, slot in plan.slots.items())),
        zone=plan.period.timezone,
        period=plan.window,
        simulated=plan.simulated,
        plan_version=version,
        plan_sha256=sha256,
        organisation=settings().organisation,
        team=settings().team,
    )


# --- The numbers


def _earlier(connection: Connection, plan: Plan, result: Stored) -> list[Document]:
    """The results of the months before, as they stood at this result's ``as_of``; one never stored is worked out now."""
    stored: dict[str, Document] = {}
    for one in versions(connection, result.pilot, "month"):
        if one.as_of <= result.as_of:
            stored[one.label] = one.document
    first = date.fromisoformat(f"{result.label}-01")
    return [
        stored[month]
        if month in stored
        else evaluate(connection, result.pilot, month=month, as_of=result.as_of).document
        for month in months(plan.period.start, first)
    ]


def _kpis(connection: Connection, plan: Plan, result: Stored, trend: list[Document]) -> tuple[OpinionKpi, ...]:
    entries = result.document["kpis"]
    parties = parties_of(connection, result.pilot, amended_in(entries))
    places = places_of(plan)
    found = []
    for entry in entries:
        beside = {
            "charged": charged_of(entry, result.document),
            "without_exclusions": without_of(entry, "exclusions"),
            "without_outages": without_of(entry, "outages"),
            "without_conditions": without_of(entry, "conditions"),
            "compared": charts_of(connection, plan, plan.kpis[entry["id"]], result.document) or pictures_of(entry),
            "pairs": pairs_of(entry),
            "promises": promises_of(entry),
            "promise": entry.get("part"),
            "by_slot": slots_of(entry, places),
            "segments": segments_of(entry, places),
            "last_segments": last_segments_of(entry),
            "pooling": pooling_of(entry),
            "targets": targets_of(entry, parties),
        }
        found.append(_kpi(entry, plan.kpis[entry["id"]], trend, beside))
    return tuple(found)


def _kpi(entry: Document, plan: Kpi, trend: list[Document], beside: Mapping[str, Any]) -> OpinionKpi:
    return OpinionKpi(
        id=entry["id"],
        name=entry["name"],
        definition=plan.definition,
        unit=entry["unit"],
        target=entry["target"]["text"],
        weight=entry["weight"],
        required=entry["required"],
        scope=entry["scope"],
        rule=entry["decision"],
        minimum_completeness=entry["minimum_completeness"],
        month=_figure(entry["month"], entry["scope"], both(N_("이달에 이 지표를 계산할 자료가 없음"))),
        cumulative=_figure(entry["cumulative"], entry["scope"], both(N_("실증 시작부터 이 지표를 계산할 자료가 없음"))),
        status=entry["status"],
        why=Both(ko=entry["why"]["ko"], en=entry["why"]["en"]),
        trend=tuple(_point(document, entry) for document in trend),
        method=plan.method,
        measured_by=plan.measured_by,
        baseline=plan.baseline,
        group=entry["group"],
        **beside,
    )


_NO_VALUE = {
    "infinite": both(N_("끝나지 않은 발생 기록이 있어 값이 무한대임")),
    "no_failures": both(N_("장애가 없어 추정값이 없음(신뢰하한으로 판정)")),
}


def _figure(found: Document, scope: str, missing: Both) -> Figure:
    """A figure of a result. Of a period chance has no part in the decision: its confidence bounds are for information."""
    judged = _interval(found["interval"])
    return Figure(
        value=found["value"],
        n=found["n"],
        completeness=found["completeness"],
        interval=judged if scope == "capability" else _interval(found["sampling"]),
        open_gaps=judged if found["interval"] is not None and found["interval"]["method"] == "gaps" else None,
        reason=_NO_VALUE.get(found.get("no_value") or "", missing) if found["value"] is None else None,
    )


def _interval(found: Document | None) -> Interval | None:
    if found is None:
        return None
    level = None if found["alpha"] is None else 1 - found["alpha"]
    return Interval(low=found["low"], high=found["high"], level=level)


def _point(document: Document, entry: Document) -> TrendMonth:
    """A KPI in an earlier result; a KPI that an amendment gave another unit since does not go on one axis with it."""
    found = next((one for one in document["kpis"] if one["id"] == entry["id"]), None)
    old = None if found is None else part_of(found, entry.get("part"))
    if old is None or old["unit"] != entry["unit"]:
        return TrendMonth(month=document["label"], value=None, cumulative=None, status=None)
    return TrendMonth(
        month=document["label"],
        value=old["month"]["value"],
        cumulative=old["cumulative"]["value"],
        status=old["status"],
        completeness=old["month"]["completeness"],
    )


# --- What happened


def _outages(connection: Connection, plan: Plan, month: Window, as_of: datetime) -> tuple[Outage, ...]:
    """While a slot was not up, and to whom that is charged: the same division that availability is computed from."""
    reader = Reader(connection, plan.pilot, month, as_of)
    inside = of_windows([month])
    found: list[Outage] = []
    for name, slot in plan.slots.items():
        states = reader.states(name)
        charged: tuple[tuple[ChargedTo, Stretches], ...] = (
            ("company", states.down),
            ("platform", difference(states.left_out, states.site)),
            ("site", states.site),
            ("unattributed", states.unknown),
        )
        empty = reader.not_installed(name)
        for whom, stretches in charged:
            found += [
                Outage(
                    slot=name,
                    place=slot.place,
                    window=window,
                    charged_to=whom,
                    note=both(N_("장비가 없던 시간 포함")) if intersection(of_windows([window]), empty) else None,
                )
                for window in windows_of(intersection(stretches, inside))
                if whom != "unattributed" or unattributed(round(window.seconds * 1e6))
            ]
    return tuple(sorted(found, key=lambda outage: (outage.window.start, outage.slot)))


def _swaps(rows: list[DeviceRow], month: Window) -> tuple[Swap, ...]:
    """Devices put in place of another in the month; a slot's first device is none.

    :param rows: as they were known at the result's ``as_of``.
    """
    by_slot: dict[str, list[DeviceRow]] = {}
    for row in rows:
        if row.installed_at is not None:
            by_slot.setdefault(row.slot, []).append(row)
    found = []
    for installed in by_slot.values():
        in_order = sorted(installed, key=lambda row: row.installed_at or month.start)
        for before, now in pairwise(in_order):
            if now.installed_at is not None and now.installed_at in month:
                found.append(
                    Swap(
                        slot=now.slot,
                        place=now.place,
                        at=now.installed_at,
                        serial=now.serial or "",
                        before=before.serial,
                        firmware=now.firmware,
                    )
                )
    return tuple(sorted(found, key=lambda swap: (swap.at, swap.slot)))


def _refused(connection: Connection, result: Stored, month: Window) -> tuple[Refused, ...]:
    until = month.intersection(Window(start=month.start, end=max(month.start, result.as_of)))
    return tuple(
        Refused(
            kind="message" if row["kind"] == "quarantine" else "item",
            where=row["place"],
            reason=row["reason"],
            n=row["n"],
        )
        for row in rejection_counts(connection, result.pilot, until)
    )


def _intake(connection: Connection, plan: Plan, month: Window, as_of: datetime) -> tuple[IntakeDay, ...]:
    """The days of receipt that were over at ``as_of``: the counts of a running one would differ at the next look."""
    first = month.start.astimezone(plan.zone).date()
    after = (month.end - timedelta(microseconds=1)).astimezone(plan.zone).date() + timedelta(days=1)
    found = {}
    while first < after and midnight(first + timedelta(days=1), plan.zone) <= as_of:
        found[first] = dict.fromkeys(_COUNTED, 0)
        first += timedelta(days=1)
    if not found:
        return ()
    days = min(found), max(found)
    for row in (*connection_days(connection, plan.pilot, *days), *slot_days(connection, plan.pilot, *days)):
        for name in _COUNTED:
            found[row["day"]][name] += row.get(name, 0)
    return tuple(IntakeDay(day=day, **counts) for day, counts in found.items())


_COUNTED = ("delivered", "committed", "quarantined", "decoded", "stored", "duplicate", "conflict", "rejected")


# --- What waits, and what people wrote


def _decisions(connection: Connection, result: Stored, month: Window, outages: tuple[Outage, ...]) -> tuple[Both, ...]:
    """What somebody has to decide after reading this."""
    found = []
    for entry in result.document["kpis"]:
        if entry["status"] == "at_risk":
            found.append(both(N_("%(name)s 미달 우려: 보완 계획을 요청할지"), name=entry["name"]))
        elif entry["status"] == "insufficient":
            found.append(both(N_("%(name)s 자료 부족: 수집 보완을 요청할지"), name=entry["name"]))
        other = without_of(entry, "exclusions")
        if other is not None and other.status != entry["status"]:
            words = {language: STATES[other.status].word(language) for language in ("ko", "en")}
            found.append(
                both(
                    N_("%(name)s: 평가 제외가 없으면 %(state)s. 평가일에 판정이 갈리면 심사위원회로"),
                    name=entry["name"],
                    state=Both(**words),
                )
            )
    unknown = [outage for outage in outages if outage.charged_to == "unattributed"]
    if unknown:
        found.append(both(N_("귀책을 알 수 없는 수신 중단 %(n)s건: 원인을 확인할지"), n=f"{len(unknown):,}"))
    row = connection.execute(
        _SQL["open_by"], {"pilot": result.pilot, "start": month.start, "end": month.end, "as_of": result.as_of}
    ).fetchone()
    assert row is not None
    if row["quarantined"]:
        found.append(both(N_("수신 보류 %(n)s건: 계획서를 고쳐 다시 처리할지"), n=f"{row['quarantined']:,}"))
    if row["conflicts"]:
        found.append(both(N_("상이값 중복 %(n)s건: 어느 값이 맞는지"), n=f"{row['conflicts']:,}"))
    return tuple(found)


def _texts(connection: Connection, result: Stored) -> dict[str, Written]:
    rows = connection.execute(_SQL["opinion_texts"], {"pilot": result.pilot, "month": result.label})
    return {
        row["role"]: Written(judgement=row["judgement"], body=row["body"], by=row["written_by"], at=row["written_at"])
        for row in rows
    }

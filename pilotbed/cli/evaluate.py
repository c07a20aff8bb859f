"""``pilotbed evaluate``: judge a pilot against its plan."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import PermanentError
from core.language import LANGUAGES, STATES, time_text, with_unit
from core.numbers import printed, printed_interval
from core.settings import settings
from core.window import instant as core_instant
from core.window import months
from pilotbed.cli.instant import day, instant

if TYPE_CHECKING:  # imported where they are needed, so that --help is there at once
    from zoneinfo import ZoneInfo

    from core.database import Connection
    from devices.plan.target import Bounds
    from kpi.evaluate import Result

_HEADS = {
    "ko": ("지표", "목표", "당월", "누계(구간)", "자료획득률", "상태", "근거"),
    "en": ("KPI", "target", "month", "cumulative (interval)", "completeness", "status", "why"),
}
_WAITING = {
    "ko": "품질 점검을 기다리는 측정 항목·시간이 {n}개 있습니다. 점검 결과로 빠지는 측정값이 더 있을 수 있으니"
    " 잠시 뒤 다시 판정하십시오.",
    "en": "{n} channel-hours wait to be judged for quality, and more readings may be left out by what is found: judge again"
    " in a few minutes.",
}
_RESULT_HEADS = {
    "ko": ("지표", "목표", "결과(구간)", "자료획득률", "판정", "근거"),
    "en": ("KPI", "target", "result (interval)", "completeness", "verdict", "why"),
}


def evaluate(
    pilot: Annotated[str, typer.Argument(metavar="PILOT", help="The pilot's name.")],
    month: Annotated[
        str | None, typer.Option(help="The status of a month, YYYY-MM; the newest if nothing is asked.")
    ] = None,
    at: Annotated[str | None, typer.Option(help="The verdicts of an evaluation date of the plan, YYYY-MM-DD.")] = None,
    final: Annotated[
        bool, typer.Option("--final", help="The verdicts on all data, up to the plan's data_until.")
    ] = False,
    as_of: Annotated[
        str | None,
        typer.Option(help="What was received up to then, with a zone: 2026-05-01T09:00+09:00. Now if left out."),
    ] = None,
    record: Annotated[
        bool,
        typer.Option(
            "--record/--no-record", help="Keep the result as a version; never of a running month or with --as-of."
        ),
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    language: Annotated[str | None, typer.Option("--lang", help="ko or en; PILOTBED_LANGUAGE if left out.")] = None,
) -> None:
    """Judge a pilot against its plan: the status of a month, or the verdicts of an evaluation date."""
    from core.audit import command_line_user
    from core.database import connected
    from devices.registry import plan_of
    from kpi.evaluate import evaluate as judge
    from kpi.results import store
    from pilotbed.stack.attach import attached_database

    told_in = language or settings().language
    if told_in not in LANGUAGES:
        raise PermanentError(f"--lang {told_in!r} is no language of Pilotbed; choose one of: {', '.join(LANGUAGES)}.")
    at_day = None if at is None else day("--at", at)
    known_at = None if as_of is None else instant("--as-of", as_of)
    with attached_database() as url, connected(url) as connection:
        if month is None and at_day is None and not final:
            month = _newest_month(connection, pilot, known_at)
        result = judge(connection, pilot, month=month, at=at_day, final=final, as_of=known_at)
        waiting = _findings_due(connection, result)
        keep = record and known_at is None and not result.document["running"]
        version = store(connection, result, command_line_user()) if keep else None
        zone = plan_of(connection, pilot, result.plan_version)[0].zone
    if as_json:
        print(json.dumps(result.document, ensure_ascii=False))
    else:
        _show(result, version, zone, told_in)
    if waiting:
        print(_WAITING[told_in].format(n=f"{waiting:,}"), file=sys.stderr)


def _findings_due(connection: Connection, result: Result) -> int:
    """How many closed hours of a result wait to be judged for quality, where that may still leave readings out."""
    from devices.registry import plan_of
    from kpi.left_out import findings_due
    from telemetry.quality.judge import closed

    plan, _, _ = plan_of(connection, result.pilot, result.plan_version)
    end = datetime.fromisoformat(result.document["window"]["end"])
    return findings_due(connection, plan, min(end, core_instant(closed())))


def _newest_month(connection: Connection, pilot: str, as_of: datetime | None) -> str:
    """The month that runs, or the pilot's last one."""
    from devices.registry import plan_of

    plan, _, _ = plan_of(connection, pilot, as_of=as_of)
    now = datetime.now(plan.zone) if as_of is None else as_of.astimezone(plan.zone)
    known = list(months(plan.period.start, plan.period.end))
    begun = [one for one in known if one <= f"{now:%Y-%m}"]
    return begun[-1] if begun else known[0]


def _show(result: Result, version: int | None, zone: ZoneInfo, language: str) -> None:
    from pilotbed.cli.tables import columns
    from pilotbed.cli.tables import show as show_tables

    document = result.document
    korean = language == "ko"
    state = ("잠정" if korean else "provisional") if document["provisional"] else ("확정" if korean else "final")
    simulated = (" · 모의 자료" if korean else " · simulated data") if document["simulated"] else ""
    heads = _HEADS if result.kind == "month" else _RESULT_HEADS
    table = columns(*heads[language])
    for entry in document["kpis"]:
        table.add_row(*_row(entry, language))
        for place, part in enumerate(entry.get("parts", ()), start=1):
            table.add_row(*_row({**part, "name": f"  {place}) {part['name']}"}, language))
    typer.echo(f"{document['title']} ({result.pilot}) · {result.label} · {state}{simulated}")
    show_tables(table)
    if "overall" in document:
        _show_overall(document["overall"], language)
    kept = "" if version is None else f" · {'제' if korean else 'version '}{version}{'판' if korean else ''}"
    plan = document["plan"]
    as_of = time_text(datetime.fromisoformat(document["as_of"]), zone, language, seconds=True)
    typer.echo(
        f"{'기준일시' if korean else 'as of'} {as_of} ({zone.key}) · {'계획' if korean else 'plan'} {plan['version']}"
        f" ({plan['sha256'][:12]}) · SHA-256 {result.sha256[:16]}{kept}"
    )


def _show_overall(overall: Mapping[str, Any], language: str) -> None:
    """목표달성도: the answer over all KPIs, and the score of each where there are scores."""
    korean = language == "ko"
    verdict = STATES.get(overall["verdict"] or "")
    answer = "" if verdict is None else f" {verdict.mark} {verdict.word(language)}"
    typer.echo(f"{'목표달성도' if korean else 'overall'}:{answer} · {overall['why'][language]}")
    scored = [part for part in overall["parts"] if part["score"] is not None]
    if scored:
        told = ", ".join(f"{part['name']} {printed(part['score'], '점')} × {part['weight']:g} %" for part in scored)
        typer.echo(f"  {'점수 × 가중치' if korean else 'score × weight'}: {told}")


def _row(entry: Mapping[str, Any], language: str) -> list[str]:
    from devices.plan.target import parse_bounds

    unit = entry["unit"]
    target = parse_bounds(entry["target"]["text"])
    target = target if target.unit == unit else target.to(unit)
    state = STATES[entry.get("verdict") or entry["status"]]
    row = [entry["name"], entry["target"][language]]
    if "month" in entry:
        row.append(_number(entry["month"]["value"], unit, target, language))
    return [
        *row,
        _with_interval(entry, unit, target, language),
        "–" if entry["completeness"] is None else f"{printed(100 * entry['completeness'], '%')} %",
        f"{state.mark} {state.word(language)}",
        entry["why"][language],
    ]


def _number(value: float | None, unit: str, target: Bounds, language: str) -> str:
    return with_unit(printed(value, unit, target), unit, language)


def _with_interval(entry: Mapping[str, Any], unit: str, target: Bounds, language: str) -> str:
    value, interval = _number(entry["value"], unit, target, language), entry["interval"]
    if entry.get("no_value") == "infinite":
        value = "∞"
    if interval is None or interval["low"] == interval["high"]:
        return value
    return f"{value} ({printed_interval(interval['low'], interval['high'], unit, target)})"

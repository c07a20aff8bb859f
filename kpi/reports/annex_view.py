"""The annexes of an opinion as ready texts: each KPI with its trend and reasons, what went wrong, the daily accounting."""

from __future__ import annotations

import math
from typing import Any

from core.language import N_, STATES, particle
from core.numbers import MISSING
from core.units import same_dimension
from core.window import Window
from devices.plan.target import Bounds, parse_bounds
from kpi.charts import Line, Trend, TrendPoint, svg, trend
from kpi.reports import agreed_view
from kpi.reports.beside_view import beside_facts, beside_tables, charged_view
from kpi.reports.manual_view import manual_table
from kpi.reports.page_view import before, comparable
from kpi.reports.reasons import reason_text
from kpi.reports.record import IntakeDay, OpinionData, OpinionKpi
from kpi.reports.tables import columns, table
from kpi.reports.words import Numbers, Words

_CHARGED = {
    "company": N_("참여기업"),
    "platform": N_("플랫폼 (요구 시간에서 뺌)"),
    "site": N_("수요처 (요구 시간에서 뺌)"),
    "unattributed": N_("미확인"),
}
_RULES = {
    ("period", "estimate"): N_("실적 판정: 값으로 판정"),
    ("period", "confident"): N_("실적 판정: 귀책 불명 구간까지 보고 판정"),
    ("period", "guarded"): N_("실적 판정: 측정불확도를 보호대역으로 두고 판정"),
    ("capability", "estimate"): N_("표본 판정: 값으로 판정"),
    ("capability", "confident"): N_("표본 판정: 신뢰한계로 판정"),
    ("capability", "guarded"): N_("표본 판정: 신뢰한계와 측정불확도를 보호대역으로 두고 판정"),
}


def annex_view(data: OpinionData, words: Words) -> dict[str, Any]:
    """Everything after the first page."""
    heading = words.say(N_("붙임 1. 지표별 추이와 근거"))
    items = [_kpi(kpi, data, words) for kpi in data.kpis]
    notes = (
        [words.say(N_("속이 빈 점은 자료획득률이 최소에 미치지 못한 달의 값이며 선으로 잇지 않음."))]
        if _hollow(data)
        else []
    )
    annexes = [_failures(data, words), _intake(data, words)]
    if data.manual:
        entered = _numbered(N_("사람이 입력한 것"), len(annexes), words)
        annexes.append({"heading": entered, "parts": [manual_table(data.manual, words)]})
    whole = agreed_view.overall(data, words)
    if whole is not None:
        annexes.append({"heading": _numbered(N_("목표달성도"), len(annexes), words), "parts": [whole]})
    if data.versions:
        named = _numbered(N_("결과의 판"), len(annexes), words)
        annexes.append({"heading": named, "parts": [agreed_view.versions(data, words)]})
    annexes.append(_reading(_numbered(N_("읽는 법"), len(annexes), words), words))
    return {"annex_kpis": {"heading": heading, "notes": notes, "items": items}, "annexes": annexes}


def _numbered(title: str, before: int, words: Words) -> str:
    """:param before: how many annexes come before it, the one of the KPIs left out."""
    return words.say(N_("붙임 %(n)d. %(title)s"), n=before + 2, title=words.say(title))


def _whole(data: OpinionData) -> Window:
    """What the cumulative values are of."""
    return Window(start=min(data.header.period.start, data.window.start), end=data.window.end)


def _hollow(data: OpinionData) -> bool:
    return any(p.status == "insufficient" and p.value is not None for kpi in data.kpis for p in kpi.trend)


# --- Annex 1: KPIs


def _kpi(kpi: OpinionKpi, data: OpinionData, words: Words) -> dict[str, Any]:
    numbers = Numbers.of(kpi, words)
    title = _sentence(kpi, data, numbers)
    chart = trend(trend_record(kpi, title, numbers), language=words.language, width=640, height=96)
    return {
        "name": kpi.name,
        "state": words.state(kpi.status),
        "chart": svg(chart, language=words.language).decode(),
        "chart_text": title,
        "facts": [{"label": label, "value": value, "wide": wide} for label, value, wide in _facts(kpi, data, numbers)],
        "compared": _compared(kpi, words),
        "charged": charged_view(kpi, words),
        "tables": beside_tables(kpi, _whole(data), words),
    }


def _compared(kpi: OpinionKpi, words: Words) -> list[dict[str, str]]:
    """The pairs with the reference, and the difference over time; nothing where it is compared with nothing."""
    if kpi.compared is None:
        return []
    return [
        {"chart": svg(dict(spec), language=words.language).decode(), "chart_text": str(spec["description"])}
        for spec in kpi.compared[words.language]
    ]


def _sentence(kpi: OpinionKpi, data: OpinionData, numbers: Numbers) -> str:
    """What the chart shows, in one sentence."""
    words = numbers.words
    said = {
        "month": words.month(data.month),
        "name": kpi.name,
        "topic": particle(kpi.name, "은", "는"),
        "value": numbers.value(kpi.month.value),
        "target": numbers.target,
    }
    if kpi.month.value is None:
        return words.say(N_("%(month)s %(name)s%(topic)s 값이 없습니다(목표 %(target)s)."), **said)
    if kpi.status == "insufficient":
        said["completeness"] = numbers.completeness(kpi.month)
        return words.say(
            N_(
                "%(month)s %(name)s%(topic)s %(value)s(자료획득률 %(completeness)s)입니다."
                " 자료가 부족하여 판단하지 않습니다."
            ),
            **said,
        )
    if kpi.month.value in numbers.bounds:
        return words.say(N_("%(month)s %(name)s%(topic)s %(value)s이며, 목표(%(target)s)를 충족합니다."), **said)
    return words.say(N_("%(month)s %(name)s%(topic)s %(value)s이며, 목표(%(target)s)에 미치지 못합니다."), **said)


def trend_record(kpi: OpinionKpi, title: str, numbers: Numbers) -> Trend:
    """A KPI from month to month, ready to be drawn."""
    words = numbers.words
    unit = words.unit(kpi.unit)
    points = tuple(
        TrendPoint(
            label=_short_month(point.month, words, first=place == 0),
            value=point.value,
            shown="" if point.value is None else numbers.bare(point.value),
            cumulative=point.cumulative,
            incomplete=point.status == "insufficient",
        )
        for place, point in enumerate(kpi.trend)
    )
    axis = f"{kpi.name} ({unit})" if unit else kpi.name
    lines = (*target_lines(numbers.bounds, words), *_former_lines(kpi, numbers))
    return Trend(title=title, axis=axis, points=points, targets=lines, share=kpi.unit == "%")


def _former_lines(kpi: OpinionKpi, numbers: Numbers) -> tuple[Line, ...]:
    """The target before an amendment, if it has the same unit: beside the one in force."""
    if len(kpi.targets) < 2 or kpi.promises:
        return ()
    former = kpi.targets[-2]
    bounds = parse_bounds(former.written)
    if bounds.unit != numbers.unit and not same_dimension(bounds.unit, numbers.unit):
        return ()
    bounds = bounds if bounds.unit == numbers.unit else bounds.to(numbers.unit)
    words = numbers.words
    label = words.say(N_("변경 전 %(target)s"), target=former.text.text(words.language))
    ends = [end for end in (bounds.low, bounds.high) if math.isfinite(end)]
    return tuple(
        Line(value=end, label=label if end == ends[-1] else "", below=bounds.one_sided == "low", former=True)
        for end in ends
    )


def _short_month(month: str, words: Words, *, first: bool) -> str:
    """``5월``; with its year where a year begins or the chart does."""
    return words.month(month) if first or month.endswith("-01") else words.month_alone(month)


def target_lines(bounds: Bounds, words: Words) -> tuple[Line, ...]:
    """A target as lines of a chart: one, or both ends of a range."""
    label = words.say(N_("목표 %(target)s"), target=bounds.shown(words.language))
    match bounds.one_sided:
        case "low":
            return (Line(value=bounds.low, label=label, below=True),)
        case "high":
            return (Line(value=bounds.high, label=label),)
    if bounds.low == bounds.high:
        return (Line(value=bounds.low, label=label),)
    return (Line(value=bounds.low, label="", below=True), Line(value=bounds.high, label=label))


def _facts(kpi: OpinionKpi, data: OpinionData, numbers: Numbers) -> list[tuple[str, str, bool]]:
    say, words = numbers.words.say, numbers.words
    last = before(kpi, data.month)
    change = numbers.change(kpi.month.value, comparable(last))
    interval = kpi.cumulative.interval
    level = say(N_("신뢰한계"))
    if interval is not None and interval.level is not None:
        level = say(N_("신뢰한계 (한쪽 %(level)s)"), level=words.level(interval.level))
    rule = say(_RULES[kpi.scope, kpi.rule])
    captured = say(
        N_("당월 %(month)s, 누계 %(cumulative)s (최소 %(least)s)"),
        month=numbers.completeness(kpi.month),
        cumulative=numbers.completeness(kpi.cumulative),
        least=words.share(kpi.minimum_completeness),
    )
    rows = [
        (say(N_("정의·산식")), kpi.definition or MISSING, True),
        (say(N_("목표")), numbers.target, False),
        (say(N_("당월 (표본수)")), f"{numbers.value(kpi.month.value)} ({_number(kpi.month.n)})", False),
        (say(N_("누계 (표본수)")), f"{numbers.value(kpi.cumulative.value)} ({_number(kpi.cumulative.n)})", False),
        (say(N_("판정 규칙")), rule, False),
        (say(N_("전월 대비")), change, False),
        (level, numbers.interval(interval), False),
        (say(N_("자료획득률")), captured, True),
        (say(N_("상태 근거")), kpi.why.text(words.language), True),
    ]
    if kpi.cumulative.open_gaps is not None:
        rows.append((say(N_("귀책 불명 범위")), numbers.interval(kpi.cumulative.open_gaps), True))
    reasons = dict.fromkeys(f.reason.text(words.language) for f in (kpi.month, kpi.cumulative) if f.reason is not None)
    rows += [(say(N_("값이 없는 사유")), reason, True) for reason in reasons]
    given = ((N_("측정방법"), kpi.method), (N_("측정주체"), kpi.measured_by), (N_("기준값"), kpi.baseline))
    rows += beside_facts(kpi, numbers)
    return rows + [(say(label), value, True) for label, value in given if value]


def _number(n: int | None) -> str:
    return MISSING if n is None else f"{n:,}"


# --- Annexes 2 to 6: tables


def _failures(data: OpinionData, words: Words) -> dict[str, Any]:
    say = words.say
    outages = table(
        say(N_("수신 중단")),
        columns(
            say(N_("설치 지점")), say(N_("시작")), say(N_("끝")), say(N_("길이")), say(N_("귀책")), say(N_("비고")),
            wide=[0, 4, 5], right=[3],
        ),
        [
            [
                outage.place or outage.slot,
                words.time(outage.window.start),
                words.time(outage.window.end),
                words.length(outage.window.seconds),
                say(_CHARGED[outage.charged_to]),
                "" if outage.note is None else outage.note.text(words.language),
            ]
            for outage in data.outages
        ],
        words,
    )  # fmt: skip
    swaps = table(
        say(N_("장비 교체")),
        columns(
            say(N_("설치 지점")),
            say(N_("일시")),
            say(N_("뗀 장비")),
            say(N_("단 장비")),
            say(N_("펌웨어")),
            wide=[0, 2, 3, 4],
        ),
        [
            [
                swap.place or swap.slot,
                words.time(swap.at),
                swap.before or MISSING,
                swap.serial,
                swap.firmware or MISSING,
            ]
            for swap in data.swaps
        ],
        words,
    )
    kinds = {"message": say(N_("수신 보류 (메시지)")), "item": say(N_("거부 (측정값·기록)"))}
    refused = table(
        say(N_("수신 보류와 거부")),
        columns(
            say(N_("구분")), say(N_("통신 연결·설치 지점")), say(N_("사유")), say(N_("건수")), wide=[1, 2], right=[3]
        ),
        [[kinds[r.kind], r.where, reason_text(r.reason, words.language), f"{r.n:,}"] for r in data.refused],
        words,
        [
            say(
                N_(
                    "보류된 메시지와 거부된 값은 사유와 함께 보관되어 있음."
                    " 허용 크기를 넘은 메시지는 앞부분과 해시값만 보관됨."
                )
            )
        ],
    )
    return {
        "heading": say(N_("붙임 2. 장애·교체·평가 제외·수신 거부")),
        "parts": [
            outages,
            agreed_view.agreed_outages(data, words),
            agreed_view.exclusions(data, words),
            swaps,
            refused,
        ],
    }


def _intake(data: OpinionData, words: Words) -> dict[str, Any]:
    say = words.say
    names = (
        N_("전달"),
        N_("저장 처리"),
        N_("수신 보류"),
        N_("해석"),
        N_("신규 저장"),
        N_("중복"),
        N_("상이값 중복"),
        N_("거부"),
    )
    counted = columns(say(N_("수신일")), *(say(name) for name in names), wide=range(1, 9), right=range(1, 9))
    rows = [[words.day(day.day), *_counts(day)] for day in data.intake]
    if data.intake:
        sums = (sum(values) for values in zip(*(_numbers(day) for day in data.intake), strict=True))
        rows.append([say(N_("합계")), *(f"{n:,}" for n in sums)])
    notes = [
        say(N_("메시지: 전달 = 저장 처리 + 수신 보류. 측정값·기록: 해석 = 신규 저장 + 중복 + 상이값 중복 + 거부.")),
        say(N_("수신한 날을 기준으로 셈: 늦게 도착한 자료는 도착한 날에 들어감.")),
    ]
    if data.header.simulated and any(day.decoded and not day.delivered for day in data.intake):
        notes.append(
            say(N_("모의 이력은 통신을 거치지 않고 적재되었으므로 그날의 전달·저장 처리·수신 보류 건수가 없음."))
        )
    parts = [table("", counted, rows, words, notes)]
    if data.channels:
        parts.append(agreed_view.revisions(data, words))
    return {"heading": say(N_("붙임 3. 일별 수신 집계")), "parts": parts}


def _numbers(day: IntakeDay) -> tuple[int, ...]:
    return (
        day.delivered, day.committed, day.quarantined,
        day.decoded, day.stored, day.duplicate, day.conflict, day.rejected,
    )  # fmt: skip


def _counts(day: IntakeDay) -> list[str]:
    return [f"{n:,}" for n in _numbers(day)]


def _reading(heading: str, words: Words) -> dict[str, Any]:
    """How the numbers and words of this document are to be read."""
    say = words.say
    meanings = {
        "on_track": N_("누계값과 판정 규칙에 따른 한계가 모두 목표를 지킴"),
        "watch": N_("누계값은 목표를 지키나 판정 규칙에 따른 한계는 지키지 못하거나 아직 없음"),
        "at_risk": N_("누계값이 목표를 지키지 못함"),
        "insufficient": N_("당월 자료가 최소 자료획득률에 미치지 못하거나 값이 없음"),
    }
    rows = [[f"{STATES[code].mark} {STATES[code].word(words.language)}", say(text)] for code, text in meanings.items()]
    notes = [
        say(N_("실적 판정은 있었던 일을 그대로 보므로 신뢰한계는 참고이고, 표본 판정은 신뢰한계까지 봄.")),
        say(N_("당월은 목표를 시험하는 기간이 아님. 판정은 실증계획이 정한 평가일에만 함.")),
        say(
            N_(
                "숫자는 반올림하여 적되, 적힌 값과 원래 값이 목표의 같은 쪽에 있도록 자릿수를 늘림."
                " 판단은 반올림하지 않은 값으로 함."
            )
        ),
        say(N_("%(mark)s는 값이 없음을 뜻하며 0이 아님. 전월 대비는 적힌 값의 차이임."), mark=MISSING),
        say(N_("시각은 %(zone)s 기준임."), zone=words.zone.key),
    ]
    names = columns(say(N_("상태")), say(N_("뜻")), wide=[1])
    return {"heading": heading, "parts": [table("", names, rows, words, notes)]}

"""The first page of an opinion as ready texts: the page that people sign."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from core.language import N_, STATES
from core.numbers import MISSING
from kpi.reports.record import OpinionData, OpinionKpi, TrendMonth, Written
from kpi.reports.words import Numbers, Words, shortened

_ORDER = ("at_risk", "watch", "insufficient", "on_track")
_RANK = {"at_risk": 0, "watch": 1, "on_track": 2}
_MOST_NOTES = 3
_MOST_DECISIONS = 4
_JUDGEMENTS = {"adequate": N_("적정"), "needs_work": N_("보완 필요"), "inadequate": N_("부적정")}


def page_view(data: OpinionData, words: Words) -> dict[str, Any]:
    """Everything of the first page but its code."""
    say = words.say
    return {
        "issuer": f"{data.header.organisation} · {data.header.team}",
        "heading": say(N_("모니터링 의견서")),
        "month": f"({words.month(data.month)})",
        "number_label": say(N_("문서번호")),
        "info": _info(data, words),
        "status": _status(data, words),
        "table": _table(data, words),
        "form": _form(data, words),
        "visits": _visits(words),
        "opinions": _opinions(data, words),
        "seal": _seal(data, words),
        "statement": say(
            N_(
                "%(as_of)s까지 수신된 자료로 계산한 값이며, 자료의 정확성을 보증하는 것은 아님."
                " 검증 코드는 이 의견서의 자료(JSON)에서 구한 SHA-256의 앞 16자리임."
            ),
            as_of=words.time(data.as_of),
        ),
    }


def _info(data: OpinionData, words: Words) -> list[dict[str, Any]]:
    say, header = words.say, data.header
    total = round(header.period.seconds / 86_400)
    passed = round(header.period.intersection(_until_month(data)).seconds / 86_400)
    places = [place for place in header.places if place]
    shown = ", ".join(places[:3]) or MISSING
    if len(places) > 3:
        shown = say(N_("%(places)s 외 %(n)d곳"), places=shown, n=len(places) - 3)
    state = say(N_("잠정")) if data.provisional else say(N_("확정"))
    period = say(N_("%(days)s (%(passed)d/%(total)d일)"), days=words.days(header.period), total=total, passed=passed)
    version = say(N_("제%(n)d판 (SHA-256 %(hash)s…)"), n=header.plan_version, hash=header.plan_sha256[:8])
    rows = [
        (say(N_("실증과제")), header.title, True),
        (say(N_("수요처")), header.site, False),
        (say(N_("참여기업")), header.company, False),
        (say(N_("제품·서비스")), header.product, False),
        (say(N_("실증 장소")), shown, False),
        (say(N_("실증 기간")), period, False),
        (say(N_("실증계획")), version, False),
        (say(N_("대상 기간")), words.days(data.window), False),
        (say(N_("자료 기준일시")), f"{words.time(data.as_of)} · {state}", False),
    ]
    return [{"label": label, "value": value, "wide": wide} for label, value, wide in rows]


def _seal(data: OpinionData, words: Words) -> str:
    """The newest seal beside the check code: on paper it is out of the platform's reach. Nothing where there is none."""
    if data.seal is None:
        return ""
    return words.say(
        N_("자료 봉인 %(number)d호 %(day)s %(head)s…"),
        number=data.seal.number,
        day=words.day(data.seal.day, weekday=False),
        head=data.seal.head[:16],
    )


def _until_month(data: OpinionData) -> Any:
    return type(data.window)(start=min(data.header.period.start, data.window.end), end=data.window.end)


def worst(statuses: Sequence[str]) -> str:
    """The status that stands for all: the first of at risk, watch, insufficient, on track that occurs."""
    return next((code for code in _ORDER if code in statuses), "insufficient")


def before(kpi: OpinionKpi, month: str) -> TrendMonth | None:
    """The calendar month before this one in a KPI's trend; None if it has no result."""
    last = (date.fromisoformat(f"{month}-01") - timedelta(days=1)).strftime("%Y-%m")
    return next((point for point in kpi.trend if point.month == last), None)


def comparable(last: TrendMonth | None) -> float | None:
    """The value of the month before, if enough data stood behind it."""
    return None if last is None or last.status == "insufficient" else last.value


def _status(data: OpinionData, words: Words) -> dict[str, Any]:
    counted = Counter(kpi.status for kpi in data.kpis)
    parts = [
        words.say(N_("%(state)s %(n)d개"), state=STATES[code].word(words.language), n=counted[code])
        for code in ("on_track", "watch", "at_risk", "insufficient")
        if counted[code]
    ]
    sentence = words.say(
        N_("핵심성과지표 %(n)d개의 누계 상태: %(parts)s."), n=len(data.kpis), parts=", ".join(parts) or MISSING
    )
    return {"state": words.state(worst(list(counted))), "sentence": sentence, "change": _change(data, words)}


def _change(data: OpinionData, words: Words) -> str:
    """What became of the statuses since the month before."""
    pairs = [(kpi, before(kpi, data.month)) for kpi in data.kpis]
    compared = [(kpi, old.status) for kpi, old in pairs if old is not None and old.status is not None]
    if not compared:
        return words.say(N_("전월 결과가 없어 비교하지 않음."))
    better: list[str] = []
    worse: list[str] = []
    other: list[str] = []
    for kpi, old in compared:
        if kpi.status == old:
            continue
        if kpi.status in _RANK and old in _RANK:
            (better if _RANK[kpi.status] > _RANK[old] else worse).append(kpi.name)
        else:
            other.append(kpi.name)
    said = [
        words.say(message, n=len(names), names=_few(names))
        for message, names in (
            (N_("나아진 지표 %(n)d개(%(names)s)"), better),
            (N_("나빠진 지표 %(n)d개(%(names)s)"), worse),
            (N_("자료 사정이 달라진 지표 %(n)d개(%(names)s)"), other),
        )
        if names
    ]
    return words.say(N_("전월 대비 %(changes)s."), changes=", ".join(said)) if said else words.say(N_("전월과 같음."))


def _few(names: Sequence[str]) -> str:
    return ", ".join(shortened(name, 18) for name in names[:2]) + (" …" if len(names) > 2 else "")


def _table(data: OpinionData, words: Words) -> dict[str, Any]:
    say = words.say
    intervals = [kpi.cumulative.interval for kpi in data.kpis if kpi.cumulative.interval is not None]
    levels = {interval.level for interval in intervals if interval.level is not None}
    interval = say(N_("신뢰한계"))
    if len(levels) == 1:
        interval = say(N_("신뢰한계\n(한쪽 %(level)s)"), level=words.level(levels.pop()))
    columns = [
        say(N_("지표")),
        say(N_("목표")),
        say(N_("당월")),
        say(N_("전월 대비")),
        say(N_("누계")),
        interval,
        say(N_("자료획득률")),
        say(N_("상태")),
    ]
    more = say(N_("핵심성과지표 (계속)"))
    return {"columns": columns, "rows": [_row(kpi, data, words) for kpi in data.kpis], "more": more,
            "notes": _notes(data, words)}  # fmt: skip


def _row(kpi: OpinionKpi, data: OpinionData, words: Words) -> dict[str, Any]:
    numbers = Numbers.of(kpi, words)
    last = before(kpi, data.month)
    return {
        "name": f"{kpi.name}*" if kpi.required else kpi.name,
        "target": numbers.target,
        "former": _former(kpi, words),
        "month": numbers.value(kpi.month.value),
        "change": numbers.change(kpi.month.value, comparable(last)),
        "cumulative": numbers.value(kpi.cumulative.value) + ("‡" if _differs(kpi) else ""),
        "interval": _range(kpi, numbers),
        "completeness": numbers.completeness(kpi.month),
        "state": words.state(kpi.status),
    }


def _former(kpi: OpinionKpi, words: Words) -> str:
    """The target before the last amendment; of one that promises several things that is in the annex."""
    if len(kpi.targets) < 2 or kpi.promises:
        return ""
    return words.say(N_("(변경 전 %(target)s)"), target=kpi.targets[-2].text.text(words.language))


def _differs(kpi: OpinionKpi) -> bool:
    """Whether its cumulative value would be another if what is left out of judgement were not."""
    other = kpi.without_exclusions
    return other is not None and other.cumulative != kpi.cumulative.value


def _both_numbers(data: OpinionData, words: Words) -> str:
    """The values of these KPIs with nothing left out."""
    kpis = [kpi for kpi in data.kpis if _differs(kpi)]
    told = [
        f"{shortened(kpi.name, 20)} {Numbers.of(kpi, words).value(kpi.without_exclusions.cumulative)}"
        for kpi in kpis[:_MOST_NOTES]
        if kpi.without_exclusions is not None
    ]
    rest = words.say(N_(", 외 %(n)d개는 붙임 1"), n=len(kpis) - _MOST_NOTES) if len(kpis) > _MOST_NOTES else ""
    return ", ".join(told) + rest


def _range(kpi: OpinionKpi, numbers: Numbers) -> str:
    """The confidence bounds; where silence is charged to nobody, what it may come to, which weighs more."""
    if kpi.cumulative.open_gaps is not None:
        return f"{numbers.interval(kpi.cumulative.open_gaps)}†"
    return numbers.interval(kpi.cumulative.interval)


def _notes(data: OpinionData, words: Words) -> list[str]:
    """Under the table: what an asterisk means, and why a value is not there."""
    notes = []
    lacking = [(kpi, reason) for kpi in data.kpis if (reason := kpi.month.reason or kpi.cumulative.reason) is not None]
    for kpi, reason in lacking[:_MOST_NOTES]:
        notes.append(f"– {kpi.name}: {reason.text(words.language)}")
    if len(lacking) > _MOST_NOTES:
        notes.append(words.say(N_("– 그 밖에 값이 없는 지표 %(n)d개: 사유는 붙임 1"), n=len(lacking) - _MOST_NOTES))
    if any(kpi.cumulative.open_gaps is not None for kpi in data.kpis):
        notes.append(words.say(N_("† 귀책을 알 수 없는 무신호 시간을 불리하게, 유리하게 본 범위.")))
    if any(_differs(kpi) for kpi in data.kpis):
        notes.append(
            words.say(N_("‡ 평가 제외 구간을 뺀 값. 빼지 않으면 %(values)s."), values=_both_numbers(data, words))
        )
    basis = words.say(
        N_("자료획득률은 당월, 상태는 누계 기준(자료 부족은 당월 자료획득률 기준)이며, 판정은 평가일에만 함.")
    )
    required = any(kpi.required for kpi in data.kpis)
    notes.append(f"{words.say(N_('* 필수 지표.'))} {basis}" if required else basis)
    if any(k.scope == "period" and k.cumulative.interval and not k.cumulative.open_gaps for k in data.kpis):
        notes.append(words.say(N_("실적 판정 지표(붙임 1의 판정 규칙)의 신뢰한계는 참고이며 판단에 쓰지 않음.")))
    return notes


def _form(data: OpinionData, words: Words) -> list[dict[str, Any]]:
    say = words.say
    decisions = [decision.text(words.language) for decision in data.decisions]
    if len(decisions) > _MOST_DECISIONS:
        rest = say(N_("외 %(n)d건"), n=len(decisions) - _MOST_DECISIONS + 1)
        decisions = [*decisions[: _MOST_DECISIONS - 1], rest]
    return [
        {"label": say(N_("결정 대기 사항")), "lines": decisions or [say(N_("없음"))]},
        {"label": say(N_("장애·교체·수신 거부")), "lines": _events(data, words)},
    ]


def _events(data: OpinionData, words: Words) -> list[str]:
    say = words.say
    lines = []
    if data.outages:
        longest = max(data.outages, key=lambda outage: outage.window.seconds)
        lines.append(
            say(
                N_("수신 중단 %(n)s, 지점별 합계 %(total)s (가장 긴 것: %(slot)s %(start)s부터 %(length)s)"),
                n=words.count(len(data.outages)),
                total=words.length(sum(outage.window.seconds for outage in data.outages)),
                slot=longest.place or longest.slot,
                start=words.time(longest.window.start),
                length=words.length(longest.window.seconds),
            )
        )
    else:
        lines.append(say(N_("수신 중단 없음")))
    swaps = words.count(len(data.swaps)) if data.swaps else say(N_("없음"))
    messages, items = (sum(r.n for r in data.refused if r.kind == kind) for kind in ("message", "item"))
    lines.append(
        say(
            N_("장비 교체 %(swaps)s, 수신 보류 %(messages)s, 측정값 거부 %(items)s (내역: 붙임 2)"),
            swaps=swaps,
            messages=words.count(messages),
            items=words.count(items),
        )
    )
    agreed = _agreed(data, words)
    return [*lines, agreed] if agreed else lines


def _agreed(data: OpinionData, words: Words) -> str:
    """What people agreed on, counted: outages, what is left out of judgement, amended targets."""
    outages = sum(one.withdrawn_at is None for one in data.agreed_outages)
    left_out = [one for one in data.exclusions if one.counts]
    amended = sum(len(kpi.targets) > 1 for kpi in data.kpis)
    if not (outages or left_out or amended):
        return ""
    return words.say(
        N_(
            "실증 시작부터 합의한 장애 %(outages)s, 평가 제외 %(left_out)s (%(length)s), 목표 변경 지표 %(amended)d개"
            " (내역: 붙임 1, 2)"
        ),
        outages=words.count(outages),
        left_out=words.count(len(left_out)),
        length=words.length(sum(one.window.seconds for one in left_out)),
        amended=amended,
    )


def _visits(words: Words) -> dict[str, Any]:
    """Nobody has recorded a visit: lines to fill in by hand."""
    say = words.say
    fields = [
        (say(N_("일자")), "1fr"),
        (say(N_("방문자")), "1.3fr"),
        (say(N_("내용")), "3fr"),
        (say(N_("사진")), "0.8fr"),
    ]
    return {
        "label": say(N_("현장방문")),
        "fields": [{"name": name, "width": width} for name, width in fields],
        "lines": 2,
    }


def _opinions(data: OpinionData, words: Words) -> list[dict[str, Any]]:
    say = words.say
    return [
        _opinion(say(N_("종합의견\n(수요처)")), data.site_opinion, words, judged=True),
        _opinion(say(N_("종합의견\n(사업단)")), data.team_opinion, words),
        _opinion(say(N_("소명\n(참여기업)")), data.company_reply, words),
    ]


def _opinion(label: str, written: Written | None, words: Words, *, judged: bool = False) -> dict[str, Any]:
    chosen = None if written is None else written.judgement
    choices = [{"word": words.say(word), "chosen": code == chosen} for code, word in _JUDGEMENTS.items()]
    sign = {
        "date": words.say(N_("작성일")),
        "day": "" if written is None else words.day(written.at.astimezone(words.zone).date(), weekday=False),
        "who": words.say(N_("직위·성명")),
        "name": "" if written is None else written.by,
        "seal": words.say(N_("(서명)")),
    }
    body = "" if written is None else written.body
    return {"label": label, "choices": choices if judged else [], "body": body, "sign": sign}

"""Annexes on what people agreed: outages, exclusions, the answer over all KPIs, the versions of the result."""

from __future__ import annotations

import math
from typing import Any

from core.language import N_, STATES, particle
from core.numbers import MISSING, printed, written
from devices.plan.target import Bounds
from kpi.records.outages import CAUSES
from kpi.reports.record import AgreedOutage, ChannelRevision, Exclusion, OpinionData, Overall, OverallPart
from kpi.reports.tables import columns, table
from kpi.reports.words import Words, capitalised


def agreed_outages(data: OpinionData, words: Words) -> dict[str, Any]:
    """The outages that people agreed on, withdrawn ones too."""
    say = words.say
    places = {row.slot: row.place for kpi in data.kpis for row in kpi.by_slot}

    def where(one: AgreedOutage) -> str:
        if one.slots is None:
            return say(N_("모든 설치 지점"))
        return ", ".join(places.get(slot) or slot for slot in one.slots)

    rows = [
        [
            str(one.number),
            where(one),
            f"{words.time(one.window.start)} ~ {words.time(one.window.end)} ({words.length(one.window.seconds)})",
            f"{_cause(one.cause, words)}: {one.note}",
            one.agreed_by,
            _recorded(one, words),
        ]
        for one in data.agreed_outages
    ]
    names = columns(
        say(N_("번호")), say(N_("설치 지점")), say(N_("기간")), say(N_("사유")), say(N_("합의")), say(N_("기록")),
        wide={1: 1.0, 2: 1.5, 3: 1.6, 4: 1.2, 5: 1.6},
    )  # fmt: skip
    note = say(N_("합의한 장애는 요구 시간에서 뺌. 빼지 않은 값은 붙임 1에 함께 적음."))
    return table(say(N_("합의한 장애 (실증 시작부터)")), names, rows, words, [note] if rows else [])


def exclusions(data: OpinionData, words: Words) -> dict[str, Any]:
    """What is left out of judgement, withdrawn ones too, and how much of what may be is used."""
    say = words.say
    rows = [
        [
            str(one.number),
            one.place or one.slot,
            f"{words.time(one.window.start)} ~ {words.time(one.window.end)} ({words.length(one.window.seconds)})",
            f"{capitalised(one.reason.text(words.language))}: {one.note}",
            say(
                N_("요청 %(day)s %(who)s, 합의 %(site)s, %(team)s"),
                day=words.day(one.asked_on, weekday=False),
                who=one.asked_by,
                site=one.agreed_site,
                team=one.agreed_team,
            ),
            _recorded(one, words),
        ]
        for one in data.exclusions
    ]
    names = columns(
        say(N_("번호")), say(N_("설치 지점")), say(N_("기간")), say(N_("사유")), say(N_("요청과 합의")),
        say(N_("기록")), wide={1: 1.0, 2: 1.5, 3: 1.5, 4: 1.7, 5: 1.6},
    )  # fmt: skip
    notes = [room_text(room, words) for room in data.rooms]
    if data.most_excluded is not None and not data.rooms:
        most = f"{written(100 * data.most_excluded)} %"
        notes.append(say(N_("한 설치 지점에서 판정 기간의 %(most)s까지 평가에서 뺄 수 있음."), most=most))
    if rows:
        notes.append(
            say(
                N_(
                    "평가 제외는 그 지점의 모든 지표에 적용함. 빼지 않은 값은 붙임 1에 함께 적고,"
                    " 판정이 갈리면 심사위원회가 정함."
                )
            )
        )
    return table(say(N_("평가 제외 구간 (실증 시작부터)")), names, rows, words, notes)


def room_text(room: Any, words: Any) -> str:
    """How much of what may be left out of a slot is used."""
    share = room.used_s / room.most_s if room.most_s else 0.0
    return str(
        words.say(
            N_("%(slot)s: 한도 %(most)s(전체 판정 기간의 %(limit)s) 가운데 %(used)s 사용(%(share)s)"),
            slot=room.place or room.slot,
            most=words.length(room.most_s),
            limit=f"{written(100 * room.most_share)} %",
            used=words.length(room.used_s),
            share=f"{100 * share:.0f} %",
        )
    )


def _cause(code: str, words: Words) -> str:
    cause = CAUSES.get(code)
    return code if cause is None else capitalised(cause.ko if words.language == "ko" else cause.en)


def _recorded(one: AgreedOutage | Exclusion, words: Words) -> str:
    told = words.say(N_("%(time)s %(who)s"), time=words.time(one.recorded_at), who=one.recorded_by)
    if one.withdrawn_at is None:
        return told
    withdrawn = words.say(
        N_("철회 %(time)s %(who)s: %(why)s"),
        time=words.time(one.withdrawn_at),
        who=one.withdrawn_by or MISSING,
        why=one.withdrawn_why or MISSING,
    )
    return f"{told}. {withdrawn}"


# --- The whole


def overall(data: OpinionData, words: Words) -> dict[str, Any] | None:
    """목표달성도 as a table with its rule; None where the plan says nothing of it."""
    found = data.overall
    if found is None:
        return None
    say = words.say
    notes = [" ".join(one.text(words.language) for one in found.sentences)]
    if found.at is None or (found.verdict is None and found.score is None):
        heading = say(N_("규칙과 배점 (아직 지난 평가일이 없음)"))
        names = columns(say(N_("지표")), say(N_("필수 여부")), say(N_("가중치")), wide=[0], right=[2])
        rows: list[list[Any]] = [
            [one.name, say(N_("필수")) if one.required else "", _weight(one)] for one in found.parts
        ]
        return table(heading, names, rows, words, notes)
    heading = say(N_("%(day)s 평가 (결과 제%(n)s판)"), day=words.day(found.at, weekday=False), n=found.result_version)
    weighted = found.rule == "weighted"
    rows = [_overall_row(one, found, words, weighted) for one in found.parts]
    rows.append(_overall_sum(found, words, weighted))
    titles = [say(N_("지표")), say(N_("필수 여부")), say(N_("판정"))]
    if weighted:
        titles += [say(N_("가중치")), say(N_("점수")), say(N_("산식")), say(N_("가중 점수"))]
    part = table(
        heading,
        columns(*titles, wide=[0, 5] if weighted else [0], right=[3, 4, 6] if weighted else []),
        rows,
        words,
        notes,
    )
    if found.why is not None:
        part["lead"] = {
            "state": None if found.verdict is None else words.state(found.verdict),
            "text": found.why.text(words.language),
        }
    return part


def _overall_row(one: OverallPart, found: Overall, words: Words, weighted: bool) -> list[Any]:
    row: list[Any] = [one.name, words.say(N_("필수")) if one.required else "", _verdict(one, words)]
    if weighted:
        formula = "" if one.formula is None else one.formula.text(words.language)
        row += [_weight(one), points(one.score, found.pass_score), formula, points(contribution(one, found), None)]
    return row


def _overall_sum(found: Overall, words: Words, weighted: bool) -> list[Any]:
    state = "" if found.verdict is None else words.state(found.verdict)
    row: list[Any] = [words.say(N_("합계")), "", state]
    if weighted:
        needed = ""
        if found.pass_score is not None:
            needed = words.say(N_("통과 기준 %(n)s점"), n=written(found.pass_score))
        weights = math.fsum(one.weight for one in found.parts)
        row += [written(weights), "", needed, points(found.score, found.pass_score)]
    return row


def contribution(one: OverallPart, found: Overall) -> float | None:
    """What one KPI adds to the sum: its score by its part of all weights."""
    whole = math.fsum(part.weight for part in found.parts)
    return None if one.score is None or not whole else one.weight * one.score / whole


def points(score: float | None, needed: float | None) -> str:
    """A score, on the same side of what is needed as the unrounded one."""
    if score is None:
        return MISSING
    bounds = None
    if needed is not None:
        bounds = Bounds(low=needed, high=math.inf, low_closed=True, high_closed=False, unit="%", text="")
    return printed(score, "%", bounds)  # a share of 100 points: as many digits as shares have


def _weight(one: OverallPart) -> str:
    return written(one.weight) if one.weight else ""


def _verdict(one: OverallPart, words: Words) -> dict[str, str]:
    state = words.state(one.verdict)
    more = ""
    if one.to_committee:
        more = words.say(N_("심사위원회로"))
    elif one.counts_as != one.verdict:
        state_word = STATES[one.counts_as].word(words.language)
        more = words.say(N_("%(state)s%(to)s 셈"), state=state_word, to=particle(state_word, "으로", "로"))
    return {**state, "word": f"{state['word']} ({more})"} if more else state


# --- Versions


def revisions(data: OpinionData, words: Words) -> dict[str, Any]:
    """By which revisions of its channels the readings of the judged window were decoded."""
    say = words.say
    rows = [
        [
            one.place or one.slot,
            one.name if one.name == one.channel else f"{one.name} ({one.channel})",
            str(one.number),
            _decoded(one, words),
            _standing(one, words),
        ]
        for one in data.channels
    ]
    names = columns(
        say(N_("설치 지점")), say(N_("측정 항목 (기호)")), say(N_("개정")), say(N_("메시지의 값")), say(N_("비고")),
        wide={0: 1.0, 1: 1.3, 3: 1.6, 4: 1.9}, right=[2],
    )  # fmt: skip
    notes = []
    if rows:
        notes.append(say(N_("개정은 측정 항목을 해석하는 방법의 번호로, 메시지는 도착했을 때 유효한 개정으로 해석함.")))
    return table(say(N_("측정값을 해석한 개정 (실증 시작부터)")), names, rows, words, notes)


def _decoded(one: ChannelRevision, words: Words) -> str:
    """Where the value stands in the message, and in which unit."""
    given, canonical = (words.unit(unit) for unit in (one.source_unit, one.unit))
    if given == canonical:
        return f"{one.source} [{given}]" if given else one.source
    return f"{one.source} [{given} → {canonical}]"


def _standing(one: ChannelRevision, words: Words) -> str:
    if not one.redecoded:
        return ""
    if one.stands:
        return words.say(N_("일부는 나중 개정으로 다시 해석되어 쓰지 않음"))
    return words.say(N_("모두 나중 개정으로 다시 해석되어 쓰지 않음"))


def versions(data: OpinionData, words: Words) -> dict[str, Any]:
    """How this month's result came to be what it is."""
    say = words.say
    rows = [
        [
            str(one.version),
            words.time(one.as_of),
            str(one.plan_version),
            "; ".join(cause.text(words.language) for cause in one.causes) or say(N_("처음")),
            one.check_code,
        ]
        for one in data.versions
    ]
    notes = [say(N_("앞선 판은 지우지 않으며, 그 자료 기준일시로 다시 계산하면 같은 값이 나옴."))]
    if data.versions_before:
        notes.insert(0, say(N_("이보다 앞선 %(n)d개 판은 생략함."), n=data.versions_before))
    names = columns(
        say(N_("판")), say(N_("자료 기준일시")), say(N_("실증계획")), say(N_("달라진 원인")), say(N_("검증 코드")),
        wide=[3],
    )  # fmt: skip
    return table("", names, rows, words, notes)

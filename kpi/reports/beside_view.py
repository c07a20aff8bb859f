"""What stands beside a KPI's value in the annex: both numbers, whose the gaps are, promises, slots, segments, earlier targets."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from core.language import N_, STATES
from core.numbers import MISSING
from core.window import Window
from kpi.reports.charging import charged_parts
from kpi.reports.figures import Promise, SegmentFigure, TargetVersion, Without
from kpi.reports.pairs_view import pairs_table
from kpi.reports.record import OpinionKpi
from kpi.reports.tables import columns, table
from kpi.reports.words import Numbers, Words, capitalised

Fact = tuple[str, str, bool]

CHANGES: Final = {
    "device": N_("다른 장비로 교체"),
    "model": N_("모델 변경"),
    "firmware": N_("펌웨어 변경"),
    "installed_again": N_("재설치"),
}
"""What begins a segment, by its code."""
_GROUPS: Final = {
    "worst": N_("설치 지점마다 목표를 지켜야 하며 가장 나쁜 곳이 정함"),
    "pooled": N_("모든 설치 지점을 시간으로 합쳐 봄"),
    "mean": N_("설치 지점 값의 평균"),
    "sum": N_("설치 지점 값의 합"),
}


def beside_facts(kpi: OpinionKpi, numbers: Numbers) -> list[Fact]:
    """More lines of a KPI's facts, where there is something to say."""
    say = numbers.words.say
    rows: list[Fact] = []
    if kpi.without_exclusions is not None:
        label = say(N_("평가 제외를 빼지 않으면"))
        rows.append((label, _without(kpi.without_exclusions, kpi, numbers), True))
    if kpi.without_outages is not None:
        label = say(N_("합의한 장애를 빼지 않으면"))
        rows.append((label, _without(kpi.without_outages, kpi, numbers), True))
    if kpi.without_conditions is not None:
        label = say(N_("적용 환경 밖의 시간을 빼지 않으면"))
        rows.append((label, _without(kpi.without_conditions, kpi, numbers), True))
    if len(kpi.targets) > 1:
        rows.append((say(N_("협약변경")), amended_text(kpi.targets, numbers.words), True))
    rows += [(say(N_("구간 합산")), one.text(numbers.words.language), True) for one in kpi.pooling]
    return rows


def _without(other: Without, kpi: OpinionKpi, numbers: Numbers) -> str:
    words = numbers.words
    state = STATES[other.status]
    told = words.say(
        N_("누계 %(cumulative)s, 당월 %(month)s, %(state)s"),
        cumulative=numbers.value(other.cumulative),
        month=numbers.value(other.month),
        state=f"{state.mark} {state.word(words.language)}",
    )
    if other.status == kpi.status:
        return told
    now = STATES[kpi.status]
    more = words.say(N_("지금 상태(%(state)s)와 다름"), state=f"{now.mark} {now.word(words.language)}")
    return f"{told}. {more}"


def amended_text(targets: Sequence[TargetVersion], words: Words) -> str:
    """What each amendment changed, when, why and by whom: one sentence a change."""
    return " / ".join(
        words.say(
            N_("%(day)s %(old)s → %(new)s (사유: %(reason)s, 당사자: %(parties)s, 실증계획 제%(n)s판)"),
            day=MISSING if new.agreed_on is None else words.day(new.agreed_on, weekday=False),
            old=old.text.text(words.language),
            new=new.text.text(words.language),
            reason=new.reason or MISSING,
            parties=", ".join(new.parties) or MISSING,
            n=new.plan_version,
        )
        for old, new in pairwise(targets)
    )


def charged_view(kpi: OpinionKpi, words: Words) -> dict[str, Any] | None:
    """The bar of time without data; None where the measure does not tell or there is none."""
    if kpi.charged is None:
        return None
    parts = [part for part in charged_parts(kpi.charged, words.say) if part.seconds]
    if not parts:
        return None
    label = words.say(N_("자료가 없거나 뺀 시간의 귀책"))
    if kpi.charged.slot:
        label = words.say(N_("자료가 없거나 뺀 시간의 귀책 (%(slot)s)"), slot=_place(kpi, kpi.charged.slot))
    return {
        "label": label,
        "parts": [
            {
                "kind": part.kind,
                "share": part.width,
                "text": f"{capitalised(part.word)} {words.length(part.seconds)}",
                "source": part.source,
            }
            for part in parts
        ],
    }


def _place(kpi: OpinionKpi, slot: str) -> str:
    return next((row.place or row.slot for row in kpi.by_slot if row.slot == slot), slot)


def beside_tables(kpi: OpinionKpi, whole_window: Window, words: Words) -> list[dict[str, Any]]:
    """Promises, slots and segments, each where there are several."""
    found = []
    if kpi.promises:
        found.append(_promises(kpi, words))
    if kpi.pairs is not None:
        found.append(pairs_table(kpi.pairs, words))
    if kpi.by_slot:
        found.append(_slots(kpi, words))
    if kpi.segments:
        found += _segments(kpi, whole_window, words)
    return found


def _promises(kpi: OpinionKpi, words: Words) -> dict[str, Any]:
    say = words.say
    rows = []
    decides = say(N_("결정"))
    for place, promise in enumerate(kpi.promises):
        numbers = Numbers.of_promise(promise, words)
        rows.append(
            [
                f"{place + 1}. {promise.name}" + (f" ({decides})" if place == kpi.promise else ""),
                numbers.target,
                numbers.value(promise.month),
                numbers.value(promise.cumulative),
                words.state(promise.status),
            ]
        )
    return table(
        say(N_("조건별 결과: 모두 지켜야 함")),
        columns(
            say(N_("조건")), say(N_("목표")), say(N_("당월")), say(N_("누계")), say(N_("상태")), wide=[0], right=[2, 3]
        ),
        rows,
        words,
    )


def _slots(kpi: OpinionKpi, words: Words) -> dict[str, Any]:
    say = words.say
    numbers = Numbers.of(kpi, words)
    heading = say(N_("설치 지점별 누계"))
    return table(
        f"{heading}: {say(_GROUPS[kpi.group])}",
        columns(
            say(N_("설치 지점")), say(N_("값")), say(N_("표본수")), say(N_("자료획득률")), wide=[0], right=[1, 2, 3]
        ),
        [
            [row.place or row.slot, numbers.value(row.value), f"{row.n:,}", words.share(row.completeness)]
            for row in kpi.by_slot
        ],
        words,
    )


def _segments(kpi: OpinionKpi, whole_window: Window, words: Words) -> list[dict[str, Any]]:
    """The whole, every slot's last segment together, and each segment; a table a promise."""
    say = words.say
    names = columns(
        say(N_("구간")), say(N_("기간")), say(N_("장비")), say(N_("표본수")), say(N_("값")), wide=[0, 1, 2], right=[3, 4]
    )  # fmt: skip
    found = []
    for number in sorted({row.promise for row in kpi.segments}):
        promise = kpi.promises[number] if number < len(kpi.promises) else None
        numbers = Numbers.of(kpi, words) if promise is None else Numbers.of_promise(promise, words)
        whole = kpi.cumulative.value if promise is None else promise.cumulative
        n = kpi.cumulative.n if promise is None or number == kpi.promise else None
        rows: list[list[Any]] = [
            [
                say(N_("전체 (판정에 씀)")),
                words.days(whole_window),
                say(N_("모든 장비")),
                MISSING if n is None else f"{n:,}",
                numbers.value(whole),
            ]
        ]
        rows += [
            [
                say(N_("마지막 구간")),
                say(N_("지점마다 마지막 변경부터")),
                say(N_("지점마다 마지막 장비")),
                f"{last.n:,}",
                numbers.value(last.value),
            ]
            for last in kpi.last_segments
            if last.promise == number
        ]
        rows += [
            [segment_name(row, words), words.days(row.window), device_text(row), f"{row.n:,}", numbers.value(row.value)]
            for row in kpi.segments
            if row.promise == number
        ]
        found.append(table(_segments_heading(promise, words), names, rows, words))
    return found


def _segments_heading(promise: Promise | None, words: Words) -> str:
    heading = words.say(N_("장비·모델·펌웨어가 바뀐 구간"))
    return heading if promise is None else f"{heading}: {promise.name}"


def segment_name(row: SegmentFigure, words: Words) -> str:
    """Where it is, and what began it."""
    where = row.place or row.slot
    first = words.say(N_("처음"))
    return f"{where} · {words.say(CHANGES[row.cause]) if row.cause else first}"


def device_text(row: SegmentFigure) -> str:
    """A device as one line: serial, model, firmware."""
    return " · ".join(part for part in (row.serial, row.model, row.firmware) if part) or MISSING

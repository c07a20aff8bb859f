"""What a finding says, in words: its kind, how grave it is, and one sentence with its numbers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from core.language import N_
from core.window import Window
from dashboards.clocks import off_text
from dashboards.wording import Wording
from telemetry.findings import Finding

KIND_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "gap": N_("결측"),
        "stuck": N_("고정값"),
        "range": N_("범위 이탈"),
        "spike": N_("급변"),
        "rate": N_("변화율 초과"),
        "clock": N_("시계 오차"),
        "jump": N_("수준 변화"),
        "summary": N_("요약 불일치"),
    }
)
"""What each kind is called."""

KIND_MEANINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "gap": N_("주기 측정 항목에서 값이 유효 시간보다 오래 오지 않음"),
        "stuck": N_("재는 대상이 그럴 수 있는 것보다 오래 같은 값에 머무름"),
        "range": N_("있을 수 없거나 드문 값, 계획에 없는 상태"),
        "spike": N_("앞뒤 값에서 혼자 튀었다 돌아온 값"),
        "rate": N_("한 값에서 다음 값으로 너무 빨리 변함"),
        "clock": N_("장비의 시각이 허용 오차를 벗어남"),
        "jump": N_("값의 수준이 옮겨 가 돌아오지 않음: 교체, 펌웨어, 이동 또는 까닭 모름"),
        "summary": N_("저장한 요약이 측정값과 달라 다시 만듦"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """How grave a finding is, by mark, colour and word."""

    tone: str
    mark: str
    word: str


FLAGS: Final[Mapping[int, Flag]] = MappingProxyType(
    {
        3: Flag(tone="watch", mark="▲", word=N_("의심")),
        4: Flag(tone="bad", mark="✕", word=N_("오류")),
        9: Flag(tone="none", mark="–", word=N_("값 없음")),
    }
)

_CAUSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "device": N_("장비 교체(%(old)s → %(new)s) 뒤"),
        "model": N_("기종 변경(%(old)s → %(new)s) 뒤"),
        "firmware": N_("펌웨어 변경(%(old)s → %(new)s) 뒤"),
        "installed_again": N_("다시 설치한 뒤"),
        "unexplained": N_("까닭이 기록되지 않은 때"),
    }
)


def sentence_of(finding: Finding, words: Wording) -> str:
    """What was seen and by what it was judged, with units."""
    return _SENTENCES[finding.kind](finding, words)


def aside_of(finding: Finding, words: Wording) -> str:
    """What stands beside it: how many readings, whose threshold, whether it lasts."""
    detail = finding.detail
    said = []
    n = int(detail.get("suspect") or 0) + int(detail.get("fail") or 0)
    if n:
        said.append(words.say(N_("측정값 %(n)s건"), n=words.count(n)))
    if detail.get("dense"):
        said.append(words.say(N_("너무 잦아 한 시간을 하나로 봄")))
    if detail.get("by") == "plan":
        said.append(words.say(N_("실증계획의 기준")))
    elif detail.get("by") == "default":
        said.append(words.say(N_("기본 기준")))
    if detail.get("open"):
        said.append(words.say(N_("아직 이어짐")))
    return " · ".join(said)


def _gap(one: Finding, words: Wording) -> str:
    return words.say(
        N_("값이 %(length)s 동안 오지 않음(기준 %(threshold)s, 빠진 값 %(n)s건)."),
        length=words.duration(one.value or one.window.seconds),
        threshold=_length(one.detail.get("threshold_s"), words),
        n=words.count(int(one.detail.get("missing") or 0)),
    )


def _stuck(one: Finding, words: Wording) -> str:
    fail = one.detail.get("fail_above_s")
    threshold = fail if one.flag == 4 and fail is not None else one.detail.get("suspect_above_s")
    said = words.say(
        N_("%(length)s 동안 같은 값 %(value)s(기준 %(threshold)s)."),
        value=_size(one.value, one.unit, words),
        length=words.duration(one.window.seconds),
        threshold=_length(threshold, words),
    )
    tolerance = one.detail.get("tolerance")
    if not tolerance:
        return said
    return f"{said} " + words.say(N_("%(size)s까지의 차이는 같은 값으로 봄."), size=_change(tolerance, one.unit, words))


def _range(one: Finding, words: Wording) -> str:
    rule = one.detail.get("rule")
    if rule == "undeclared_state":
        return words.say(
            N_("실증계획에 없는 상태 값 %(value)s(상태 %(n)s가지)."),
            value=words.written(one.value or 0.0),
            n=one.detail.get("states"),
        )
    own = one.detail.get("fail_span" if one.flag == 4 else "suspect_span")
    span = own or one.detail.get("suspect_span") or one.detail.get("fail_span") or (None, None)
    said = (
        N_("한 번에 %(value)s 늘어남. 드문 크기(기준 %(span)s).")
        if rule == "increment_range" and one.flag != 4
        else N_("값 %(value)s: 있을 수 있는 범위(%(span)s) 밖.")
        if one.flag == 4
        else N_("값 %(value)s: 보통 범위(%(span)s) 밖.")
    )
    return words.say(said, value=_size(one.value, one.unit, words), span=_span(span, one.unit, words))


def _spike(one: Finding, words: Wording) -> str:
    return words.say(
        N_("앞뒤 값에서 %(size)s 튐(기준 %(threshold)s)."),
        size=_change(one.value, one.unit, words),
        threshold=_change(_threshold(one), one.unit, words),
    )


def _rate(one: Finding, words: Wording) -> str:
    unit = one.unit.removesuffix("/s")
    return words.say(
        N_("1초에 %(size)s 변함(기준 %(threshold)s)."),
        size=_change(one.value, unit, words),
        threshold=_change(_threshold(one), unit, words),
    )


def _clock(one: Finding, words: Wording) -> str:
    said = words.say(
        N_("장비 시계가 %(offset)s(기준 %(threshold)s)."),
        offset=off_text(one.value, words),
        threshold=_length(one.detail.get("threshold_s"), words),
    )
    if one.detail.get("rule") != "refused":
        return said
    return f"{said} " + words.say(N_("그때의 값은 거부되었고, 사유와 함께 보관되어 있음."))


def _jump(one: Finding, words: Wording) -> str:
    detail = one.detail
    if detail.get("cause") == "relocation":
        return words.say(
            N_("장비가 %(size)s 옮겨짐(기준 %(threshold)s)."),
            size=_size(one.value, "m", words),
            threshold=_size(detail.get("least"), "m", words),
        )
    cause = str(detail.get("cause"))
    key = {"device": "serial"}.get(cause, cause)
    old, new = ((detail.get(side) or {}).get(key) or "?" for side in ("from", "to"))
    text = _CAUSES.get(cause, _CAUSES["unexplained"])
    when = words.say(text, old=old, new=new) if "%(" in text else words.say(text)
    return words.say(
        N_("%(when)s 값의 수준이 옮겨 감: %(before)s → %(after)s(차이 %(size)s, 기준 %(threshold)s)."),
        when=when,
        before=_size(detail.get("before"), one.unit, words),
        after=_size(detail.get("after"), one.unit, words),
        size=_change(abs(one.value or 0.0), one.unit, words),
        threshold=_change(detail.get("least"), one.unit, words),
    )


def _summary(one: Finding, words: Wording) -> str:
    return words.say(N_("요약 %(n)s시간치가 측정값과 달라 측정값에서 다시 만듦."), n=words.count(int(one.value or 0)))


_SENTENCES: Final[Mapping[str, Callable[[Finding, Wording], str]]] = MappingProxyType(
    {
        "gap": _gap, "stuck": _stuck, "range": _range, "spike": _spike, "rate": _rate, "clock": _clock, "jump": _jump,
        "summary": _summary,
    }
)  # fmt: skip


def _threshold(one: Finding) -> float | None:
    fail: float | None = one.detail.get("fail_above")
    suspect: float | None = one.detail.get("suspect_above")
    return fail if (one.flag == 4 and fail is not None) or suspect is None else suspect


def _length(seconds: Any, words: Wording) -> str:
    return "–" if seconds is None else words.duration(float(seconds))


def _size(value: float | None, unit: str, words: Wording) -> str:
    return words.quantity(value, unit)


def _change(value: float | None, unit: str, words: Wording) -> str:
    """A difference: five degrees, not the temperature of five degrees; with the digits that a threshold was written with."""
    if value is None:
        return "–"
    number = words.written(float(f"{value:.3g}"))
    shown = words.unit("%p" if unit == "%" else unit)
    return f"{number} {shown}".strip()


def _span(span: Any, unit: str, words: Wording) -> str:
    low, high = span
    shown = words.unit(unit)
    if low is None or high is None:
        text = f"≤ {words.written(high)}" if high is not None else f"≥ {words.written(low)}" if low is not None else "–"
    else:
        text = f"{words.written(low)} ~ {words.written(high)}"
    return f"{text} {shown}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One finding as a row of the page."""

    number: int
    kind: str
    slot: str
    channel: str
    flag: Flag
    sentence: str
    aside: str
    window: Window
    lasting: bool
    recorded_at: Any
    superseded_at: Any


def shown(finding: Finding, words: Wording, titles: Mapping[tuple[str, str], str]) -> Shown:
    """A row of the page.

    :param titles: what each channel is called, by slot and channel.
    """
    channel = finding.channel or ""
    return Shown(
        number=finding.finding_id,
        kind=KIND_WORDS[finding.kind],
        slot=finding.slot,
        channel=titles.get((finding.slot, channel), channel),
        flag=FLAGS[finding.flag],
        sentence=sentence_of(finding, words),
        aside=aside_of(finding, words),
        window=finding.window,
        lasting=bool(finding.detail.get("open")),
        recorded_at=finding.recorded_at,
        superseded_at=finding.superseded_at,
    )

"""Why a result has a new version, in words: one line a cause of ``kpi.causes``, the same on a page and in a document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from core.language import N_, date_text, duration_text, translator
from core.window import MICROSECOND

_NUMBERED: Final[Mapping[str, str]] = {
    "outage_added": N_("합의한 장애 %(ids)s 추가"),
    "outage_withdrawn": N_("합의한 장애 %(ids)s 철회"),
    "exclusion_added": N_("평가 제외 구간 %(ids)s 추가"),
    "exclusion_withdrawn": N_("평가 제외 구간 %(ids)s 철회"),
    "manual_added": N_("수기 입력 %(ids)s 추가"),
    "manual_withdrawn": N_("수기 입력 %(ids)s 철회"),
}
_PLAIN: Final[Mapping[str, str]] = {
    "final": N_("잠정에서 확정으로"),
    "unexplained": N_("원인이 기록에 없음"),
    "baseline": N_("도입 전 기준값 파일이 등록됨"),
}
_KINDS: Final[Mapping[str, str]] = {
    "readings": N_("측정값 %(n)s건"),
    "events": N_("발생 기록 %(n)s건"),
    "link_states": N_("연결 상태 %(n)s건"),
    "superseded": N_("쓰지 않게 된 측정값 %(n)s건"),
}


def cause_text(cause: Mapping[str, Any], language: str, zone: ZoneInfo) -> str:
    """One cause with its numbers; an unknown one by its code.

    >>> seoul = ZoneInfo("Asia/Seoul")
    >>> cause_text({"cause": "outage_added", "ids": [3, 4]}, "ko", seoul)
    '합의한 장애 3호, 4호 추가'
    >>> cause_text({"cause": "late_data", "readings": 1200, "events": 0, "link_states": 0}, "en", seoul)
    'late data: 1,200 readings'
    """
    say = _sayer(language)
    code = cause["cause"]
    if code in _PLAIN:
        return say(_PLAIN[code])
    if code in _NUMBERED:
        return say(_NUMBERED[code], ids=", ".join(numbered(number, language) for number in cause["ids"]))
    match code:
        case "amendment":
            day = date_text(date.fromisoformat(cause["date"]), language, weekday=False)
            return say(
                N_("협약변경(%(day)s, 실증계획 제%(n)s판): %(reason)s"),
                day=day,
                n=cause["plan_version"],
                reason=cause["reason"],
            )
        case "plan":
            return say(
                N_("실증계획 제%(before)s판에서 제%(after)s판으로"), before=cause["before"], after=cause["after"]
            )
        case "code":
            return say(N_("계산 프로그램 %(before)s에서 %(after)s로"), before=cause["before"], after=cause["after"])
        case "window":
            return say(N_("판정 기간이 %(after)s까지로 늘어남"), after=_last_day(cause["after"], language, zone))
        case "late_data":
            return say(N_("늦게 도착한 자료: %(what)s"), what=_counted(cause, say))
        case "replayed":
            return say(N_("수신 보류에서 다시 처리한 자료: %(what)s"), what=_counted(cause, say))
        case "redecoded":
            return say(N_("정정한 계획서로 다시 해석한 원본 메시지: %(what)s"), what=_counted(cause, say))
        case "finding":
            return say(
                N_("측정값을 빼는 품질 점검 결과: 새로 %(recorded)s건, 대체 %(superseded)s건"),
                recorded=f"{cause['recorded']:,}",
                superseded=f"{cause['superseded']:,}",
            )
        case "label":
            return say(
                N_("정답 기록: 새로 %(added)s건, 철회 %(withdrawn)s건"),
                added=f"{cause['added']:,}",
                withdrawn=f"{cause['withdrawn']:,}",
            )
        case "holidays":
            return say(N_("공휴일 달력이 바뀜: %(days)s"), days=", ".join(cause["days"]))
        case "swap":
            return say(N_("장비 교체 기록(%(slots)s)"), slots=", ".join(cause["slots"]))
        case "platform_record":
            return say(
                N_("플랫폼 가동 기록이 늦게 들어옴(가동 %(alive)s, 중단 %(away)s)"),
                alive=duration_text(cause["alive_s"], language),
                away=duration_text(cause["away_s"], language),
            )
    return str(code)


def numbered(number: int, language: str) -> str:
    """A record by its number: ``3호``, ``no. 3``."""
    return _sayer(language)(N_("%(n)s호"), n=number)


def _sayer(language: str) -> Callable[..., str]:
    translate = translator(language)
    return lambda message, **values: translate(message) % values if values else translate(message)


def _counted(cause: Mapping[str, Any], say: Callable[..., str]) -> str:
    return ", ".join(say(text, n=f"{cause[kind]:,}") for kind, text in _KINDS.items() if cause.get(kind))


def _last_day(window: Mapping[str, str], language: str, zone: ZoneInfo) -> str:
    last = (datetime.fromisoformat(window["end"]) - MICROSECOND).astimezone(zone).date()
    return date_text(last, language, weekday=False)

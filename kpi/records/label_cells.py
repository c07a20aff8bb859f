"""The cells of a row of labels, as people write them: times, sides, outcomes, attributes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from devices.plan.truth import SIDES
from kpi.records.labels import OUTCOMES, Given

COLUMNS: Final[Mapping[str, str]] = {
    "slot": "지점", "start": "시작", "end": "종료", "outcome": "결과", "labeller": "기록자", "side": "소속", "blind": "비공개",
    "reader": "회차", "place": "위치", "window": "표본구간", "note": "비고",
}  # fmt: skip
"""Key → its Korean heading; either may stand in the first line."""
REQUIRED: Final = ("slot", "start", "outcome")
ATTRIBUTE: Final = ("attr.", "속성.")
"""Columns of attributes begin so: ``attr.width_mm``, ``속성.등급``."""

_OUTCOMES: Final = {
    "발생": "positive",
    "있음": "positive",
    "미발생": "negative",
    "없음": "negative",
    "이상없음": "empty",
}
_SIDES: Final = {
    "수요처": "site", "참여기업": "company", "사업단": "team", "테스트베드사업단": "team", "외부": "outside",
    "외부기관": "outside",
}  # fmt: skip
_YES: Final = frozenset({"yes", "true", "y", "o", "1", "예", "네", "비공개"})
_NO: Final = frozenset({"no", "false", "n", "x", "0", "아니오", "아니요", "공개"})
_TIME: Final = re.compile(
    r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})[ T]+(?:(오전|오후) )?(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d{1,6})?))?\s*(.*)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What holds for rows that do not say it themselves."""

    labeller: str = ""
    side: str = ""
    blind: bool | None = None
    reader: int = 1
    zone: ZoneInfo | None = None
    """Of times without one; None: they are not taken."""


class Unreadable(Exception):
    """A cell that cannot be read."""

    def __init__(self, korean: str, english: str) -> None:
        super().__init__(english)
        self.fault = (korean, english)


def given_of(line: int, cells: Mapping[str, str], defaults: Defaults) -> Given:
    """The label that a row says.

    :raises Unreadable: a cell cannot be read; it says which and why.
    """
    start = _time("start", cells.get("start", ""), defaults.zone)
    if start is None:
        raise Unreadable("시작이 비어 있습니다", "start is empty")
    side = cells.get("side", "")
    outcome = cells.get("outcome", "")
    return Given(
        slot=cells.get("slot", ""),
        start=start,
        end=_time("end", cells.get("end", ""), defaults.zone) or start,
        outcome=_one_of("outcome", outcome, _OUTCOMES, OUTCOMES),
        labeller=cells.get("labeller", "") or defaults.labeller,
        side=_one_of("side", side or defaults.side, _SIDES, SIDES),
        blind=_truth("blind", cells.get("blind", ""), defaults.blind),
        reader=_reader(cells.get("reader", ""), defaults.reader),
        place=cells.get("place", ""),
        attributes={key.partition(".")[2]: _value(cell) for key, cell in cells.items() if _is_attribute(key) and cell},
        window_at=_time("window", cells.get("window", ""), defaults.zone),
        note=cells.get("note", ""),
        line=line,
    )


def _is_attribute(key: str) -> bool:
    return key.startswith(ATTRIBUTE) and key.partition(".")[2] != ""


def _one_of(column: str, text: str, words: Mapping[str, str], known: Sequence[str]) -> Any:
    plain = text.strip().lower()
    found = words.get(plain.replace(" ", ""), plain)
    if found not in known:
        there = ", ".join(known)
        korean = ", ".join(dict.fromkeys(words))
        said = repr(text) if text else "빈칸"
        raise Unreadable(
            f"{COLUMNS[column]} {said}: {there}({korean}) 중 하나여야 합니다",
            f"{column} {text!r} is not one of {there}",
        )
    return found


def _truth(column: str, text: str, default: bool | None) -> bool:
    plain = text.strip().lower()
    if plain in _YES or plain in _NO:
        return plain in _YES
    if not plain and default is not None:
        return default
    raise Unreadable(
        f"{COLUMNS[column]} {repr(text) if text else '빈칸'}: 예 또는 아니오여야 합니다",
        f"{column} {text!r} is not yes or no",
    )


def _reader(text: str, default: int) -> int:
    if not text:
        return default
    if text not in ("1", "2"):
        raise Unreadable(f"회차 {text!r}: 1 또는 2여야 합니다", f"reader {text!r} is not 1 or 2")
    return int(text)


def _time(column: str, text: str, zone: ZoneInfo | None) -> datetime | None:
    """An instant, with the zone it is written with, or that which is meant."""
    if not text:
        return None
    match = _TIME.fullmatch(text)
    if match is None:
        raise Unreadable(
            f"{COLUMNS[column]} {text!r}: 2026-05-01T09:00:00+09:00처럼 씁니다",
            f"{column} {text!r} is no time: write it as 2026-05-01T09:00:00+09:00",
        )
    year, month, day, half, hour, minute, second, offset = match.groups()
    if half is not None:  # as Korean Excel shows it: 오전 12:05 is five past midnight
        hour = str(int(hour) % 12 + (12 if half == "오후" else 0))
    iso = f"{year}-{int(month):02}-{int(day):02}T{int(hour):02}:{minute}:{second or '00'}"
    try:
        naive = datetime.fromisoformat(iso)
        found = datetime.fromisoformat(f"{iso}{offset}") if offset else naive
    except ValueError:
        raise Unreadable(
            f"{COLUMNS[column]} {text!r}: 없는 시각입니다", f"{column} {text!r}: there is no such time"
        ) from None
    if found.tzinfo is not None:
        return found.astimezone(UTC)
    if zone is None:
        raise Unreadable(
            f"{COLUMNS[column]} {text!r}에 시간대가 없습니다. +09:00을 붙이거나, 시간대 없는 시각을 읽을 시간대를 고르십시오",
            f"{column} {text!r} has no zone: write +09:00 behind it, or say in which zone times without one are",
        )
    first, second_time = (naive.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() != second_time.utcoffset():
        raise Unreadable(
            f"{COLUMNS[column]} {text!r}: {zone.key}에서 하나로 정해지지 않는 시각입니다",
            f"{column} {text!r} is no single time in {zone.key}: write its offset behind it",
        )
    return first.astimezone(UTC)


def _value(text: str) -> Any:
    """A number or a truth value where it is written as one, otherwise the text."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if re.fullmatch(r"[-+]?\d+", text) and len(text) < 16:
        return int(text)
    try:
        found = float(text)
    except ValueError:
        return text
    return found if math.isfinite(found) else text

"""What an entry of people must be like, by what the plan declares of its quantity. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core.units import UnitError, conversion
from core.window import midnight
from devices.plan.manual import ManualQuantity
from kpi.records.refusal import Refused

_MOST: Final = 1e15
"""Beyond it a number that somebody typed is a slip; and counts stay whole."""
_LONGEST: Final = {"measured_by": 200, "note": 2_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An entry as somebody gives it."""

    quantity: str
    start: datetime
    end: datetime
    """As ``start``: of an instant."""
    value: float
    measured_by: str
    slot: str | None = None
    exposure: float | None = None
    n: int | None = None
    sd: float | None = None
    scores: tuple[float, ...] | None = None
    note: str = ""
    line: int | None = None
    """Of the file that it was read from."""

    @property
    def where(self) -> str:
        return "" if self.line is None else f"Line {self.line}: "


def window_of(start: str, end: str, at: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The window of an entry: ``start`` and ``end`` are its first and its last day, or instants; ``at`` is a single instant.

    A date as an end is the whole of that day: from 1 to 31 May is all of May.

    :raises PermanentError: they are none, or not one or the other.

    >>> seoul = ZoneInfo("Asia/Seoul")
    >>> [f"{end:%m-%dT%H}" for end in window_of("2026-05-01", "2026-05-31", "", seoul)]
    ['04-30T15', '05-31T15']
    """
    if at and (start or end):
        raise Refused(
            "An entry is of a time from … to …, or of one instant (at): give one of the two.",
            "기간(시작일~종료일)이나 시각 가운데 하나만 적어 주십시오.",
        )
    if at:
        found = _instant("at", at, zone)
        return found, found
    if not start or not end:
        raise Refused(
            "An entry has its time: from and to, or at.", "기간의 시작일과 종료일을, 또는 시각을 적어 주십시오."
        )  # fmt: skip
    first, last = _instant("from", start, zone), _instant("to", end, zone, last=True)
    if not first < last:
        raise Refused(
            f"It ends at {end}, before it starts at {start}: turn them round.",
            f"종료일({end})이 시작일({start})보다 앞섭니다: 바꾸어 적어 주십시오.",
        )
    return first, last


def _instant(what: str, text: str, zone: ZoneInfo, *, last: bool = False) -> datetime:
    told = text.strip()
    try:
        if len(told) == 10:
            day = date.fromisoformat(told)
            return midnight(day + timedelta(days=1) if last else day, zone).astimezone(UTC)
        found = datetime.fromisoformat(told)
        return (found if found.tzinfo is not None else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(
            f"{what} {text!r} is neither a date (2026-05-01) nor an instant (2026-05-01T09:00).",
            f"{text!r}은(는) 날짜(2026-05-01)도 시각(2026-05-01T09:00)도 아닙니다.",
        ) from None


def of_scores(given: Given, scores: Sequence[float]) -> Given:
    """An entry whose n, mean and sd are those of single answers.

    :raises PermanentError: there is none.
    """
    if not scores:
        raise Refused(
            f"{given.where}{given.quantity} has no answers: give at least one.", "응답이 없습니다: 하나 이상 있어야 합니다."
        )  # fmt: skip
    n = len(scores)
    mean = math.fsum(scores) / n
    sd = math.sqrt(math.fsum((one - mean) ** 2 for one in scores) / (n - 1)) if n > 1 else None
    return replace(given, value=mean, n=n, sd=sd, scores=tuple(scores))


def number(what: str, text: str) -> float:
    """A number that somebody typed; thousands may have their commas.

    :raises PermanentError: it is none.
    """
    try:
        found = float(text.replace(",", "").strip())
    except ValueError:
        raise Refused(f"{what} {text!r} is no number.", f"{text!r}은(는) 숫자가 아닙니다.") from None
    if not abs(found) <= _MOST:
        raise Refused(
            f"{what} {text!r} is no number that can be meant: it lies beyond ±{_MOST:g}.",
            f"{text!r}은(는) 너무 큰 숫자입니다(±{_MOST:g}까지).",
        )
    return found


def whole(what: str, text: str) -> int:
    """A whole number that somebody typed.

    :raises PermanentError: it is none.
    """
    found = number(what, text)
    if found != math.floor(found):
        raise Refused(f"{what} {text!r} is no whole number.", f"{text!r}은(는) 정수가 아닙니다.")
    return int(found)


def in_unit(what: str, text: str, unit: str) -> float:
    """A number, which may have its unit beside it: that is then brought to the plan's.

    :raises PermanentError: it is none, or of another dimension.

    >>> in_unit("value", "12건", "건"), in_unit("value", "1,200 Wh", "kWh"), in_unit("value", "3", "kWh")
    (12.0, 1.2, 3.0)
    """
    told = text.strip()
    digits = len(told)
    while digits and not (told[digits - 1].isdigit() or told[digits - 1] == "."):
        digits -= 1
    written = told[digits:].strip()
    found = number(what, told[:digits] or told)
    if not written or written == unit:
        return found
    try:
        return conversion(written, unit)(found)
    except UnitError:
        raise Refused(
            f"{what} {text!r} has the unit {written!r}; the plan declares {unit!r}: give it in that unit.",
            f"{text!r}의 단위 {written!r}은(는) 계획의 단위({unit})와 다릅니다: 계획의 단위로 적어 주십시오.",
        ) from None


def checked(given: Given, quantity: ManualQuantity, now: datetime) -> None:
    """Refuse what cannot be an entry of this quantity.

    :raises PermanentError: the message says what, and what is allowed.
    """
    what = f"{given.where}{given.quantity}"
    _window(what, given, now)
    if quantity.slots is None and given.slot is not None:
        raise Refused(
            f"{what} is of the pilot as a whole, not of the slot {given.slot!r}: leave the slot out.",
            "이 항목은 과제 전체의 값입니다: 설치 지점을 비워 주십시오.",
        )
    if quantity.slots is not None and given.slot not in quantity.slots:
        named = "no slot" if given.slot is None else f"the slot {given.slot!r}"
        raise Refused(
            f"{what} was given with {named}; each entry of it is of one of: {', '.join(quantity.slots)}.",
            f"이 항목은 설치 지점마다 입력합니다. 쓸 수 있는 지점: {', '.join(quantity.slots)}.",
        )
    for name, length in _LONGEST.items():
        if len(getattr(given, name)) > length:
            raise Refused(
                f"{what}: {name} has {len(getattr(given, name))} letters, at most {length}.",
                f"측정자는 {_LONGEST['measured_by']}자, 비고는 {_LONGEST['note']:,}자까지 적을 수 있습니다.",
            )
    if quantity.range is not None and not quantity.low <= given.value <= quantity.high:
        raise Refused(
            f"{what} is {given.value:g} {quantity.unit}, outside of {quantity.low:g} to {quantity.high:g}, which the plan"
            " declares: look at the document once more.",
            f"값 {given.value:g} {quantity.unit}이(가) 계획의 범위({quantity.low:g}~{quantity.high:g})를 벗어납니다: 증빙 문서를"
            " 다시 확인해 주십시오.",
        )
    _kind(what, given, quantity)


def _window(what: str, given: Given, now: datetime) -> None:
    if given.start.tzinfo is None or given.end.tzinfo is None or given.end < given.start:
        raise Refused(
            f"{what} has no time that goes forward: from {given.start} to {given.end}.", "기간의 끝이 시작보다 앞섭니다."
        )  # fmt: skip
    if given.end > now:
        raise Refused(
            f"{what} is of a time up to {given.end.isoformat()}, which is not over (it is {now.isoformat()}): enter it then.",
            "아직 끝나지 않은 기간입니다: 기간이 끝난 뒤에 입력해 주십시오.",
        )


def _kind(what: str, given: Given, quantity: ManualQuantity) -> None:
    if quantity.kind == "count":
        _count(what, given, quantity)
    elif quantity.kind == "sample":
        _sample(what, given, quantity)
    if quantity.kind != "sample" and (given.n is not None or given.sd is not None or given.scores is not None):
        raise Refused(
            f"{what} is a {quantity.kind}, not a sample: leave n, sd and scores out.",
            "이 항목은 표본이 아닙니다: 표본수와 표준편차를 비워 주십시오.",
        )
    if quantity.exposure is None and given.exposure is not None:
        raise Refused(
            f"{what} has no exposure in the plan: leave it out, or have the plan amended.",
            "이 항목에는 계획에 정한 나눔 기준(노출량)이 없습니다: 비워 주십시오.",
        )


def _count(what: str, given: Given, quantity: ManualQuantity) -> None:
    if given.value < 0 or given.value != math.floor(given.value):
        raise Refused(
            f"{what} is {given.value:g}: a count is a whole number, 0 or more.",
            f"건수 {given.value:g}은(는) 0 이상의 정수가 아닙니다.",
        )
    if given.start == given.end:
        raise Refused(
            f"{what} is a count: it is of a time from … to …, not of one instant.",
            "건수는 기간의 값입니다: 시작일과 종료일을 적어 주십시오.",
        )
    if quantity.exposure is None:
        return
    named = quantity.exposure.name or quantity.exposure.id or "exposure"
    if given.exposure is None:
        raise Refused(
            f"{what} has no exposure: give {named} in {quantity.exposure.unit}, as the plan declares.",
            f"나눔 기준({named})이 없습니다: {quantity.exposure.unit} 단위로 적어 주십시오.",
        )
    if not 0 < given.exposure <= _MOST:
        raise Refused(
            f"{what} has an exposure of {given.exposure:g} {quantity.exposure.unit}: there must be some to count by.",
            f"나눔 기준이 {given.exposure:g}입니다: 0보다 커야 합니다.",
        )


def _sample(what: str, given: Given, quantity: ManualQuantity) -> None:
    if given.n is None or given.n < 1:
        raise Refused(
            f"{what} has n = {given.n}: a sample says how many answers there were, 1 or more.",
            "표본수(응답 수)를 1 이상으로 적어 주십시오.",
        )
    if given.n == 1:
        return
    if given.sd is None or given.sd < 0:
        raise Refused(
            f"{what} has sd = {given.sd}: a sample says their standard deviation, 0 or more.",
            "표준편차를 0 이상으로 적어 주십시오.",
        )
    # The widest spread that answers within the range can have around this mean, and a little for a rounded mean.
    low, high, n = quantity.low, quantity.high, given.n
    spare = 0.005 * (high - low)
    most = math.sqrt(max((given.value - low + spare) * (high - given.value + spare), 0.0) * n / (n - 1))
    if given.sd > most:
        raise Refused(
            f"{what} has sd = {given.sd:g}, but {n} answers between {low:g} and {high:g} with the mean {given.value:g} spread by"
            f" {most:.3g} at the most: look at the document once more.",
            f"표준편차 {given.sd:g}은(는) 나올 수 없는 값입니다({low:g}~{high:g} 사이 응답 {n}개, 평균 {given.value:g}이면 최대"
            f" {most:.3g}): 증빙 문서를 다시 확인해 주십시오.",
        )
    for score in given.scores or ():
        if not low <= score <= high:
            raise Refused(
                f"{what} has an answer of {score:g}, outside of {low:g} to {high:g}.",
                f"응답 {score:g}이(가) 범위({low:g}~{high:g})를 벗어납니다.",
            )

"""The devices' clocks on a page: how far each is off, how it drifts, two weeks of it as a line, and the findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from core.database import Connection
from core.language import N_
from core.settings import settings
from core.window import HOUR_US, Window
from dashboards.access import VisiblePilot
from dashboards.wording import Wording, unit_text_of_seconds
from telemetry.clock import SPAN, Note, SlotClock, series
from telemetry.findings import findings
from telemetry.pace import BEYOND, DRIFT_HOURS, RESOLUTION_S, Judged

_MOST: Final = 20
_LEAST_ROOM_S: Final = 2.0
"""A line shows at least so much above and below zero: jitter of tenths is no news."""
WIDTH: Final = 240
HEIGHT: Final = 48
_MARGIN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """How a clock's state is shown: mark, word and tone, so that it reads without colour."""

    mark: str
    word: str
    tone: str


LIGHTS: Final[dict[Note, Light]] = {
    "fine": Light(mark="✓", word=N_("맞음"), tone="good"),
    "fast": Light(mark="▲", word=N_("빠름"), tone="watch"),
    "slow": Light(mark="▼", word=N_("느림"), tone="watch"),
    "refused": Light(mark="✕", word=N_("값이 거부됨"), tone="bad"),
    "gathered": Light(mark="–", word=N_("알 수 없음"), tone="none"),
    "late": Light(mark="–", word=N_("알 수 없음"), tone="none"),
    "silent": Light(mark="–", word=N_("신호 없음"), tone="none"),
    "none": Light(mark="–", word=N_("알 수 없음"), tone="none"),
    "no_clock": Light(mark="–", word=N_("시계 없음"), tone="none"),
}
_WHY: Final[dict[Note, str]] = {
    "refused": N_("측정 시각이 맞지 않아 값이 거부되고 있습니다. 값은 보관되어 있습니다."),
    "gathered": N_("값을 모아 보내는 장비라, 시계가 느린 것인지 늦게 보낸 것인지 구별할 수 없습니다."),
    "late": N_("최근 하루의 값이 모두 늦게 도착했습니다."),
    "silent": N_("최근 하루 동안 받은 값이 없습니다."),
    "none": N_("최근 14일 동안 장비의 시각으로 바로 받은 값이 없습니다."),
    "no_clock": N_("시계가 없는 장비입니다. 수신 시각을 측정 시각으로 씁니다."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Two weeks of a clock, ready for SVG: up is fast. A hole in what is known is a hole in the line."""

    runs: tuple[str, ...]
    beyond: tuple[tuple[float, float], ...]
    """Where it was beyond the threshold: x and width."""
    zero: float
    limits: tuple[float, ...]
    """The threshold, where the line comes near it."""
    extent: str
    """From where to where it goes, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One slot's clock."""

    slot: str
    light: Light
    offset: str
    """How far it is off, in words; empty where that is not known."""
    why: str
    drift: str
    basis: str
    """What the drift rests on."""
    line: Line | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Off:
    """A stretch in which a clock was beyond the threshold."""

    slot: str
    window: Window
    offset: str
    refused: bool
    lasting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """What the page shows."""

    window: Window
    threshold: str
    rows: tuple[Row, ...]
    found: tuple[Off, ...]
    more: int
    """Findings beyond those listed."""


Seen = Sequence[tuple[SlotClock, Sequence[Judged]]]
"""What :func:`telemetry.clock.series` tells."""


def clocks_shown(
    connection: Connection, pilot: VisiblePilot, words: Wording, now: datetime | None = None, seen: Seen | None = None
) -> Clocks:
    """The clocks of a pilot that the person sees.

    :param seen: what :func:`telemetry.clock.series` told, where it was asked already.
    """
    now = now or datetime.now(UTC)
    seen = series(connection, pilot.name, now) if seen is None else seen
    window = Window(start=now - SPAN, end=now)
    lasting = {clock.slot for clock, _ in seen if clock.beyond}
    found = []
    for one in reversed(findings(connection, pilot.name, window, kind="clock")):
        found.append(
            Off(
                slot=one.slot,
                window=one.window,
                offset=off_text(one.value, words),
                refused=one.detail.get("rule") == "refused",
                lasting=one.slot in lasting,
            )
        )
        lasting.discard(one.slot)
    return Clocks(
        window=window,
        threshold=words.duration(settings().clock_threshold_s),
        rows=tuple(_row(clock, hours, window, words) for clock, hours in seen),
        found=tuple(found[:_MOST]),
        more=max(0, len(found) - _MOST),
    )


def _row(clock: SlotClock, hours: Sequence[Judged], window: Window, words: Wording) -> Row:
    why = words.say(_WHY[clock.note]) if clock.note in _WHY else ""
    if clock.note in ("gathered", "late") and clock.slow_at_most_s is not None:
        why = f"{why} {_at_most(clock.slow_at_most_s, words)}"
    return Row(
        slot=clock.slot,
        light=LIGHTS[clock.note],
        offset=off_text(clock.offset_s, words) if clock.offset_s is not None else "",
        why=why,
        drift=_drift(clock, words),
        basis=words.say(N_("%(n)s시간의 자료"), n=words.count(clock.hours))
        if clock.drift_s_per_day is not None
        else "",
        line=_line(hours, window, words),
    )


def off_text(offset_s: float | None, words: Wording) -> str:
    """How far a clock is off: ``1분 30초 빠름``; no nearer than it can be known."""
    if offset_s is None:
        return words.say("알 수 없음")
    if abs(offset_s) <= RESOLUTION_S:
        return words.say(N_("1초 이내"))
    said = N_("%(length)s 빠름") if offset_s < 0 else N_("%(length)s 느림")
    return words.say(said, length=_seconds(abs(offset_s), words))


def _seconds(seconds: float, words: Wording) -> str:
    return f"{seconds:.1f}{unit_text_of_seconds(words.language)}" if seconds < 10 else words.duration(seconds)


def _at_most(slow_s: float, words: Wording) -> str:
    if slow_s < 0:
        return words.say(N_("적어도 %(length)s 빠릅니다."), length=_seconds(-slow_s, words))
    return words.say(N_("느리더라도 %(length)s 이내입니다."), length=_seconds(slow_s, words))


def _drift(clock: SlotClock, words: Wording) -> str:
    rate, ppm = clock.drift_s_per_day, clock.drift_ppm
    if rate is None or ppm is None:
        return words.say(N_("%(n)s시간이 안 되어 모름"), n=DRIFT_HOURS) if clock.offset_s is not None else ""
    if abs(rate) * clock.hours / 24 < RESOLUTION_S:
        return words.say(N_("재기에는 너무 작음"))
    said = N_("하루 %(length)s씩 느려짐 (%(ppm)s ppm)") if rate > 0 else N_("하루 %(length)s씩 빨라짐 (%(ppm)s ppm)")
    length = f"{abs(rate):.2f}{unit_text_of_seconds(words.language)}" if abs(rate) < 10 else words.duration(abs(rate))
    return words.say(said, length=length, ppm=f"{abs(ppm):,.0f}" if abs(ppm) >= 10 else f"{abs(ppm):.1f}")


def _line(hours: Sequence[Judged], window: Window, words: Wording) -> Line | None:
    known = [(hour.hour_us, -hour.offset_s, hour) for hour in hours if hour.offset_s is not None]
    if len(known) < 2:
        return None
    threshold_s = settings().clock_threshold_s
    low = min(-_LEAST_ROOM_S, *(ahead for _, ahead, _ in known))
    high = max(_LEAST_ROOM_S, *(ahead for _, ahead, _ in known))
    limits = [edge for edge in (-threshold_s, threshold_s) if low <= edge * 0.5 <= high]
    low, high = min(low, *limits, low), max(high, *limits, high)

    def x(at_us: int) -> float:
        return round(_MARGIN + (at_us - window.start_us) / (window.end_us - window.start_us) * (WIDTH - 2 * _MARGIN), 1)

    def y(ahead_s: float) -> float:
        return round(_MARGIN + (high - ahead_s) / (high - low) * (HEIGHT - 2 * _MARGIN), 1)

    runs: list[list[str]] = []
    last_us = -1
    for at_us, ahead_s, _ in known:
        if at_us - last_us > HOUR_US or not runs:
            runs.append([])
        # In the middle of its hour.
        runs[-1].append(f"{x(at_us + HOUR_US // 2)},{y(ahead_s)}")
        last_us = at_us
    ends = sorted(hour.offset_s for _, _, hour in known if hour.offset_s is not None)
    return Line(
        runs=tuple(" ".join(run if len(run) > 1 else run * 2) for run in runs),
        beyond=tuple((x(start), round(x(end) - x(start), 1)) for start, end in _beyond(hours)),
        zero=y(0.0),
        limits=tuple(y(edge) for edge in limits),
        extent=_extent(ends[0], ends[-1], words),
    )


def _extent(least_s: float, most_s: float, words: Wording) -> str:
    least, most = off_text(least_s, words), off_text(most_s, words)
    return least if least == most else f"{least} ~ {most}"


def _beyond(hours: Sequence[Judged]) -> list[tuple[int, int]]:
    """The hours beyond the threshold, those that touch joined."""
    found: list[tuple[int, int]] = []
    for hour in hours:
        if hour.state not in BEYOND:
            continue
        end_us = hour.hour_us + HOUR_US
        if found and found[-1][1] == hour.hour_us:
            found[-1] = (found[-1][0], end_us)
        else:
            found.append((hour.hour_us, end_us))
    return found

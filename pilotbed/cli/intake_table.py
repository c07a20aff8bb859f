"""The account of a day for people: two tables with units, the reasons, what never came, and whether the sums hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo

import typer

from core.language import date_text, duration_text, time_text
from core.numbers import printed
from core.window import Window
from dashboards.reasons import few_words
from pilotbed.cli.tables import columns
from pilotbed.cli.tables import show as show_tables
from telemetry.account import Account, ConnectionDay, Delay, Gap, Identity, SlotDay, Timing

_CONNECTIONS: Final = {
    "ko": ("통신 연결", "받은 메시지(건)", "저장 처리(건)", "수신 보류(건)", "재전달(건)", "보낸 번호(건)", "유실(건)",
           "반복(건)", "브로커 거부(건)", "크기"),
    "en": ("connection", "delivered", "committed", "quarantined", "redelivered", "sent (numbers)", "missing", "repeated",
           "denied at the broker", "size"),
}  # fmt: skip
_SLOTS: Final = {
    "ko": ("설치 지점", "기대(건)", "해석(건)", "저장(건)", "중복(건)", "상이값 중복(건)", "거부(건)",
           "지연 p50 · p95 · p99(초)", "가장 긴 공백", "자료획득률"),
    "en": ("slot", "expected", "decoded", "stored", "duplicate", "conflict", "rejected", "delay p50 · p95 · p99 (s)",
           "longest gap", "completeness"),
}  # fmt: skip
_WORDS: Final = {
    "ko": {
        "total": "합계", "so_far": "지금까지", "simulated": "모의 자료", "quarantined": "수신 보류", "rejected": "거부",
        "denied": "브로커 거부", "unattributed": "누구 것인지 알 수 없는 브로커 거부", "nobody": "주인 없는 토픽의 메시지",
        "missing": "유실 번호", "gap": "가장 긴 공백", "balanced": "수지 일치", "unbalanced": "수지 불일치",
        "past": "보존 기간이 지나 대조하지 않음",
    },
    "en": {
        "total": "total", "so_far": "so far", "simulated": "simulated data", "quarantined": "quarantined",
        "rejected": "rejected", "denied": "denied at the broker", "unattributed": "denied at the broker, of nobody known",
        "nobody": "messages on topics of nobody", "missing": "missing numbers", "gap": "longest gap",
        "balanced": "the account balances", "unbalanced": "the account does not balance",
        "past": "past retention, not compared",
    },
}  # fmt: skip


def show(account: Account, language: str) -> None:
    """Print an account."""
    words, total = _WORDS[language], account.totals
    notes = [] if account.over else [words["so_far"]]
    notes += [words["simulated"]] if account.simulated else []
    typer.echo(" · ".join([account.pilot, date_text(account.day, language), account.zone, *notes]))
    messages = columns(*_CONNECTIONS[language])
    for connection in account.connections:
        messages.add_row(*_connection(connection))
    messages.add_row(
        words["total"], *map(_count, (
            total.delivered, total.committed, total.quarantined, total.redelivered, total.sent, total.missing,
            total.repeated, sum(total.denied.values()),
        )), _size(total.payload_bytes),
    )  # fmt: skip
    readings = columns(*_SLOTS[language])
    for slot in account.slots:
        readings.add_row(*_slot(slot, language))
    readings.add_row(
        words["total"], *map(_count, (
            total.expected, total.decoded, total.stored, total.duplicate, total.conflict, total.rejected)),
        *_timing(total.timing, language),
    )  # fmt: skip
    show_tables(messages)
    typer.echo("")
    show_tables(readings)
    for line in _notes(account, language):
        typer.echo(line)


def _connection(one: ConnectionDay) -> list[str]:
    repeated = sum(numbers.repeated for numbers in one.numbers) if one.numbers else None
    counts = (one.delivered, one.committed, one.quarantined, one.redelivered, one.sent, one.missing, repeated)
    return [one.connection, *map(_count, counts), _count(sum(one.denied.values())), _size(one.payload_bytes)]


def _slot(one: SlotDay, language: str) -> list[str]:
    counts = (one.expected, one.decoded, one.stored, one.duplicate, one.conflict, one.rejected)
    return [one.slot, *map(_count, counts), *_timing(one.timing, language)]


def _timing(timing: Timing | None, language: str) -> list[str]:
    if timing is None:
        return ["–", "–", "–"]
    share = "–" if timing.completeness is None else f"{printed(100 * timing.completeness, '%')} %"
    return [_delay(timing.delay), "–" if timing.gap is None else duration_text(timing.gap.seconds, language), share]


def _delay(delay: Delay | None) -> str:
    return "–" if delay is None else f"{delay.p50_s:.3f} · {delay.p95_s:.3f} · {delay.p99_s:.3f}"


def _notes(account: Account, language: str) -> list[str]:
    words, zone = _WORDS[language], ZoneInfo(account.zone)
    lines = []
    for connection in account.connections:
        for name, counts in (("quarantined", connection.quarantined_by_reason), ("denied", connection.denied)):
            lines += _reasons(f"{words[name]} {connection.connection}", counts, language)
        for numbers in connection.numbers:
            if numbers.missing:
                told = ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in numbers.missing_ranges)
                lines.append(f"{words['missing']} {connection.connection} {numbers.boot}: {numbers.missing:,} ({told})")
    for slot in account.slots:
        lines += _reasons(f"{words['rejected']} {slot.slot}", slot.rejected_by_reason, language)
    lines += _reasons(words["nobody"], account.nobody, language)
    lines += _reasons(words["unattributed"], account.denied_unattributed, language)
    timing = account.totals.timing
    if timing is not None and timing.gap is not None:
        lines.append(f"{words['gap']}: {_gap(timing.gap, zone, language)}")
    lines += [
        f"{'–' if one.past_retention else '✓' if one.holds else '✕'} {words[_outcome(one)]}: {one.rule}"
        + (f" ({', '.join(one.broken)})" if one.broken else "")
        for one in account.identities
    ]
    return lines


def _outcome(one: Identity) -> str:
    return "past" if one.past_retention else "balanced" if one.holds else "unbalanced"


def _reasons(title: str, counts: Mapping[str, int], language: str) -> list[str]:
    if not counts:
        return []
    return [f"{title}: " + ", ".join(f"{few_words(code, language)} {n:,}" for code, n in counts.items())]


def _gap(gap: Gap, zone: ZoneInfo, language: str) -> str:
    return f"{gap.channel} {duration_text(gap.seconds, language)} ({_times(gap.window, zone, language)})"


def _times(window: Window, zone: ZoneInfo, language: str) -> str:
    start, end = (time_text(at, zone, language, seconds=True) for at in (window.start, window.end))
    return f"{start} ~ {end}"


def _count(n: int | None) -> str:
    return "–" if n is None else f"{n:,}"


def _size(n: int) -> str:
    for step, name in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")):
        if n >= step:
            return f"{n / step:.1f} {name}"
    return f"{n} B"

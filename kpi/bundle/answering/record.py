"""Answers out of the platform's record of itself: when intake was heard of."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from core.sql import load
from kpi.bundle.answering.basis import Asked, Basis, Blocks, Row
from kpi.bundle.known import Word

_RECORD = load("telemetry", "platform_record.sql")


def blocks(basis: Basis) -> Blocks:
    words = basis.known.words
    return {
        _RECORD["alive"]: lambda asked: _alive(words, asked),
        _RECORD["going_on"]: lambda asked: _going_on(words, asked),
        _RECORD["known_since"]: lambda asked: _known_since(words, asked),
    }


class _Span(NamedTuple):
    lower: datetime
    upper: datetime


def _alive(words: list[Word], asked: Asked) -> list[Row]:
    start, end = asked["start"], asked["end"]
    spans = [
        _Span(max(lower, start), min(upper, end))
        for word in words
        if word.from_at < end and word.until_at > start and word.recorded_at <= asked["as_of"]
        for lower, upper in word.heard
    ]
    return [{"heard": [span for span in spans if span.lower < span.upper]}]


def _going_on(words: list[Word], asked: Asked) -> list[Row]:
    as_of = asked["as_of"]
    since = as_of - timedelta(seconds=asked["within_s"])
    newest: dict[str, Word] = {}
    for word in words:
        if since < word.until_at <= as_of and word.recorded_at <= as_of:
            last = newest.get(word.process)
            if last is None or (word.until_at, word.record_id) > (last.until_at, last.record_id):
                newest[word.process] = word
    return [{"until": max((word.until_at for word in newest.values() if word.goes_on), default=None)}]


def _known_since(words: list[Word], asked: Asked) -> list[Row]:
    as_of = asked["as_of"]
    said = [word.heard[0][0] for word in words if word.heard and (as_of is None or word.recorded_at <= as_of)]
    return [{"since": min(said, default=None)}]

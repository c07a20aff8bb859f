"""Which windows of a slot are to be labelled: drawn from seed, slot and time alone, so that anybody can draw them again.

Windows begin at the whole multiples of their length since 1970-01-01T00:00:00Z (with 10 minutes, at every :00, :10, :20 …). The
window that begins at ``t`` is drawn if

    SHA-256("{seed}|{slot}|{t}") < fraction

where ``t`` is written as ``2026-03-01T00:10:00Z``, and the first eight bytes of the hash, read as a big-endian number and divided
by 2^64, are the left side. Each window is so drawn by itself (Bernoulli sampling): a longer pilot, an outage or another slot
changes nothing about the others.

:source: Särndal, Swensson and Wretman, Model Assisted Survey Sampling (1992), 3.2; numbers from hashes of seed and item:
   Rivest's sampler for election audits (2011).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from fractions import Fraction

from core.units import parse_quantity
from core.window import instant
from devices.plan.detection_measures import TruthSample
from kpi.stretches import Stretches, intersection, joined

_BYTES = 8


def fraction_of(sample: TruthSample) -> Fraction:
    """How many of the windows are drawn, exactly: ``5 %`` is a twentieth.

    >>> fraction_of(TruthSample(window="10 min", fraction="5 %", seed=7))
    Fraction(1, 20)
    """
    value, unit = parse_quantity(sample.fraction)
    return Fraction(repr(value)) / (100 if unit == "%" else 1)


def is_drawn(seed: int, slot: str, start_us: int, fraction: Fraction) -> bool:
    """Whether the window of a slot that begins at an instant is to be labelled.

    >>> is_drawn(7, "cam-1", 1772323200_000_000, Fraction(1)), is_drawn(7, "cam-1", 1772323200_000_000, Fraction(1, 10**9))
    (True, False)
    """
    text = f"{seed}|{slot}|{instant(start_us):%Y-%m-%dT%H:%M:%SZ}"
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:_BYTES], "big")
    return Fraction(number, 1 << (8 * _BYTES)) < fraction


def windows_drawn(sample: TruthSample, slot: str, time: Stretches) -> Iterator[tuple[int, int]]:
    """The windows to be labelled of all that have a part in ``time``, in the order of time, each whole.

    >>> half = TruthSample(window="10 min", fraction="50 %", seed=7)
    >>> [start // 600_000_000 for start, _ in windows_drawn(half, "cam-1", ((0, 6_000_000_000),))]
    [3, 7, 8, 9]
    """
    length, fraction = sample.window_us, fraction_of(sample)
    last = None
    for start_us, end_us in time:
        at_us = start_us // length * length
        while at_us < end_us:
            if at_us != last and is_drawn(sample.seed, slot, at_us, fraction):
                yield at_us, at_us + length
            last = at_us
            at_us += length


def inside(windows: Stretches, time: Stretches) -> Stretches:
    """The part of windows that lies in ``time``; neighbouring windows are one stretch."""
    return intersection(joined(windows), time)

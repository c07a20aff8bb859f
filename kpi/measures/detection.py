"""Alerts against truth labels: recall, precision, F1, and the share of false alarms, in %.

Every label of something that happened, and every alert that no label explains, is one *outcome*: ``matched``, ``missed`` or
``false_alarm`` (``kpi/measures/matching.py``). A pair counts where its label began, a false alarm where its alert did.

| stat | formula |
|---|---|
| ``recall`` | matched / (matched + missed) |
| ``precision`` | matched / (matched + false) |
| ``false_rate`` | false / (matched + false) |
| ``f1`` | 2·matched / (2·matched + false + missed) |

Sampled truth: only outcomes in windows that were drawn and labelled count. Each stands for as much required time of its slot as
there is for each labelled second of that slot, so that a slot with more unlabelled windows weighs no less.

Interval: Clopper and Pearson (1934) of the share, of n/DEFF for events of daily operation, divided by the design effect of
unequal weights (Kish, Survey Sampling (1965), 11.7). F1 goes through J = matched / (matched + false + missed), which is a
proportion, and F1 = 2J/(1 + J), which grows with it: the bounds of J become those of F1. That the windows drawn are a part of
all is not used: the interval is rather too wide.

Labels of two readers: the value is that of the first. Where they disagree, both ways of reading are ends between which the value
lies, and so are outcomes that nobody can be charged with, in and out. Unit: %. Source: docs/kpi.md, "Detection".
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Literal

from kpi.measurement import Measurement, Number, Trials, completeness, ratio
from kpi.measures.matching import Mark

Outcome = Literal["matched", "missed", "false_alarm"]
Stat = Literal["recall", "precision", "f1", "false_rate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One line of the list of pairs."""

    at_us: int
    outcome: Outcome
    alert: Mark | None
    label: Mark | None
    doubtful: bool = False
    """Nobody knows whether it counts: its device was silent and no record says why, or an attribute is not there."""
    down: bool = False
    """Missed while the device was down, which is the company's."""


Dated = tuple[date, Judged]
"""With the calendar day in the pilot's zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionPart:
    """One slot in one stretch of required time."""

    outcomes: tuple[Dated, ...]
    """By the labels of the first readers."""
    otherwise: tuple[Dated, ...] | None
    """By those of the second readers where there are two; None where nothing is labelled twice."""
    readings: tuple[tuple[bool, bool], ...] = ()
    """Of each thing that two people labelled: whether the first, and the second, says that something happened."""
    once: int = 0
    """How many windows or labels there are that could have been labelled twice, those that were among them."""
    required_us: int
    labelled_us: int
    """Of it: in windows that were drawn and labelled; all of it without a sample."""
    obtained: float
    expected: float
    """Of completeness: labelled and drawn time; without a sample, connected and required time."""
    sampled: bool = False
    complete: bool = False
    """Whether every event has its label, so that nothing can be missing from the labels."""
    notes: Mapping[str, int] = field(default_factory=dict)
    """Labels that do not count, windows without a label …, by the keys of ``kpi/reasons.py``."""
    company_us: int = 0
    platform_us: int = 0
    site_us: int = 0
    nobody_us: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    """Successes and trials of one slot, by day, with what each of them stands for."""

    days: tuple[tuple[int, int], ...]
    weight: Fraction

    @property
    def successes(self) -> int:
        return sum(k for k, _ in self.days)

    @property
    def trials(self) -> int:
        return sum(n for _, n in self.days)


def measure(
    parts: Sequence[DetectionPart],
    weeks: Sequence[tuple[float, Sequence[DetectionPart]]] = (),
    *,
    stat: Stat,
    designed: bool = False,
    double: float | None = None,
) -> Measurement:
    """The statistic over all slots together.

    :param parts: one a slot.
    :param weeks: not used: events have an interval of their own.
    :param designed: staged tests, independent of each other.
    :param double: how many of the windows or labels two people were to label, 0 to 1.

    Eight falls of ten were alerted, and twice an alert came without a fall: J = 8/12, F1 = 16/20.

    >>> day = date(2026, 3, 1)
    >>> kinds: list[Outcome] = ["matched"] * 8 + ["missed"] * 2 + ["false_alarm"] * 2
    >>> heard = tuple((day, Judged(at_us=i, outcome=kind, alert=None, label=None)) for i, kind in enumerate(kinds))
    >>> part = DetectionPart(outcomes=heard, otherwise=None, required_us=10, labelled_us=10, obtained=1, expected=1)
    >>> [measure([part], stat=stat, designed=True).value for stat in ("recall", "precision", "f1", "false_rate")]
    [80.0, 80.0, 80.0, 20.0]
    """
    del weeks
    counted = _counted(parts, stat)
    share = _share(counted)
    value = None if share is None else _percent(share, stat)
    ends = [value, *(_percent(one, stat) for one in _other_shares(parts, stat))]
    known = [end for end in ends if end is not None]
    n = sum(one.trials for one in counted)
    whole = stat == "recall" and all(part.complete for part in parts)
    low, high = (min(known), max(known)) if value is not None else (None, None)
    return Measurement(
        value=value,
        unit="%",
        n=n,
        completeness=completeness([part.obtained for part in parts], [part.expected for part in parts]),
        low=low,
        high=high,
        # Where every event has its label, what was not heard of is missed already.
        fill_low=low if whole else None,
        fill_high=high if whole else None,
        bounded=True,
        trials=None
        if share is None
        else Trials(
            successes=sum(one.successes for one in counted),
            trials=n,
            days=tuple(day for one in counted for day in one.days),
            designed=designed,
            share=float(share),
            weighing=_weighing(counted),
            form="f1" if stat == "f1" else "share",
        ),
        lacks=_LACKING[stat] if value is None else "",
        open_by="labels" if _differ(parts) and not _doubtful(parts) else "silence",
        facts=_facts(parts, double),
    )


def f1_of(share: float) -> float:
    """F1 from J = matched / (matched + false + missed), 0 to 1.

    >>> f1_of(1.0), f1_of(0.0), round(f1_of(8 / 12), 12)
    (1.0, 0.0, 0.8)
    """
    return 2 * share / (1 + share)


def _percent(share: Fraction, stat: Stat) -> float:
    found = 2 * share / (1 + share) if stat == "f1" else share
    # 95 of 100 are 95.0, as where there is nothing to weigh.
    return ratio(found.numerator, found.denominator)


_COUNTS: Mapping[Stat, tuple[frozenset[Outcome], Outcome]] = {
    "recall": (frozenset({"matched", "missed"}), "matched"),
    "precision": (frozenset({"matched", "false_alarm"}), "matched"),
    "false_rate": (frozenset({"matched", "false_alarm"}), "false_alarm"),
    "f1": (frozenset({"matched", "missed", "false_alarm"}), "matched"),
}
"""Which outcomes are trials, and which of them a success."""


_LACKING: Mapping[Stat, str] = {
    "recall": "positives", "precision": "alerts", "false_rate": "alerts", "f1": "labels",
}  # fmt: skip
"""What there is none of where there is no value; a key of ``kpi/reasons.py``."""


def _counted(
    parts: Sequence[DetectionPart], stat: Stat, *, otherwise: bool = False, doubtful: bool = False
) -> list[_Count]:
    """:param otherwise: by the second readers; :param doubtful: with what nobody can be charged with."""
    trials, success = _COUNTS[stat]
    found = []
    for part in parts:
        outcomes = part.otherwise if otherwise and part.otherwise is not None else part.outcomes
        daily: dict[date, list[int]] = defaultdict(lambda: [0, 0])
        for day, one in outcomes:
            if one.outcome in trials and (doubtful or not one.doubtful):
                daily[day][0] += one.outcome == success
                daily[day][1] += 1
        weight = Fraction(part.required_us, part.labelled_us) if part.sampled and part.labelled_us else Fraction(1)
        found.append(_Count(days=tuple((k, n) for _, (k, n) in sorted(daily.items())), weight=weight))
    return found


def _share(counted: Sequence[_Count]) -> Fraction | None:
    trials = sum((one.weight * one.trials for one in counted), Fraction(0))
    return sum((one.weight * one.successes for one in counted), Fraction(0)) / trials if trials else None


def _weighing(counted: Sequence[_Count]) -> float:
    """The design effect of unequal weights, 1 where all weigh alike."""
    n = sum(one.trials for one in counted)
    square = sum(one.weight**2 * one.trials for one in counted)
    total = sum(one.weight * one.trials for one in counted)
    return float(n * square / total**2) if total else 1.0


def _doubtful(parts: Sequence[DetectionPart]) -> bool:
    return any(one.doubtful for part in parts for _, one in part.outcomes)


def _differ(parts: Sequence[DetectionPart]) -> bool:
    return any(first != second for part in parts for first, second in part.readings)


def _other_shares(parts: Sequence[DetectionPart], stat: Stat) -> list[Fraction]:
    """The other ways to read: by the second readers, and with what nobody can be charged with."""
    twice = any(part.otherwise is not None for part in parts)
    ways = [(False, True), *([(True, False), (True, True)] if twice else [])]
    found = (_share(_counted(parts, stat, otherwise=otherwise, doubtful=doubtful)) for otherwise, doubtful in ways)
    return [one for one in found if one is not None]


def cohens_kappa(readings: Sequence[tuple[bool, bool]]) -> float | None:
    """How much better two readers agree than by chance; None where chance alone would have them agree.

    :source: Cohen, Educational and Psychological Measurement 20 (1960) 37.

    >>> found = cohens_kappa([(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15)
    >>> round(found, 12)
    0.4
    """
    n = len(readings)
    if not n:
        return None
    first, second = (sum(one[place] for one in readings) for place in (0, 1))
    by_chance = Fraction(first * second + (n - first) * (n - second), n * n)
    agreed = Fraction(sum(one == other for one, other in readings), n)
    return None if by_chance == 1 else float((agreed - by_chance) / (1 - by_chance))


def _facts(parts: Sequence[DetectionPart], double: float | None) -> dict[str, Number]:
    found: dict[str, Number] = {
        outcome: sum(one.outcome == outcome and not one.doubtful for part in parts for _, one in part.outcomes)
        for outcome in ("matched", "missed", "false_alarm")
    }
    found["missed_down"] = sum(one.down for part in parts for _, one in part.outcomes)
    found["uncharged"] = sum(one.doubtful for part in parts for _, one in part.outcomes)
    for part in parts:
        for name, count in part.notes.items():
            found[name] = found.get(name, 0) + count
    readings = [one for part in parts for one in part.readings]
    found["doubled"] = len(readings)
    found["disagreed"] = sum(first != second for first, second in readings)
    if double is not None:
        due = math.ceil(Fraction(repr(double)) * sum(part.once for part in parts))
        found["double_lack"] = max(due - len(readings), 0)
    kappa = cohens_kappa(readings)
    if kappa is not None:
        found["kappa"] = kappa
    for name in ("company", "platform", "site", "nobody"):
        found[f"{name}_s"] = sum(getattr(part, f"{name}_us") for part in parts) / 1e6
    return found

"""The truth of one slot: what its labels say, which of them count, and what comes of holding the alerts against them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from core.units import parse_quantity
from core.window import micros
from devices.plan.detection_measures import Detection
from devices.plan.truth import Side
from kpi.measures.attributes import holds
from kpi.measures.detection import Judged
from kpi.measures.matching import Mark, Rule, matched, merged
from kpi.records.labels import Label
from kpi.stretches import Stretches, contains, joined

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One label, however it came."""

    id: str
    start_us: int
    end_us: int
    outcome: Literal["positive", "negative", "empty"]
    side: Side
    blind: bool
    second: bool
    attributes: Mapping[str, Any]

    @property
    def mark(self) -> Mark:
        return Mark(start_us=self.start_us, end_us=self.end_us, ids=(self.id,), attributes=self.attributes)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotTruth:
    """What the alerts and labels of one slot come to, over all of its time; windows cut it by the instants."""

    outcomes: tuple[Judged, ...]
    otherwise: tuple[Judged, ...] | None
    """By the second readers where there are two; None where nothing is labelled twice."""
    drawn: tuple[Span, ...] | None
    """The windows of the sample; None without one."""
    labelled: tuple[Span, ...] | None
    """Those of them that have a label."""
    readings: tuple[tuple[int, tuple[bool, bool]], ...]
    """When, and what the first and the second reader say."""
    once: tuple[int, ...]
    """When there is something that could be labelled twice."""
    notes: tuple[tuple[int, str], ...]
    """When there is a label or alert that does not count, and why."""


def rule_of(of: Detection) -> Rule:
    """How a plan's detection matches."""
    near = {name: float(parse_quantity(text)[0]) for name, text in of.near.items()}
    return Rule(within_us=of.within_us, merge_us=of.merge_us, same=of.same, near=near)


def slot_truth(of: Detection, alerts: Sequence[Mark], said: Iterable[Said], drawn: Sequence[Span] | None) -> SlotTruth:
    """Hold the alerts of a slot against its labels.

    :param drawn: the windows of the sample, in the order of time; None without one.
    """
    rule = rule_of(of)
    notes: list[tuple[int, str]] = []
    valid = [one for one in said if _counts(one, of, notes)]
    sampled = None if drawn is None else _Windows(drawn)
    if sampled is not None:
        valid = [one for one in valid if _in_sample(one, sampled, of.within_us, notes)]
    first = [one for one in valid if not one.second]
    second = [one for one in valid if one.second]
    labelled = None if sampled is None else sampled.with_label(first)
    joint = merged(alerts, rule)
    if sampled is None:
        readings, changed, once = _read_twice(first, second, rule)
    else:
        readings, changed, once = _windows_read_twice(sampled, first, second)
    covered = _covered(of, valid)
    outcomes, beyond = _judged(of, rule, joint, first, covered)
    return SlotTruth(
        outcomes=outcomes,
        otherwise=None if changed is None else _judged(of, rule, joint, changed, covered)[0],
        drawn=None if drawn is None else tuple(drawn),
        labelled=labelled,
        readings=readings,
        once=once,
        notes=(*notes, *((at_us, "unlabelled_alerts") for at_us in beyond)),
    )


def _counts(one: Said, of: Detection, notes: list[tuple[int, str]]) -> bool:
    """Whether the plan takes a label for the truth."""
    if one.side not in of.truth.sides:
        notes.append((one.start_us, "wrong_side"))
        return False
    if of.truth.blinded and not one.blind:
        notes.append((one.start_us, "not_blind"))
        return False
    return True


class _Windows:
    """The windows of a sample, by time."""

    def __init__(self, drawn: Sequence[Span]) -> None:
        self.drawn = drawn
        self.joined = joined(drawn)
        self._start = {start: (start, end) for start, end in drawn}
        self._length = drawn[0][1] - drawn[0][0] if drawn else 1

    def at(self, at_us: int) -> Span | None:
        """The window that an instant lies in."""
        return self._start.get(at_us // self._length * self._length)

    def near(self, at_us: int, within_us: int) -> bool:
        """Whether an instant lies in one, or so close to it that its label may belong to an alert there."""
        return any(self.at(one) is not None for one in (at_us, at_us - within_us, at_us + within_us))

    def of(self, one: Said) -> list[Span]:
        """The windows that a label is about: where it began, or all that an empty one covers."""
        if one.outcome != "empty" or one.start_us == one.end_us:
            found = self.at(one.start_us)
            return [] if found is None else [found]
        first = -(-one.start_us // self._length) * self._length
        starts = range(first, one.end_us - self._length + 1, self._length)
        return [self._start[start] for start in starts if start in self._start]

    def with_label(self, said: Iterable[Said]) -> tuple[Span, ...]:
        return tuple(sorted({window for one in said for window in self.of(one)}))


def windows_labelled(drawn: Sequence[Span], of: Detection, found: Iterable[Label]) -> tuple[Span, ...]:
    """The windows of a sample that have a label which counts, of one slot's labels."""
    said = [one for one in map(of_label, found) if not one.second and _counts(one, of, [])]
    return _Windows(drawn).with_label(said) if drawn else ()


def of_label(one: Label) -> Said:
    """A label that somebody recorded."""
    return Said(
        id=str(one.label_id),
        start_us=micros(one.start_at),
        end_us=micros(one.end_at),
        outcome=one.outcome,
        side=one.side,
        blind=one.blind,
        second=one.reader == 2,
        attributes={**one.attributes, **({"place": one.place} if one.place else {})},
    )


def _in_sample(one: Said, windows: _Windows, within_us: int, notes: list[tuple[int, str]]) -> bool:
    if windows.of(one) or (one.outcome != "empty" and windows.near(one.start_us, within_us)):
        return True
    notes.append((one.start_us, "outside_sample"))
    return False


def _covered(of: Detection, said: Sequence[Said]) -> Stretches | None:
    """Where an alert that no label explains is false; None: everywhere."""
    if of.everywhere:
        return None
    return joined((one.start_us - of.within_us, one.end_us + of.within_us + 1) for one in said)


def _judged(
    of: Detection, rule: Rule, alerts: Sequence[Mark], said: Sequence[Said], covered: Stretches | None
) -> tuple[tuple[Judged, ...], list[int]]:
    """The list of pairs, in the order of time, and when there were alerts of which no label tells anything.

    Labels that the KPI is about come first; what is left of the alerts may belong to one that it is not about, and is then
    nobody's business, or to one that says that nothing happened.
    """
    wanted: list[Mark] = []
    beside: list[Mark] = []
    unclear: set[str] = set()
    for one in said:
        held = holds(of.truth.where, one.attributes)
        if one.outcome == "positive":
            (beside if held is False else wanted).append(one.mark)
            if held is None:
                unclear.add(one.id)
    wanted, beside = merged(wanted, rule), merged(beside, rule)
    nothing = [one.mark for one in said if one.outcome == "negative"]
    found, left = _paired(alerts, wanted, rule, unclear)
    taken = {pair.alert for pair in matched(left, beside, rule)}
    left = [alert for place, alert in enumerate(left) if place not in taken]
    denied = {pair.alert: nothing[pair.label] for pair in matched(left, nothing, replace(rule, same=(), near={}))}
    beyond = []
    for place, alert in enumerate(left):
        if place in denied or covered is None or contains(covered, alert.start_us):
            found.append(Judged(at_us=alert.start_us, outcome="false_alarm", alert=alert, label=denied.get(place)))
        else:
            beyond.append(alert.start_us)
    return tuple(sorted(found, key=_order)), beyond


def _paired(
    alerts: Sequence[Mark], labels: Sequence[Mark], rule: Rule, unclear: set[str]
) -> tuple[list[Judged], list[Mark]]:
    """What became of each label, and the alerts that none of them has."""
    pairs = {pair.label: pair.alert for pair in matched(alerts, labels, rule)}
    found = []
    for place, label in enumerate(labels):
        alert = alerts[pairs[place]] if place in pairs else None
        found.append(
            Judged(
                at_us=label.start_us,
                outcome="missed" if alert is None else "matched",
                alert=alert,
                label=label,
                doubtful=not unclear.isdisjoint(label.ids),
            )
        )
    used = set(pairs.values())
    return found, [alert for place, alert in enumerate(alerts) if place not in used]


def _order(one: Judged) -> tuple[int, str, tuple[str, ...], tuple[str, ...]]:
    return one.at_us, one.outcome, one.label.ids if one.label else (), one.alert.ids if one.alert else ()


# --- Two readers


_Twice = tuple[tuple[tuple[int, tuple[bool, bool]], ...], "list[Said] | None", tuple[int, ...]]
"""What both say; the labels with the second reader's in the place of the first's; what could be read twice."""


def _windows_read_twice(windows: _Windows, first: Sequence[Said], second: Sequence[Said]) -> _Twice:
    by_first, by_second = windows.with_label(first), windows.with_label(second)
    both = sorted(set(by_first) & set(by_second))
    happened = [
        {window for one in said if one.outcome == "positive" for window in windows.of(one)} for said in (first, second)
    ]
    readings = tuple((window[0], (window in happened[0], window in happened[1])) for window in both)
    once = tuple(start for start, _ in by_first)
    if not both:
        return readings, None, once
    twice = joined(both)
    kept = [one for one in first if not contains(twice, one.start_us)]
    return readings, kept + [one for one in second if contains(twice, one.start_us)], once


def _read_twice(first: Sequence[Said], second: Sequence[Said], rule: Rule) -> _Twice:
    """Labels that stand for themselves: of the first reader's each is read twice that the second one's lie by."""
    mine = [one for one in first if one.outcome != "empty"]
    theirs = [one for one in second if one.outcome != "empty"]
    once = tuple(one.start_us for one in mine)
    if not second:
        return (), None, once
    pairs = matched([one.mark for one in theirs], [one.mark for one in mine], Rule(within_us=rule.within_us))
    readings = [
        (mine[pair.label].start_us, (mine[pair.label].outcome == "positive", theirs[pair.alert].outcome == "positive"))
        for pair in pairs
    ]
    with_second, with_first = {pair.label for pair in pairs}, {pair.alert for pair in pairs}
    silent = joined((one.start_us, one.end_us) for one in second if one.outcome == "empty")
    denied = {place for place, one in enumerate(mine) if place not in with_second and contains(silent, one.start_us)}
    readings += [(mine[place].start_us, (mine[place].outcome == "positive", False)) for place in sorted(denied)]
    alone = [one for place, one in enumerate(theirs) if place not in with_first]
    readings += [(one.start_us, (False, one.outcome == "positive")) for one in alone]
    kept = [one for place, one in enumerate(mine) if place not in with_second | denied]
    return tuple(sorted(readings)), kept + theirs, once

"""What the pages about truth labels show: how far the labelling is, the labels themselves, and a file before it is taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from core.database import Connection
from core.language import N_
from core.window import Window
from dashboards.access import VisiblePilot
from devices.plan.detection import detections
from devices.plan.model import Plan
from kpi.inputs.truth import windows_labelled
from kpi.records.label_windows import sample_windows
from kpi.records.labels import Label, labels, truth_kinds

MOST: Final = 100
"""So many labels a page; all of them by the command line."""

OUTCOME_WORDS: Final = {
    "positive": N_("발생"), "negative": N_("미발생"), "empty": N_("이상 없음"),
}  # fmt: skip
SIDE_WORDS: Final = {
    "site": N_("수요처"), "company": N_("참여기업"), "team": N_("사업단"), "outside": N_("외부기관"),
}  # fmt: skip
PAIR_WORDS: Final = {
    "matched": N_("탐지"), "missed": N_("미탐지"), "false_alarm": N_("오경보"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleState:
    """How far the labelling of one KPI's sample is."""

    key: str
    name: str
    windows: int
    """Drawn and over."""
    labelled: int
    fraction: str
    length: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KindShown:
    """The labels of one kind."""

    kind: str
    name: str
    n: int
    """That count."""
    outcomes: dict[str, int]
    twice: int
    withdrawn: int
    samples: tuple[SampleState, ...]
    newest: tuple[Label, ...]


def kinds_shown(connection: Connection, pilot: VisiblePilot, plan: Plan) -> list[KindShown]:
    """The kinds of labels of a pilot, each with its newest labels."""
    found = labels(connection, pilot.name, withdrawn_too=True)
    return [_kind(plan, kind, [one for one in found if one.kind == kind]) for kind in truth_kinds(plan)]


def _kind(plan: Plan, kind: str, found: Sequence[Label]) -> KindShown:
    counting = [one for one in found if one.superseded_at is None]
    name = next((slot.events[kind].name for slot in plan.slots.values() if kind in slot.events), None)
    return KindShown(
        kind=kind,
        name=name or kind,
        n=len(counting),
        outcomes=dict(Counter(one.outcome for one in counting)),
        twice=sum(one.reader == 2 for one in counting),
        withdrawn=len(found) - len(counting),
        samples=tuple(_samples(plan, kind, counting)),
        newest=tuple(sorted(found, key=lambda one: one.label_id, reverse=True)[:MOST]),
    )


def _samples(plan: Plan, kind: str, counting: Sequence[Label]) -> list[SampleState]:
    now = datetime.now(UTC)
    seen = Window(start=plan.window.start, end=max(min(plan.window.end, now), plan.window.start))
    states = []
    for key, of in detections(plan.kpis).items():
        sample = of.truth.sample
        if of.truth.labels != kind or sample is None:
            continue
        drawn: dict[str, list[tuple[int, int]]] = {}
        for one in sample_windows(plan, key, seen):
            drawn.setdefault(one.slot, []).append((one.start_us, one.end_us))
        states.append(
            SampleState(
                key=key,
                name=plan.kpis[key].name,
                windows=sum(map(len, drawn.values())),
                labelled=sum(
                    len(windows_labelled(windows, of, [one for one in counting if one.slot == slot]))
                    for slot, windows in drawn.items()
                ),
                fraction=sample.fraction,
                length=sample.window,
            )
        )
    return states


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """The pairs of a result, as a page shows them."""

    n: int
    shown: int
    sha256: str
    rows: tuple[dict[str, Any], ...]
    kappa: float | None
    doubled: int
    disagreed: int


def matching_of(entry: Mapping[str, Any]) -> Matching | None:
    """The pairs behind an entry; None where it has none."""
    found = entry.get("matching")
    if found is None:
        return None
    facts = entry["facts"]
    rows = tuple(
        {
            **row,
            "label_at": _instant(row["label_at"]),
            "alert_at": _instant(row["alert_at"]),
        }
        for row in found["rows"]
    )
    return Matching(
        n=found["n"],
        shown=len(rows),
        sha256=found["sha256"],
        rows=rows,
        kappa=facts.get("kappa"),
        doubled=facts.get("doubled", 0),
        disagreed=facts.get("disagreed", 0),
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)

"""Results as the pages show them: read from the stored documents, never computed anew for a page.

Every number here is printed by the one rule of :mod:`core.numbers` from the document that the opinion is made of too, so
that page and document show the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from core.canonical import check_code
from core.database import Connection
from core.errors import NotFound
from core.language import N_, State, with_unit
from core.sql import load
from core.window import Window
from dashboards.access import VisiblePilot
from dashboards.kept import Documents
from dashboards.sparkline import Sparkline, sparkline
from dashboards.users import Person
from dashboards.wording import Wording
from devices.plan.target import Bounds
from kpi.compound import part_of
from kpi.reports.entries import answer_of, to_committee, without_of
from kpi.reports.scoring import left_open_text

_SQL = load("dashboards", "pilots.sql")
_kept: Final = Documents(most_bytes=24_000_000)
MONTHS: Final = 12
"""So many months are in a sparkline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The newest version of one stored result."""

    pilot_id: int
    kind: str
    label: str
    version: int
    plan_version: int
    as_of: datetime
    evaluated_at: datetime
    sha256: str
    code_version: str
    document: Mapping[str, Any]

    @property
    def check_code(self) -> str:
        return check_code(self.sha256)

    @property
    def window(self) -> Window:
        """What it judges."""
        window = self.document["window"]
        return Window(start=datetime.fromisoformat(window["start"]), end=datetime.fromisoformat(window["end"]))

    @property
    def kpis(self) -> Sequence[Mapping[str, Any]]:
        """Its entries, in the plan's order."""
        found: Sequence[Mapping[str, Any]] = self.document["kpis"]
        return found

    def entry(self, key: str) -> Mapping[str, Any] | None:
        """What it says of one KPI."""
        return next((entry for entry in self.kpis if entry["id"] == key), None)


def results(
    connection: Connection,
    person: Person,
    kind: str,
    *,
    pilot: VisiblePilot | None = None,
    since: str = "",
    label: str | None = None,
) -> list[Result]:
    """The newest versions of a kind's results, by pilot and label; of every visible pilot, or of one."""
    name = None if pilot is None else pilot.name
    rows = connection.execute(
        _SQL["latest_results"],
        {"person": person.person_id, "name": name, "kind": kind, "from": since, "label": label},
    ).fetchall()
    return _with_documents(connection, rows)


def one_version(
    connection: Connection, person: Person, pilot: VisiblePilot, kind: str, label: str, version: int | None = None
) -> Result:
    """One version of a result; the newest if none is named.

    :raises NotFound: there is none.
    """
    asked = {"person": person.person_id, "pilot": pilot.pilot_id, "kind": kind, "label": label, "version": version}
    rows = [] if "\0" in kind + label else connection.execute(_SQL["one_version"], asked).fetchall()
    if not rows:
        raise NotFound(f"Pilot {pilot.name!r} has no result {kind} {label}, version {version or 'any'}.")
    return _with_documents(connection, rows)[0]


def _with_documents(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[Result]:
    """Results are immutable: the document of one that was read before is not read again."""
    found = _kept.of(
        [(row["result_id"], row["sha256"], row["as_of"]) for row in rows],
        lambda ids: {
            row["result_id"]: row["document"] for row in connection.execute(_SQL["documents"], {"ids": ids}).fetchall()
        },
    )
    return [
        Result(document=document, **{key: value for key, value in row.items() if key != "result_id"})
        for row, document in zip(rows, found, strict=True)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What a KPI would be if something that people agreed on did not count."""

    name: str
    quantity: str
    state: State | None
    turns: bool
    """Whether the answer is another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The printed numbers of one KPI entry."""

    name: str
    required: bool
    weight: str
    target: str
    number: str
    unit: str
    has_value: bool
    quantity: str
    """Number and unit."""
    interval: str
    """With what kind of interval it is; empty where there is none to show."""
    month: str
    completeness: str
    incomplete: bool
    least: str
    n: str
    state: State | None
    why: str
    rule: str
    key: str = ""
    former: tuple[str, ...] = ()
    """The targets that it had before amendments, the oldest first."""
    committee: bool = False
    """Its verdict turns with what is left out of judgement: the committee decides."""
    left_open: str = ""
    """What becomes of a verdict that stays open."""
    beside: tuple[Beside, ...] = ()
    parts: tuple[str, ...] = ()
    """Of a KPI of several promises: each with its answer, in a line."""


_RULES: Final = {
    ("period", "estimate"): N_("실적 판정: 값으로 판정"),
    ("period", "confident"): N_("실적 판정: 귀책 불명 구간까지 보고 판정"),
    ("period", "guarded"): N_("실적 판정: 측정불확도를 보호대역으로 두고 판정"),
    ("capability", "estimate"): N_("표본 판정: 값으로 판정"),
    ("capability", "confident"): N_("표본 판정: 신뢰한계로 판정"),
    ("capability", "guarded"): N_("표본 판정: 신뢰한계와 측정불확도를 보호대역으로 두고 판정"),
}
_EVENTS: Final = dict.fromkeys(
    ("event_ratio", "event_rate", "count", "event_duration", "mtbf", "detection"), N_("%(n)s건")
)
_COUNTED: Final = _EVENTS | {
    "availability": N_("측정값 %(n)s건"),
    "sequence": N_("프레임 %(n)s개"),
    "manual": N_("%(n)s건"),
    "agreement": N_("비교값 %(n)s개"),
}


def figures(entry: Mapping[str, Any], words: Wording) -> Figures:
    """A KPI entry of a result, printed."""
    unit, target = entry["unit"], bounds_of(entry["target"], entry["unit"])
    month = entry.get("month")
    shown = entry if month is None else month
    least = entry["minimum_completeness"] * 100
    floor = Bounds(low=least, high=math.inf, low_closed=True, high_closed=False, unit="%", text="")
    completeness = shown["completeness"]
    code = entry.get("status") or entry.get("verdict")
    number = words.number(entry["value"], unit, target)
    weight = entry["weight"]
    return Figures(
        name=entry["name"],
        required=entry["required"],
        weight=f"{weight:g}" if weight else "",
        target=entry["target"][words.language],
        number=number,
        unit=words.unit(unit),
        has_value=entry["value"] is not None,
        quantity=with_unit(number, unit, words.language),
        interval=_interval(entry, target, words),
        month="" if month is None else words.quantity(month["value"], unit, target),
        completeness="" if completeness is None else words.quantity(completeness * 100, "%", floor),
        incomplete=completeness is not None and completeness * 100 < least,
        least=words.quantity(least, "%"),
        n=_counted(entry, words),
        state=words.state(code),
        why=entry["why"][words.language],
        rule=words.say(_RULES[entry["scope"], entry["decision"]]),
        key=entry.get("id", ""),
        former=tuple(row[words.language] for row in (entry.get("targets") or ())[:-1]),
        committee=to_committee(entry),
        left_open=left_open_text(entry.get("if_inconclusive"), words.say),
        beside=tuple(_beside(entry, target, words)),
        parts=tuple(_part(part, words) for part in entry.get("parts") or ()),
    )


_WITHOUT: Final[tuple[tuple[Literal["exclusions", "outages", "conditions"], str], ...]] = (
    ("exclusions", N_("평가 제외를 빼지 않으면")),
    ("outages", N_("합의한 장애를 빼지 않으면")),
    ("conditions", N_("적용 환경 밖의 시간을 빼지 않으면")),
)


def _beside(entry: Mapping[str, Any], target: Bounds, words: Wording) -> Iterator[Beside]:
    """Both numbers: with and without what people agreed on. Of a verdict that exclusions turn, also the one with them."""
    unit = entry["unit"]
    turned = entry.get("with_exclusions")
    if turned is not None and turned.get("part") == entry.get("part"):
        yield Beside(
            name=words.say(N_("평가 제외를 빼면")),
            quantity=words.quantity(turned["value"], unit, target),
            state=words.state(answer_of(turned)),
            turns=True,
        )
    for what, name in _WITHOUT:
        other = without_of(entry, what)
        if other is not None and (other.cumulative != entry["value"] or other.status != answer_of(entry)):
            quantity = words.quantity(other.cumulative, unit, target)
            turns = other.status != answer_of(entry)
            yield Beside(name=words.say(name), quantity=quantity, state=words.state(other.status), turns=turns)


def _part(part: Mapping[str, Any], words: Wording) -> str:
    state = words.state(answer_of(part))
    number = words.quantity(part["value"], part["unit"], bounds_of(part["target"], part["unit"]))
    told = "" if state is None else f"{state.mark} {state.word(words.language)}"
    return f"{part['name']} {number} ({part['target'][words.language]}) {told}"


def _counted(entry: Mapping[str, Any], words: Wording) -> str:
    n = entry["n"]
    if n and "days" in (entry.get("change") or {}):
        return words.say(N_("%(n)s일"), n=words.count(n))
    return "" if not n else words.say(_COUNTED.get(entry["measure"], N_("측정값 %(n)s건")), n=words.count(n))


def _interval(entry: Mapping[str, Any], target: Bounds, words: Wording) -> str:
    """As the opinion prints it: what uncharged silence may come to, else what chance may have done. On a period chance
    has no part in the decision, so there it is for reference."""
    found = entry["interval"]
    period = entry["scope"] == "period"
    if period and (found is None or found["method"] == "none"):
        found = entry["sampling"]
    if found is None or found["method"] == "none":
        return ""
    ends = with_unit(words.interval(found["low"], found["high"], entry["unit"], target), entry["unit"], words.language)
    if found["alpha"] is None:
        unclear = found["method"] == "unclear"
        return words.say(N_("확인되지 않은 범위 %(ends)s") if unclear else N_("귀책 불명 구간 %(ends)s"), ends=ends)
    level = f"{100 * (1 - found['alpha']):.3g} %"
    said = N_("참고: 신뢰한계(한쪽 %(level)s) %(ends)s") if period else N_("신뢰한계(한쪽 %(level)s) %(ends)s")
    return words.say(said, level=level, ends=ends)


def bounds_of(target: Mapping[str, Any], unit: str) -> Bounds:
    """The target of an entry, in the entry's unit."""
    return Bounds(
        low=-math.inf if target["low"] is None else target["low"],
        high=math.inf if target["high"] is None else target["high"],
        low_closed=target["low_closed"],
        high_closed=target["high_closed"],
        unit=unit,
        text=target["text"],
    )


def trend(key: str, months: Sequence[Result], words: Wording, *, width: int, height: int) -> Sparkline | None:
    """The monthly values of one KPI as a small line; None before there are two months."""
    shown = months[-1].entry(key) if months else None
    number = None if shown is None else shown.get("part")
    entries = [None if (entry := month.entry(key)) is None else part_of(entry, number) for month in months[-MONTHS:]]
    known = [entry for entry in entries if entry is not None and entry["month"]["value"] is not None]
    if len(known) < 2:
        return None
    last = known[-1]
    target = bounds_of(last["target"], last["unit"])
    values = [None if entry is None else entry["month"]["value"] for entry in entries]
    edge = target.low if math.isfinite(target.low) else target.high
    said = words.say(
        N_("%(n)s개월의 추이, 마지막 달 %(value)s, 목표 %(target)s"),
        n=len(entries),
        value=words.quantity(last["month"]["value"], last["unit"], target),
        target=last["target"][words.language],
    )
    return sparkline(values, edge if math.isfinite(edge) else None, said, width=width, height=height)

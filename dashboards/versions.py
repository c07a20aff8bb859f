"""The versions of a result: what made each differ from the one before, and which numbers changed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.canonical import check_code
from core.database import Connection
from core.language import N_, with_unit
from core.sql import load
from dashboards.access import VisiblePilot
from dashboards.judged import Result, bounds_of
from dashboards.users import Person
from dashboards.wording import Wording
from devices.plan.target import Bounds
from kpi.reports.causes import cause_text

_SQL = load("dashboards", "pilots.sql")
MOST: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One number that is another."""

    kpi: str
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a result."""

    version: int
    plan_version: int
    code_version: str
    as_of: datetime
    evaluated_at: datetime
    check_code: str
    provisional: bool
    causes: tuple[str, ...]
    """Empty: it is the first."""
    changes: tuple[Change, ...]
    shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """The versions of a result, the newest first."""

    rows: tuple[Version, ...]
    older: int | None
    """The number of the next older one, if there are more."""


def versions_of(
    connection: Connection,
    person: Person,
    pilot: VisiblePilot,
    shown: Result,
    words: Wording,
    *,
    upto: int | None = None,
    key: str | None = None,
) -> Versions:
    """The versions of the result that is shown.

    :param upto: the newest of them that is listed.
    :param key: the changes of this KPI alone.
    """
    asked = {
        "person": person.person_id, "pilot": pilot.pilot_id, "kind": shown.kind, "label": shown.label,
        "upto": upto or 2**31 - 1, "most": MOST + 1,
    }  # fmt: skip
    rows = connection.execute(_SQL["versions"], asked).fetchall()
    entries = {entry["id"]: entry for entry in shown.kpis}
    return Versions(
        rows=tuple(_version(row, entries, shown, pilot, words, key) for row in rows[:MOST]),
        older=rows[MOST]["version"] if len(rows) > MOST else None,
    )


def _version(
    row: Mapping[str, Any],
    entries: Mapping[str, Mapping[str, Any]],
    shown: Result,
    pilot: VisiblePilot,
    words: Wording,
    key: str | None,
) -> Version:
    difference = row["difference"] or {"causes": (), "kpis": ()}
    zone = pilot.zone_info
    return Version(
        version=row["version"],
        plan_version=row["plan_version"],
        code_version=row["code_version"],
        as_of=row["as_of"],
        evaluated_at=row["evaluated_at"],
        check_code=check_code(row["sha256"]),
        provisional=row["provisional"],
        causes=tuple(cause_text(cause, words.language, zone) for cause in difference["causes"]),
        changes=tuple(
            change
            for kpi in difference["kpis"]
            if key in (None, kpi["id"])
            for change in _changes(kpi, entries.get(kpi["id"]), words)
        ),
        shown=row["version"] == shown.version,
    )


def _changes(kpi: Mapping[str, Any], entry: Mapping[str, Any] | None, words: Wording) -> Iterator[Change]:
    """What people look at: the answer, the target, the values, how much stands behind them."""
    name = kpi["id"] if entry is None else entry["name"]
    if kpi["change"] != "changed":
        what = words.say(N_("지표 추가")) if kpi["change"] == "added" else words.say(N_("지표 삭제"))
        yield Change(kpi=name, what=what, before="", after="")
        return
    fields = kpi["fields"]
    unit = fields["unit"]["after"] if "unit" in fields else "" if entry is None else entry["unit"]
    target = None if entry is None or entry["unit"] != unit else bounds_of(entry["target"], unit)
    for code in ("verdict", "status"):
        if code in fields:
            before, after = (_state(fields[code][side], words) for side in ("before", "after"))
            what = words.say(N_("판정")) if code == "verdict" else words.say(N_("상태"))
            yield Change(kpi=name, what=what, before=before, after=after)
    if "target" in fields and fields["target"]["before"] and fields["target"]["after"]:
        before, after = (fields["target"][side][words.language] for side in ("before", "after"))
        if before != after:
            yield Change(kpi=name, what=words.say(N_("목표")), before=before, after=after)
    yield from _numbers(name, fields, unit, target, words)


def _numbers(
    name: str, fields: Mapping[str, Any], unit: str, target: Bounds | None, words: Wording
) -> Iterator[Change]:
    sides = ("before", "after")
    rows: list[tuple[str, Sequence[float | None], str, Bounds | None]] = []
    if "value" in fields:
        rows.append((words.say(N_("값")), [fields["value"][side] for side in sides], unit, target))
    if "month" in fields and fields["month"]["before"] and fields["month"]["after"]:
        values = [fields["month"][side]["value"] for side in sides]
        rows.append((words.say(N_("당월")), values, unit, target))
    if "completeness" in fields:
        shares = [fields["completeness"][side] for side in sides]
        percent = [None if share is None else 100 * share for share in shares]
        rows.append((words.say(N_("자료획득률")), percent, "%", None))
    if "n" in fields:
        rows.append((words.say(N_("표본수")), [fields["n"][side] for side in sides], "건", None))
    for what, (before, after), of, bounds in rows:
        if before != after:
            first, second = apart(before, after, of, bounds, words)
            yield Change(kpi=name, what=what, before=first, after=second)
    if "excluded_s" in fields:
        lengths = [words.duration(fields["excluded_s"][side] or 0) for side in sides]
        yield Change(kpi=name, what=words.say(N_("평가 제외")), before=lengths[0], after=lengths[1])


def apart(
    before: float | None, after: float | None, unit: str, target: Bounds | None, words: Wording
) -> tuple[str, str]:
    """Two numbers that are not the same, with as many digits as it takes to see it."""
    texts = words.quantity(before, unit, target), words.quantity(after, unit, target)
    if texts[0] != texts[1] or before is None or after is None:
        return texts
    for digits in range(1, 13):
        first, second = f"{before:,.{digits}f}", f"{after:,.{digits}f}"
        if first != second and not math.isclose(float(first.replace(",", "")), float(second.replace(",", ""))):
            return with_unit(first, unit, words.language), with_unit(second, unit, words.language)
    return texts


def _state(code: str | None, words: Wording) -> str:
    state = words.state(code)
    return "–" if state is None else f"{state.mark} {state.word(words.language)}"

"""A stored result beside its recomputation."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import Any

from tests.recomputation.dates import read_instant
from tests.recomputation.folder import Folder
from tests.recomputation.judge import evaluation

Dict = dict[str, Any]
AGREE_TO = 1e-9


def recomputed(folder: Folder, kind: str, label: str, version: int) -> Dict:
    """What a stored result should say, worked out once."""
    key = kind, label, version
    if key not in folder.judged:
        folder.judged[key] = evaluation(folder, kind, label, read_instant(folder.results()[key]["as_of"]))
    return folder.judged[key]


def differences(folder: Folder, kind: str, label: str, version: int, *, only: Collection[str] = ()) -> list[str]:
    """Where a stored result and its recomputation differ, one line each.

    :param only: which KPIs are compared; all of them, and the overall answer, if left out.
    """
    stored = folder.results()[kind, label, version]
    mine = recomputed(folder, kind, label, version)
    found = [
        f"{entry['id']}{where}: {line}"
        for own, entry in zip(mine["kpis"], stored["kpis"], strict=True)
        if not only or entry["id"] in only
        for where, line in _entry(own, entry)
    ]
    if stored["plan"]["version"] != mine["plan"]:
        found.append(f"plan {mine['plan']}, stored {stored['plan']['version']}")
    for name in ("window", "month"):
        window = None if stored[name] is None else tuple(read_instant(stored[name][end]) for end in ("start", "end"))
        if window != mine[name]:
            found.append(f"{name} {mine[name]}, stored {window}")
    if "overall" in mine and not only:
        found += [f"overall: {line}" for line in _row(mine["overall"], stored["overall"], tuple(mine["overall"]))]
    return found


def _entry(own: Dict, entry: Dict) -> Iterator[tuple[str, str]]:
    if own["id"] != entry["id"]:
        yield "", f"is {own['id']}"
    rows = [("", own, entry)]
    if "parts" in own or "parts" in entry:
        pairs = zip(own["parts"], entry["parts"], strict=True)
        rows += [(f" part {place}", one, other) for place, (one, other) in enumerate(pairs)]
    for where, one, other in rows:
        for line in _row(one, other, ("value", "n", "completeness", "interval", "status", "verdict", "unit")):
            yield where, line
        if one["infinite"] != (other["no_value"] == "infinite"):
            yield where, f"infinite {one['infinite']}, stored {other['no_value']}"
        if "month" in one or "month" in other:
            for line in _row(one["month"], other["month"], ("value", "n", "completeness", "interval")):
                yield f"{where} month", line


def _row(own: Dict, stored: Dict, names: Collection[str]) -> Iterator[str]:
    for name in names:
        one, other = own.get(name), stored.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from (f"{name} {line}" for line in _row(one, other, ("low", "high")))
        elif not _same(one, other):
            yield f"{name} {one!r}, stored {other!r}"


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=AGREE_TO, abs_tol=AGREE_TO)
    return bool(one == other)

"""The list of pairs behind a detection: every label and alert that counts, with what became of it, as plain data.

A result has the first of them, what speaks against the claim before what speaks for it, and the hash of all: whoever has the
whole list (``pilotbed label pairs``) can show that it is the one that was judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from core.canonical import canonical_json, plain, sha256
from core.window import instant
from kpi.gathered import Gathered
from kpi.measures.detection import DetectionPart, Judged
from kpi.measures.matching import Mark

SHOWN: Final = 200
"""So many rows stand in a result."""


def matching_of(gathered: Gathered[Any]) -> dict[str, Any]:
    """What a result says of its pairs; nothing where its parts are none of a detection."""
    if not gathered.whole or not isinstance(gathered.whole[0], DetectionPart):
        return {}
    rows = rows_of(gathered)
    shown = sorted(rows, key=lambda row: (row["outcome"] == "matched", row["at"], row["slot"]))[:SHOWN]
    return {
        "matching": {
            "n": len(rows),
            "sha256": digest(rows),
            "rows": sorted(shown, key=lambda row: (row["at"], row["slot"])),
        }
    }


def rows_of(gathered: Gathered[DetectionPart]) -> list[dict[str, Any]]:
    """Every pair, in the order of time."""
    found = [
        _row(slot, one) for slot, part in zip(gathered.slots, gathered.whole, strict=True) for _, one in part.outcomes
    ]
    return sorted(found, key=lambda row: (row["at"], row["slot"], row["outcome"], row["label"], row["alert"]))


def digest(rows: Sequence[dict[str, Any]]) -> str:
    """The SHA-256 of a list of pairs, as canonical JSON."""
    return sha256(canonical_json(list(rows)))


def _row(slot: str, one: Judged) -> dict[str, Any]:
    found: dict[str, Any] = plain(
        {
            "slot": slot,
            "at": instant(one.at_us),
            "outcome": one.outcome,
            "label": _ids(one.label),
            "label_at": _at(one.label),
            "alert": _ids(one.alert),
            "alert_at": _at(one.alert),
            # From the label's start to the alert's; below 0 where the alert came first.
            "after_s": None
            if one.label is None or one.alert is None
            else (one.alert.start_us - one.label.start_us) / 1e6,
            "uncharged": one.doubtful,
            "down": one.down,
        }
    )
    return found


def _ids(mark: Mark | None) -> list[str]:
    return [] if mark is None else list(mark.ids)


def _at(mark: Mark | None) -> Any:
    return None if mark is None else instant(mark.start_us)

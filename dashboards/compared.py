"""A KPI beside its reference: whose that is, what vouches for it, and the line through the pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from dashboards.wording import Wording
from kpi.referenced import OWNERS


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceRow:
    """A reference."""

    slot: str
    channel: str
    owner: str
    certificate: str
    until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedShown:
    """What a page says of the comparison; its charts are asked for by their own addresses."""

    references: tuple[ReferenceRow, ...]
    line: str
    """The straight line through the pairs; empty where there is none."""


def compared_shown(entry: Mapping[str, Any], words: Wording) -> ComparedShown | None:
    """None where a KPI is compared with nothing."""
    rows = entry.get("references", ())
    if not rows:
        return None
    found = []
    for row in rows:
        certificate = row["certificate"] or {}
        until = certificate.get("valid_until")
        found.append(
            ReferenceRow(
                slot=row["slot"],
                channel=row["channel"],
                owner=words.say(OWNERS.get(row["owner"], row["owner"] or "")),
                certificate=certificate.get("number") or "",
                until=None if until is None else date.fromisoformat(str(until)),
            )
        )
    return ComparedShown(references=tuple(found), line=_line(entry.get("agreement") or {}))


def _line(told: Mapping[str, Any]) -> str:
    slope, intercept, r2 = (told.get(key) for key in ("slope", "intercept", "r2"))
    if slope is None or intercept is None:
        return ""
    sign = "−" if intercept < 0 else "+"
    text = f"y = {slope:.4g} x {sign} {abs(intercept):.4g}"
    return text if r2 is None else f"{text}, R² = {r2:.3f}"

"""A change against its baseline, as a page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.wording import Wording
from kpi.changed import facts_of, record_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedShown:
    """What a page says of a change; its picture is asked for by its own address."""

    facts: tuple[tuple[str, str], ...]
    drawn: bool
    """Whether there are days or weeks to draw."""


def changed_shown(entry: Mapping[str, Any], words: Wording) -> ChangedShown | None:
    """None where a KPI is no change."""
    if not entry.get("change") or "method" not in entry["change"]:
        return None
    facts = tuple(facts_of(entry, words.say, words.language))
    return ChangedShown(facts=facts, drawn=record_of(entry, words.say, words.language) is not None)

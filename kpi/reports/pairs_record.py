"""The pairs behind a detection, as a document has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """The pairs of one KPI, as its result has them."""

    n: int
    sha256: str
    rows: tuple[Mapping[str, Any], ...]
    doubled: int
    disagreed: int
    kappa: float | None


def pairs_of(entry: Mapping[str, Any]) -> Pairs | None:
    """The pairs of an entry of a result; None where it has none."""
    found = entry.get("matching")
    if found is None:
        return None
    facts = entry["facts"]
    return Pairs(
        n=found["n"], sha256=found["sha256"], rows=tuple(found["rows"]), doubled=facts.get("doubled", 0),
        disagreed=facts.get("disagreed", 0), kappa=facts.get("kappa"),
    )  # fmt: skip

"""What a seal covers besides readings: one line here a kind, each with the block of ``kinds.sql`` that reads it.

A table that keeps something which counts in a dispute has a kind for each thing that happens to its rows: to be recorded, and,
where the database allows that, to be ended once. A test compares this list with the append-only tables that there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Lines of one kind."""

    name: str
    """Also of the block in ``kinds.sql``."""
    table: str
    kept: Literal["never", "interim", "always"] = "never"
    """Whether the lines are kept with the seal, because the table goes on changing: of interim seals, where it counts a day, or
    of all."""


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind(name="audit", table="audit"),
            Kind(name="baseline", table="baseline"),
            Kind(name="channel", table="channel"),
            Kind(name="channel_end", table="channel"),
            Kind(name="conflict", table="conflict"),
            Kind(name="document", table="document"),
            Kind(name="event", table="event"),
            Kind(name="event_conflict", table="event_conflict"),
            Kind(name="exclusion", table="exclusion"),
            Kind(name="exclusion_consent", table="exclusion_consent"),
            Kind(name="exclusion_end", table="exclusion"),
            Kind(name="exclusion_paper", table="exclusion"),
            Kind(name="exclusion_request", table="exclusion_request"),
            Kind(name="exclusion_request_end", table="exclusion_request"),
            Kind(name="finding", table="finding"),
            Kind(name="finding_end", table="finding"),
            Kind(name="installation", table="installation"),
            Kind(name="installation_end", table="installation"),
            Kind(name="intake_connection", table="intake_connection", kept="interim"),
            Kind(name="intake_slot", table="intake_slot", kept="interim"),
            Kind(name="label", table="label"),
            Kind(name="label_end", table="label"),
            Kind(name="link_state", table="link_state"),
            Kind(name="manual", table="manual_value"),
            Kind(name="manual_end", table="manual_value"),
            Kind(name="opinion", table="opinion"),
            Kind(name="outage", table="outage"),
            Kind(name="outage_end", table="outage"),
            Kind(name="plan_version", table="plan_version"),
            Kind(name="platform_audit", table="audit"),
            Kind(name="platform_quarantine", table="quarantine"),
            Kind(name="platform_record", table="platform_record"),
            Kind(name="quarantine", table="quarantine"),
            Kind(name="quarantine_day", table="quarantine_day", kept="interim"),
            Kind(name="quarantine_replay", table="quarantine"),
            Kind(name="redecoded_batch", table="redecoded_batch"),
            Kind(name="redecoded_hour", table="redecoded_hour"),
            Kind(name="redecoding", table="redecoding"),
            Kind(name="rejection", table="rejection"),
            Kind(name="result", table="result"),
            Kind(name="sequence", table="sequence", kept="always"),
        )
    }
)

AWAITED: Final = ("audit", "opinion", "result")
"""Tables whose rows take their instant from the clock: closing the past waits until nobody writes to them. The others are
written under the horizon's lock, or the registry's."""

RETAINED: Final = frozenset({"conflict", "event", "event_conflict", "link_state", "rejection"})
"""Kinds whose rows are deleted with the readings when the time to keep those is over (telemetry/retention.py)."""

NOT_SEALED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "message": "kept for some weeks only; what messages yielded is sealed, and those that could not be taken by their hash",
        "seal": "each seal is bound by the next one and by its signature",
        "seal_key": "a key is signed by the one before it",
        "seal_leaf": "bound by the seal's root",
        "seal_timestamp": "signed by the authority",
        "seal_witness": "says only what was handed over",
    }
)
"""Append-only tables without a kind, and why."""

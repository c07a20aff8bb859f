"""What a plan may name as a channel's ``source``, with the unit that VDA 5050 states."""

from __future__ import annotations

from ingest.protocols.vda5050 import fields


def unit_of(source: str) -> str | None:
    """The unit of a value, a symbol of ``core/units.py``; None: it is a state.

    :raises LookupError: there is no such value.
    """
    return fields.UNITS[source]

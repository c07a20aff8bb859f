"""What a pack has to offer, before there is a plan: its names, with values and units."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.protocols.json import document
from ingest.protocols.senml import pack


def names(payload: bytes) -> Iterator[tuple[str, str, str]]:
    """Full name, value and unit of every record.

    :raises Refused: it is no pack.
    """
    for found in pack.resolve(pack.read(payload)):
        if isinstance(found, pack.Unresolved):
            yield found.name, f"✕ {found.why.detail}", ""
        else:
            unit = found.unit or ""
            yield found.name, document.shown(found.raw), f"{unit}·s" if found.summed and unit else unit

"""What a message has to offer, before there is a plan: the names that channels may have for its values."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.protocols.json import document
from ingest.protocols.json.paths import ABSENT
from ingest.protocols.vda5050 import fields
from ingest.protocols.vda5050.turn import read
from ingest.protocols.vda5050.values import speed


def names(payload: bytes) -> Iterator[tuple[str, str, str]]:
    """Name, value and unit of what a state or a visualization holds. What is counted over several messages is not among it.

    :raises Refused: it is none of VDA 5050's.
    """
    found = read(payload)
    form = fields.form_of(found, 2)
    for field in fields.FIELDS:
        raw = fields.found(found, field.path(form)) if field.path(form) is not None else ABSENT
        if raw is not ABSENT and not isinstance(raw, fields.Misplaced):
            yield field.name, document.shown(raw), field.unit or ""
    total = speed(fields.found(found, ("velocity", "vx")), fields.found(found, ("velocity", "vy")))
    if total is not ABSENT:
        yield fields.SPEED, document.shown(total), "m/s"
    for name in ("errors", "loads", "nodeStates"):
        listed = found.get(name)
        if type(listed) is list:
            yield {"nodeStates": "nodes_left"}.get(name, name), str(len(listed)), "1"
    state = found.get("connectionState")
    if type(state) is str:
        yield "(status)", document.shown(state), ""

"""A oneM2M message → what it is about, ready for the JSON mapping: one object a content instance.

    {"con": …, "ct": "2025-08-30T02:26:49Z", "sur": …, "fr": …, "to": …, "rn": …, "lbl": …}

``con`` is often JSON inside a string: then it is what stands in that. ``ct`` has no zone, and is UTC (TS-0004, 6.3.3).
"""

from __future__ import annotations

import re
from typing import Any, Final

from ingest import reasons
from ingest.protocols.json import document
from ingest.protocols.json.repeated import Repeated, sure
from ingest.reasons import Refused

_TIME: Final = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(?:[.,](\d{1,9}))?Z?", re.ASCII)
_NAMES: Final = ("rn", "ri", "pi", "lbl", "cr")
_AROUND: Final = ("fr", "to", "rqi")
_MOST: Final = 1_000


def unwrapped(found: Any) -> list[Any]:
    """Every content instance of a message.

    :returns: none for what asks whether anybody listens (``vrq``), and for the notice that a subscription ended (``sud``).
    :raises Refused: there is no content instance in it.
    """
    request = _member(found, "m2m:rqp") or found
    around = {name: _member(request, name) for name in _AROUND}
    around = {name: value for name, value in around.items() if type(value) is str}
    content = _member(request, "pc") or request
    several = _member(content, "m2m:agn")
    notices = several if type(several) is list else [content]
    if not 0 < len(notices) <= _MOST:
        raise Refused(reasons.NOT_OF_PROTOCOL, f"oneM2M: {len(notices)} m2m:sgn, 1..{_MOST}")
    return [one for notice in notices for one in _instances(notice, around)]


def _instances(notice: Any, around: dict[str, Any]) -> list[Any]:
    told = _member(notice, "m2m:sgn")
    if told is None:
        told = _member(notice, "sgn")
    if told is None:
        return [_instance(notice, around)]
    if _member(told, "vrq") is True or _member(told, "sud") is True:
        return []
    subscription = _member(told, "sur")
    representation = _member(_member(told, "nev"), "rep")
    return [_instance(representation, {**around, "sur": subscription} if type(subscription) is str else around)]


def _instance(holder: Any, around: dict[str, Any]) -> dict[str, Any]:
    instance = _member(holder, "m2m:cin")
    if instance is None:
        instance = _member(holder, "cin")
    known = sure(instance)
    if type(known) is not dict or "con" not in known:
        raise Refused(reasons.NOT_OF_PROTOCOL, "oneM2M: m2m:cin.con")
    named = {name: known[name] for name in _NAMES if name in known}
    content, created = _content(known["con"]), _time(known.get("ct"))
    if type(content) is dict and ({"kind", "id"} <= content.keys() or _is_status(content)):
        return content if "at" in content else {**content, "at": created}  # an event, or the link's state
    return {**around, **named, "con": content, "ct": created}


def _is_status(content: dict[str, Any]) -> bool:
    return content.keys() <= {"state", "at"} and content.get("state") in ("online", "offline")


def _member(holder: Any, name: str) -> Any:
    known = sure(holder)
    found = known.get(name) if type(known) is dict else None
    if type(holder) is Repeated and name in holder.names:
        raise Refused(reasons.REPEATED_KEY, holder.told())
    return found


def _content(raw: Any) -> Any:
    """What was measured: an object, or a value alone under ``value``."""
    if type(raw) is str and raw.lstrip()[:1] in ("{", "["):
        raw = document.read(raw.encode("utf-8", "surrogatepass"))
    return raw if type(raw) in (dict, list, Repeated) else {"value": raw}


def _time(raw: Any) -> Any:
    """A creation time as ISO 8601 with its zone; anything else as it stands."""
    match = _TIME.fullmatch(raw) if type(raw) is str else None
    if match is None:
        return raw
    year, month, day, hour, minute, second, fraction = match.groups()
    return f"{year}-{month}-{day}T{hour}:{minute}:{second}.{(fraction or '0')[:6]}Z"

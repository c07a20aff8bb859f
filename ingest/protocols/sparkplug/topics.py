"""Sparkplug's topics: ``spBv1.0/{group}/{type}/{node}[/{device}]``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

_NAMESPACE: Final = "spBv1.0"
_OF_NODES: Final = ("NBIRTH", "NDATA", "NDEATH")
_OF_DEVICES: Final = ("DBIRTH", "DDATA", "DDEATH")
_TO_NODES: Final = ("NCMD", "DCMD")


class Spoken(NamedTuple):
    """Who says what kind of thing on a topic."""

    group: str
    what: str
    """``birth``, ``data``, ``death``; ``cmd`` is said to the node, not by it."""
    node: str
    device: str | None


def spoken(topic: str) -> Spoken | None:
    """None for a topic that is none of Sparkplug's, or no node's.

    >>> spoken("spBv1.0/G/DDATA/N1/D1")
    Spoken(group='G', what='data', node='N1', device='D1')
    """
    parts = topic.split("/")
    if len(parts) not in (4, 5) or parts[0] != _NAMESPACE or not all(parts):
        return None
    _, group, kind, node, *device = parts
    if kind in (_OF_DEVICES if device else _OF_NODES) or kind in _TO_NODES:
        return Spoken(group, kind[1:].lower(), node, device[0] if device else None)
    return None


def heard(filters: Iterable[str]) -> tuple[str, ...]:
    """Filters narrowed to what nodes say: a wide one would bring our own commands back to us.

    What has nothing to do with Sparkplug stays, so that it is set aside with a reason.

    >>> heard(["spBv1.0/G/+/N1/+"])
    ('spBv1.0/G/DBIRTH/N1/+', 'spBv1.0/G/DDATA/N1/+', 'spBv1.0/G/DDEATH/N1/+')
    """
    found: set[str] = set()
    for one in filters:
        levels = one.split("/")
        forms = [[_NAMESPACE, "+", kind, "+"] for kind in _OF_NODES]
        forms += [[_NAMESPACE, "+", kind, "+", "+"] for kind in _OF_DEVICES]
        narrowed = [both for form in forms if (both := _both(levels, form)) is not None]
        found.update(narrowed or [one])
    return tuple(sorted(found))


def nodes_named(filters: Iterable[str]) -> frozenset[tuple[str, str]] | None:
    """The (group, node) that filters name one by one; None where one of them leaves them open."""
    named = set()
    for one in filters:
        levels = one.split("/")
        if len(levels) < 4 or not {"+", "#"}.isdisjoint((levels[1], levels[3])) or "#" in levels[:4]:
            return None
        named.add((levels[1], levels[3]))
    return frozenset(named)


def _both(levels: list[str], form: list[str]) -> str | None:
    """What both match, level by level."""
    if levels[-1] == "#":
        if len(levels) - 1 > len(form):
            return None
        levels = levels[:-1] + form[len(levels) - 1 :]
    if len(levels) != len(form):
        return None
    met = []
    for one, other in zip(levels, form, strict=True):
        if one != other and "+" not in (one, other):
            return None
        met.append(other if one == "+" else one)
    return "/".join(met)

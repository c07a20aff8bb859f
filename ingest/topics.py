"""MQTT topics and filters: what matches, and what one filter covers of another (MQTT 5, section 4.7)."""

from __future__ import annotations

from collections.abc import Iterable


def matches(held: str, topic: str) -> bool:
    """Whether a topic matches a filter.

    >>> matches("a/+/c", "a/b/c"), matches("a/#", "a"), matches("a/+", "a/b/c"), matches("#", "$SYS/x")
    (True, True, False, False)
    """
    if topic.startswith("$") and not held.startswith("$"):
        return False
    return _covers(held.split("/"), topic.split("/"))


def covers(wide: str, narrow: str) -> bool:
    """Whether every topic that the filter ``narrow`` matches, ``wide`` matches too.

    >>> covers("a/+/c", "a/b/c"), covers("a/#", "a/+/c"), covers("a/b", "a/+"), covers("a/+", "a/#")
    (True, True, False, False)
    """
    return _covers(wide.split("/"), narrow.split("/"))


def _covers(wide: list[str], narrow: list[str]) -> bool:
    for place, level in enumerate(wide):
        if level == "#":
            return True
        if place == len(narrow):
            return False
        if narrow[place] == "#" or (level != "+" and level != narrow[place]):
            return False
    return len(wide) == len(narrow)


def without_covered(filters: Iterable[str]) -> list[str]:
    """The filters without those that another of them covers: a message then arrives once."""
    wanted = sorted(set(filters))
    return [one for one in wanted if not any(other != one and covers(other, one) for other in wanted)]

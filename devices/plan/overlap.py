"""MQTT topic filters: which are valid, which topics they match, and whether two of them share a topic."""

from __future__ import annotations

from typing import Final

_LONGEST_BYTES: Final = 65_535


def fault(topic_filter: str) -> str | None:
    """Why the text is no MQTT filter, or None if it is one.

    >>> fault("a/#/b")
    "'#' stands alone in the last level"

    (MQTT 5.0, section 4.7.1)
    """
    if not topic_filter:
        return "it is empty"
    if len(topic_filter.encode("utf-8", errors="replace")) > _LONGEST_BYTES:
        return f"it is longer than {_LONGEST_BYTES} bytes"
    if any(sign < " " or sign == "\x7f" or "\ud800" <= sign <= "\udfff" for sign in topic_filter):
        return "it holds a control character"
    levels = topic_filter.split("/")
    for position, level in enumerate(levels):
        if "#" in level and (level != "#" or position != len(levels) - 1):
            return "'#' stands alone in the last level"
        if "+" in level and level != "+":
            return "'+' stands alone in its level"
    return None


def matches(topic_filter: str, topic: str) -> bool:
    """Whether a valid filter takes a topic.

    >>> matches("a/+/c", "a/b/c"), matches("a/#", "a"), matches("#", "$SYS/x")
    (True, True, False)
    """
    if topic.startswith("$") and not topic_filter.startswith("$"):
        return False  # wildcards in the first level leave the broker's own topics out
    wanted, levels = topic_filter.split("/"), topic.split("/")
    for position, level in enumerate(wanted):
        if level == "#":
            return True
        if position >= len(levels) or level not in ("+", levels[position]):
            return False
    return len(wanted) == len(levels)


def overlap(one: str, other: str) -> bool:
    """Whether some topic is taken by both valid filters.

    >>> overlap("a/+/c", "a/b/#"), overlap("a/+", "a/b/c")
    (True, False)
    """
    if _system(one) != _system(other):
        return False
    left, right = one.split("/"), other.split("/")
    for position in range(max(len(left), len(right))):
        here = left[position] if position < len(left) else None
        there = right[position] if position < len(right) else None
        if here == "#" or there == "#":
            # '#' also takes its parent level: a/# takes a. But /# does not take the empty topic: there is none.
            return not (position == 1 and None in (here, there) and "" in (left[0], right[0]))
        if here is None or there is None:
            return False
        if here != there and here != "+" and there != "+":
            return False
    return True


def _system(topic_filter: str) -> bool:
    """Whether the filter is about the broker's own topics."""
    return topic_filter.startswith("$")

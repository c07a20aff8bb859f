"""A result as it was recorded against the same one judged again: which fields differ, KPI by KPI. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

SAME_TO: Final = 1e-9
"""Numbers that agree to nine digits are the same."""
_OF_THE_CODE: Final = frozenset({"code_version"})
_WORDS: Final = frozenset({"why", "ko", "en", "reason_text"})
"""Sentences: another version of the code may say the same otherwise."""


def differing(recorded: Any, again: Any, *, words: bool, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two documents differ: the path, what was recorded, what comes out now.

    :param words: whether sentences are compared too.

    >>> old = {"kpis": [{"id": "k", "value": 1.0, "why": {"en": "a"}}]}
    >>> list(differing(old, {"kpis": [{"id": "k", "value": 1.0 + 1e-12, "why": {"en": "b"}}]}, words=False))
    []
    >>> list(differing(old, {"kpis": [{"id": "k", "value": 1.1, "why": {"en": "a"}}]}, words=True))
    [('kpis.0.value', 1.0, 1.1)]
    """
    if isinstance(recorded, Mapping) and isinstance(again, Mapping):
        for key in sorted(recorded.keys() | again.keys()):
            if key in _OF_THE_CODE or (not words and key in _WORDS):
                continue
            where = f"{path}.{key}" if path else str(key)
            if key not in recorded or key not in again:
                yield where, recorded.get(key, "–"), again.get(key, "–")
            else:
                yield from differing(recorded[key], again[key], words=words, path=where)
    elif isinstance(recorded, list) and isinstance(again, list):
        if len(recorded) != len(again):
            yield f"{path} (length)", len(recorded), len(again)
        for place, (one, other) in enumerate(zip(recorded, again, strict=False)):
            yield from differing(one, other, words=words, path=f"{path}.{place}")
    elif _number(recorded) and _number(again):
        if not math.isclose(recorded, again, rel_tol=SAME_TO, abs_tol=SAME_TO):
            yield path, recorded, again
    elif recorded != again or type(recorded) is not type(again):
        yield path, recorded, again


def _number(value: Any) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool)

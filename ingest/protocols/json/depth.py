"""How deep objects and lists may stand within each other: so deep, and not where the stack of a process happens to end."""

from __future__ import annotations

import re
from typing import Final

from ingest import reasons
from ingest.reasons import Refused

DEEPEST: Final = 700
"""Well below what JSON readers take (1,000), with whatever is on the stack already."""

_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"{}[]"))
_PIECES: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[{}\[\]]', re.DOTALL)


def refuse_depth(payload: bytes) -> None:
    """Look for brackets within brackets.

    :raises Refused: they are more than may be.

    >>> refuse_depth(b"[" * 700 + b"]" * 700)
    >>> refuse_depth(b"[" * 701)
    Traceback (most recent call last):
    ...
    ingest.reasons.Refused: too_deep: > 700
    """
    if payload.count(b"{") + payload.count(b"[") <= DEEPEST:
        return
    # Pairs are taken out from within: each turn takes a level, or two. Texts may hold brackets too: then it is looked at closely.
    brackets = payload.translate(None, _NO_BRACKETS)
    for _ in range(20):
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if not brackets:
            return
    depth = 0
    for piece in _PIECES.findall(payload):
        if piece in (b"{", b"["):
            depth += 1
            if depth > DEEPEST:
                raise Refused(reasons.TOO_DEEP, f"> {DEEPEST}")
        elif piece in (b"}", b"]"):
            depth -= 1

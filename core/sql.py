"""Named SQL blocks: ``-- name: block`` lines divide a ``.sql`` file; the comment after it says what the block is for.

    -- name: slot_of_pilot
    -- The slots of one pilot, in the plan's order.
    SELECT …

A block's parameters are psycopg's ``%(name)s``; nothing is ever formatted into a statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import LiteralString

_HEAD = re.compile(r"^-- name: *([a-z][a-z0-9_]*) *$", re.MULTILINE)


class Blocks(Mapping[str, LiteralString]):
    """The named statements of one file, read once."""

    def __init__(self, origin: str, text: str) -> None:
        heads = list(_HEAD.finditer(text))
        ends = [head.start() for head in heads[1:]] + [len(text)]
        self.origin = origin
        blocks: dict[str, LiteralString] = {}
        for head, end in zip(heads, ends, strict=True):
            if head[1] in blocks:
                raise ValueError(f"{origin}: the block {head[1]!r} stands twice; give one of them another name")
            # The text comes from a file of ours, never from input: that is what LiteralString promises.
            blocks[head[1]] = text[head.end() : end].strip()
        self._blocks = MappingProxyType(blocks)

    def __getitem__(self, name: str) -> LiteralString:
        try:
            return self._blocks[name]
        except KeyError:
            raise KeyError(f"{self.origin} has no block {name!r}; it has: {', '.join(self._blocks)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._blocks)

    def __len__(self) -> int:
        return len(self._blocks)


@cache
def load(package: str, name: str) -> Blocks:
    """The blocks of the file ``name`` that lies in ``package``."""
    return Blocks(f"{package}/{name}", files(package).joinpath(name).read_text(encoding="utf-8"))

"""Documents of results, read once: they are immutable, and reading them was most of what a page cost."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

Document = Mapping[str, Any]
Key = tuple[int, str, datetime]
"""A result's number, the hash of its content and its ``as_of``: two results with the same hold the same document."""


class Documents:
    """Documents by key, as many as fit; the ones used longest ago go first."""

    def __init__(self, *, most_bytes: int) -> None:
        """:param most_bytes: of their JSON; read, a document takes some times as much."""
        self._most = most_bytes
        self._kept: OrderedDict[Key, tuple[Document, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def of(self, keys: Sequence[Key], read: Callable[[list[int]], Mapping[int, str]]) -> list[Document]:
        """The documents of these results, in their order.

        :param read: the JSON of the results of these numbers; asked only for what is not kept.
        """
        with self._lock:
            known = {key: self._kept[key][0] for key in keys if key in self._kept}
            for key in known:
                self._kept.move_to_end(key)
        lacking = {key[0]: key for key in keys if key not in known}
        if lacking:
            for number, text in read(list(lacking)).items():
                known[lacking[number]] = self._keep(lacking[number], text)
        return [known[key] for key in keys]

    def _keep(self, key: Key, text: str) -> Document:
        document: Document = msgspec.json.decode(text)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = document, len(text)
                self._bytes += len(text)
            while self._bytes > self._most and len(self._kept) > 1:
                _, (_, size) = self._kept.popitem(last=False)
                self._bytes -= size
        return document

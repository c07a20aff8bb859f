"""What a message has to offer, before there is a plan: the paths of its values."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.protocols.json import document
from ingest.protocols.json.names import offered
from ingest.protocols.onem2m.unwrapped import unwrapped


def names(payload: bytes) -> Iterator[tuple[str, str, str]]:
    """Path, value and unit (which oneM2M leaves to the content) of every value in a message.

    :raises Refused: there is no content instance in it.
    """
    for instance in unwrapped(document.read(payload)):
        yield from offered(instance)

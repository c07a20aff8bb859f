"""What a payload has to offer, before there is a plan: the names of its metrics, with their values and data types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ingest.protocols.json import document
from ingest.protocols.sparkplug import datatypes
from ingest.protocols.sparkplug import payload as payloads
from ingest.reasons import Refused


def names(payload: bytes) -> Iterator[tuple[str, str, str]]:
    """Name, value and unit (Sparkplug has none) of each metric; births have all of them. Data by alias alone have no names.

    :raises Refused: it is no payload.
    """
    for metric in payloads.read(payload).metrics:
        if metric.name:
            value = f"{document.shown(_value(metric))} ({datatypes.named(metric.datatype)})"
            yield metric.name.decode("utf-8", "replace"), value, ""


def _value(metric: Any) -> Any:
    try:
        return datatypes.value(metric, metric.datatype)
    except Refused:
        return datatypes.shown(metric)

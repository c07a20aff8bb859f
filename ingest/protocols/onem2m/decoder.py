"""The oneM2M protocol: a thin adapter to the JSON mapping, on the topics of the MQTT binding that the plan names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from ingest.binding import ConnectionBinding
from ingest.message import Decoder
from ingest.protocols.json.decoder import NOTHING, JsonConnection
from ingest.protocols.native import native_parts
from ingest.protocols.onem2m.unwrapped import unwrapped

_DEFAULT_TIME = "ts"


class OneM2mConnection(JsonConnection):
    """One connection of a oneM2M platform for its slots. On the native topics it speaks JSON as it is."""

    is_wrapped: ClassVar[bool] = True

    def __init__(self, binding: ConnectionBinding) -> None:
        options = dict(binding.options)
        time = dict(options.get("time") or {})
        if time.get("path", _DEFAULT_TIME) == _DEFAULT_TIME:
            time["path"] = "ct"
        super().__init__(replace(binding, options={**options, "time": time, "values": options.get("values") or "con"}))
        # What tells the slots apart there is the topic.
        self._native_json = JsonConnection(
            replace(binding, slots=tuple(replace(slot, select={}) for slot in binding.slots))
        )

    def decoder(self, topic: str) -> Decoder | None:
        """What reads the messages of a topic; None if it is not this connection's."""
        return self._native_json.decoder(topic) if native_parts(topic) is not None else super().decoder(topic)

    def unwrap(self, found: Any) -> Any:
        """What a message is about, as the JSON mapping takes it."""
        instances = unwrapped(found)
        return super().unwrap(instances) if instances else NOTHING

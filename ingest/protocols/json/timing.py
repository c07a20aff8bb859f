"""When a piece of a message counts: by its own time or by its arrival, and whether that is within the pilot."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from ingest import reasons
from ingest.binding import ConnectionBinding
from ingest.message import ARRIVAL, RETAINED, Message
from ingest.protocols.counted import require_counted
from ingest.protocols.json import times
from ingest.protocols.json.paths import ABSENT, Getter, getter
from ingest.protocols.json.repeated import Repeated
from ingest.reasons import Refused


class Timing:
    """Where the time stands, and how it is written."""

    def __init__(self, path: str | None, form: str, zone: ZoneInfo | None) -> None:
        """:param path: where the time stands; None or empty for a device without a clock."""
        self.path = path or ""
        self._find: Getter | None = getter(path) if path else None
        self._read = times.reader(form, zone)
        self.plain_key = path if path and "." not in path and form in ("auto", "ms") else None
        """Where the time stands at the top of a message, if milliseconds are taken there."""

    def raw(self, element: Any) -> Any:
        """What stands where the time belongs; None where nothing does."""
        if self._find is None:
            return None
        found = self._find(element)
        return None if found is ABSENT else found

    def counted(self, raw: Any, binding: ConnectionBinding, message: Message) -> tuple[int, int]:
        """The instant and the flags, if that counts for the pilot.

        :param raw: what stands where the time belongs.
        :raises Refused: unreadable, outside the pilot, or a retained message without a time of its own.
        """
        at_us, flags = self._instant(raw, message)
        require_counted(at_us, binding, message)
        return at_us, flags

    def _instant(self, raw: Any, message: Message) -> tuple[int, int]:
        if raw is None:
            if message.flags & RETAINED:
                raise Refused(reasons.TIME_MISSING, "retain=1 time=null")
            return message.received_us, message.flags | ARRIVAL
        if type(raw) is Repeated:
            raise Refused(reasons.REPEATED_KEY, raw.told())
        try:
            return self._read(raw), message.flags
        except times.TimeUnreadable as error:
            raise Refused(reasons.TIME_UNREADABLE, str(error)) from None

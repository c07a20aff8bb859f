"""The messages of one topic: read, numbered, and handed to whoever takes them apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ingest import reasons
from ingest.binding import ConnectionBinding
from ingest.message import Decoded, Message
from ingest.protocols.json import document, numbering
from ingest.protocols.json.happenings import StatusDecoder, spoken_state
from ingest.protocols.json.quick import Quick
from ingest.reasons import Refused

Take = Callable[[Any, Message, Decoded], None]


class TopicDecoder:
    """Reads each message as one JSON document. See :class:`ingest.message.Decoder`."""

    def __init__(
        self,
        binding: ConnectionBinding,
        take: Take,
        *,
        numbers: numbering.Reader | None,
        told_at: int | None,
        quick: Quick | None = None,
    ) -> None:
        """
        :param take: puts what a document says into the outcome.
        :param numbers: finds the number of a message; None where messages carry none.
        :param told_at: the slot that is told of a number that is none; None where that may be something else of the maker's.
        :param quick: the short way.
        """
        self._quick = quick
        self._connection_id = binding.connection_id
        self._take = take
        self._numbers = numbers
        self._told_at = told_at

    def decode(self, message: Message, out: Decoded) -> None:
        """See :class:`ingest.message.Decoder`."""
        quick = self._quick
        if quick is not None and quick.take(message, out):
            return
        try:
            found = document.read(message.payload)
        except Refused as error:
            out.quarantine(message, self._connection_id, error.reason, error.detail)
            number = None if self._numbers is None else numbering.found_in(message.payload)
            if number is not None:
                out.numbered(self._connection_id, *number)
            return
        top = found[0] if type(found) is list and found else found
        if type(top) is not dict:
            top = numbering.sure_top(top)
        if self._numbers is not None and "seq" in top:
            try:
                number = self._numbers(top)
            except numbering.NotNumbered as error:
                self._take_unnumbered(found, top, str(error), message, out)
                return
            if number is not None:
                out.sequences.append((self._connection_id, *number))
        self._take_or_set_aside(found, message, out)
        if quick is not None and quick.learns:
            quick.learn(found)

    def _take_or_set_aside(self, found: Any, message: Message, out: Decoded) -> None:
        try:
            self._take(found, message, out)
        except Refused as error:
            out.quarantine(message, self._connection_id, error.reason, error.detail)

    def _take_unnumbered(self, found: Any, top: dict[str, Any], why: str, message: Message, out: Decoded) -> None:
        set_aside = len(out.quarantined)
        self._take_or_set_aside(found, message, out)
        if self._told_at is not None and len(out.quarantined) == set_aside:
            out.reject(
                slot_id=self._told_at,
                topic=message.topic,
                item="seq",
                observed="",
                value=document.shown(top.get("seq")),
                reason=reasons.BAD_SEQUENCE,
                detail=why,
            )


class SpokenTopicDecoder(TopicDecoder):
    """The same of a topic where a message may be nothing but a word that tells the link's state."""

    def __init__(
        self,
        binding: ConnectionBinding,
        status: StatusDecoder,
        take: Take | None = None,
        *,
        numbers: numbering.Reader | None,
        told_at: int | None,
        quick: Quick | None = None,
    ) -> None:
        """:param take: of what is no such word; None where nothing but the link's state is spoken of."""
        super().__init__(binding, take or status.take, numbers=numbers, told_at=told_at, quick=quick)
        self._status = status
        self._status_alone = take is None

    def decode(self, message: Message, out: Decoded) -> None:
        """See :class:`ingest.message.Decoder`."""
        word = spoken_state(message.payload)
        if word is not None:
            self._status.take({"state": word}, message, out)
        elif message.payload or not self._status_alone:  # an empty one withdraws a retained status, and says nothing
            TopicDecoder.decode(self, message, out)

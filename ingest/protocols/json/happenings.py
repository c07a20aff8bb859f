"""Events and link states out of JSON."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from ingest import reasons
from ingest.binding import ConnectionBinding, SlotBinding
from ingest.message import Decoded, Message
from ingest.protocols.json import document
from ingest.protocols.json.repeated import Repeated, sure
from ingest.protocols.json.timing import Timing
from ingest.reasons import Refused
from telemetry.batch import EventRecord, LinkStateRecord

_LONGEST_NAME: Final = 200
_LONGEST_ATTRIBUTES: Final = 16_384
_INT8: Final = 2**63
_WORDS: Final[dict[str, Literal["online", "offline"]]] = {"online": "online", "offline": "offline"}


class EventsDecoder:
    """``{"id", "kind", "number"?, "phase"?, "at", "attributes"?}``, or a list of these, of one slot."""

    def __init__(self, binding: ConnectionBinding, slot: SlotBinding, timing: Timing) -> None:
        self._binding = binding
        self._slot = slot
        self._timing = timing

    def take(self, found: Any, message: Message, out: Decoded) -> None:
        """Put what a document says into ``out``."""
        refused = len(out.rejected)
        taken = 0
        elements = found if type(found) is list else [found]
        for element in elements:
            try:
                out.events.append(self._event(element, message))
                taken += 1
            except Refused as refusal:
                self._reject(element, message, out, refusal)
        refusals = out.rejected[refused:]
        if not taken and all(reasons.curable(refusal.reason) for refusal in refusals):
            del out.rejected[refused:]
            reason = refusals[0].reason if refusals else reasons.BAD_EVENT
            detail = refusals[0].detail if refusals else "[]"
            out.quarantine(message, self._binding.connection_id, reason, detail)

    def _event(self, element: Any, message: Message) -> EventRecord:
        if type(element) is Repeated:
            raise Refused(reasons.REPEATED_KEY, element.told())
        if type(element) is not dict:
            raise Refused(reasons.BAD_EVENT, f"{document.named(element)} != {{…}}")
        kind, identity = _name(element, "kind"), _name(element, "id")
        if kind not in self._slot.events:
            known = ",".join(sorted(self._slot.events)) or "-"
            raise Refused(reasons.UNKNOWN_EVENT, f"kind={document.named(kind)} slot={self._slot.name} kinds={known}")
        at_us, flags = self._timing.counted(self._timing.raw(element), self._binding, message)
        return EventRecord(
            slot_id=self._slot.slot_id,
            kind=kind,
            id=identity,
            phase=_phase(element.get("phase")),
            number=_whole_number(element.get("number")),
            at_us=at_us,
            attributes=_attributes(element.get("attributes")),
            flags=flags,
        )

    def _reject(self, element: Any, message: Message, out: Decoded, refusal: Refused) -> None:
        said = sure(element) if type(element) in (dict, Repeated) else {}
        time = self._timing.raw(said)
        out.reject(
            slot_id=self._slot.slot_id,
            topic=message.topic,
            item=f"event {document.shown(said.get('kind'))} {document.shown(said.get('id'))}",
            observed="" if time is None else document.shown(time),
            value=document.shown(element),
            reason=refusal.reason,
            detail=refusal.detail,
        )


def _name(element: dict[str, Any], key: str) -> str:
    raw = element.get(key)
    if type(raw) is int and -_INT8 <= raw < _INT8:
        raw = str(raw)
    if type(raw) is not str or not raw.strip() or len(raw) > _LONGEST_NAME:
        raise Refused(reasons.BAD_EVENT, f"{key}={document.named(raw)}: 1..{_LONGEST_NAME}")
    return _checked(raw)


def _phase(raw: Any) -> Literal["", "start", "end"]:
    match raw:
        case None | "":
            return ""
        case "start":
            return "start"
        case "end":
            return "end"
    raise Refused(reasons.BAD_EVENT, f"phase={document.named(raw)}: start|end")


def _whole_number(raw: Any) -> int | None:
    if raw is None:
        return None
    if type(raw) is not int or not 0 <= raw < _INT8:
        raise Refused(reasons.BAD_EVENT, f"number={document.named(raw)}: 0..2^63-1")
    return raw


def _attributes(raw: Any) -> bytes:
    if raw is None:
        return b"{}"
    if type(raw) is not dict and type(raw) is not Repeated:
        raise Refused(reasons.BAD_EVENT, f"attributes={document.named(raw)}: {{…}}")
    pending: list[Any] = [raw]
    while pending:
        piece = pending.pop()
        if type(piece) is str:
            _checked(piece)
        elif type(piece) is float:
            if piece - piece != 0:
                raise Refused(reasons.NOT_FINITE, "attributes: NaN|Infinity")
        elif type(piece) is list:
            pending.extend(piece)
        elif type(piece) is dict:
            pending.extend(piece)
            pending.extend(piece.values())
        elif type(piece) is Repeated:
            raise Refused(reasons.REPEATED_KEY, f"attributes: {piece.told()}")
    try:
        text = msgspec.json.encode(raw)
    except (RecursionError, msgspec.MsgspecError, OverflowError, ValueError) as error:
        raise Refused(reasons.BAD_EVENT, f"attributes: {type(error).__name__}") from None
    if len(text) > _LONGEST_ATTRIBUTES:
        raise Refused(reasons.BAD_EVENT, f"attributes: {len(text)} B > {_LONGEST_ATTRIBUTES} B")
    return text


def _checked(text: str) -> str:
    if "\x00" in text:
        raise Refused(reasons.NUL_CHARACTER, "\\u0000")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refused(reasons.BAD_EVENT, "surrogate") from None
    return text


class StatusDecoder:
    """``{"state": "online"|"offline", "at"?}`` or the bare words, of one slot.

    An offline without a time is a last will: it speaks for every slot of its connection, at receipt time.
    """

    def __init__(self, binding: ConnectionBinding, slot_ids: tuple[int, ...], timing: Timing) -> None:
        """:param slot_ids: the slots that a status of this topic is about; a will is about all of the connection."""
        self._binding = binding
        self._slot_ids = slot_ids
        self._everyone = tuple(slot.slot_id for slot in binding.slots)
        self._timing = timing

    def take(self, found: Any, message: Message, out: Decoded) -> None:
        """Put what a document says into ``out``."""
        if type(found) is Repeated:
            self._reject(found, message, out, "", Refused(reasons.REPEATED_KEY, found.told()))
            return
        said = found if type(found) is dict else {"state": found}
        raw = said.get("state")
        state = _WORDS.get(raw.strip().lower()) if type(raw) is str else None
        if state is None:
            detail = f"state={document.named(raw)}: online|offline"
            out.quarantine(message, self._binding.connection_id, reasons.BAD_STATUS, detail)
            return
        time = self._timing.raw(said)
        try:
            at_us, _flags = self._timing.counted(time, self._binding, message)
        except Refused as refusal:
            self._reject(state, message, out, "" if time is None else document.shown(time), refusal)
            return
        will = state == "offline" and said.get("at") is None
        for slot_id in self._everyone if will else self._slot_ids:
            out.link_states.append(
                LinkStateRecord(slot_id=slot_id, at_us=at_us, state=state, origin="will" if will else "status")
            )

    def _reject(self, said: Any, message: Message, out: Decoded, observed: str, refusal: Refused) -> None:
        for slot_id in self._slot_ids:
            out.reject(
                slot_id=slot_id,
                topic=message.topic,
                item="status",
                observed=observed,
                value=document.shown(said),
                reason=refusal.reason,
                detail=refusal.detail,
            )


def spoken_state(payload: bytes) -> Literal["online", "offline"] | None:
    """The state of a payload that is nothing but the word, with or without quotes, in any case."""
    if len(payload) > 32:
        return None
    return _WORDS.get(payload.decode("ascii", "replace").strip().strip('"').lower())

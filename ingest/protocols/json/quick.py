"""The short way: messages of one shape, read straight into numbers. What is not exactly of that shape goes the long way.

A shape is taken from a message that was taken whole: which keys it had, which of them are channels. By it a reader is made that
knows these keys and no others, each there, the channels' as numbers. Since a repeated key leaves no trace in what it reads, the
payload's colons are counted: as many as keys, and none was repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import hypot
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import astuple

from ingest.binding import FUTURE_US, ConnectionBinding
from ingest.message import Decoded, Message
from ingest.protocols.columns import WHOLE, converting
from ingest.protocols.json.numbering import END, LONGEST_BOOT
from ingest.protocols.json.slot_reader import Shape, SlotReader

_NOT_READ: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_FIRST_MS: Final = 10**11
_LAST_MS: Final = 10**14
_NUMBER: Final = ("seq", "boot")
_LESSONS: Final = 16
"""So many messages are looked at in all."""
_CREDIT: Final = 64
"""So many messages of another shape are tried in vain, and one more for each two that were of it."""
_MOST_KEYS: Final = 256
_UNSET: Final = msgspec.UNSET

Scalar = str | int | float | bool | None
Fits = Callable[[dict[str, Any]], bool]


class Keys(NamedTuple):
    """The keys of a message."""

    time: str
    values: str | None
    """Under which the channels stand; None: at the top."""
    channels: tuple[str, ...]
    others: tuple[str, ...]
    """Beside the channels, passed over."""
    at_top: tuple[str, ...]
    """Beside all of that, passed over too."""
    numbered: bool
    """Whether ``seq`` and ``boot`` may stand at the top and number the message."""


class Quick:
    """The short way of one topic."""

    def __init__(
        self,
        binding: ConnectionBinding,
        slot: SlotReader,
        *,
        time: str,
        values: str,
        flat_too: bool,
        numbered: bool,
        fits: Fits = lambda _: True,
    ) -> None:
        """
        :param time: the key at the top whose milliseconds are the time.
        :param values: the key at the top under which the values stand; ``flat_too``: without it, they stand at the top.
        :param numbered: ``seq`` and ``boot`` at the top number a message.
        :param fits: whether a message of these keys speaks of readings at all.
        """
        self._connection_id = binding.connection_id
        self._first_us, self._last_us = binding.start_us, binding.end_us - 1
        self._slot = slot
        self._time, self._values, self._flat_too, self._numbered = time, values, flat_too, numbered
        self._fits = fits
        self._decode: Callable[[bytes], Any] | None = None
        self._lessons = _LESSONS
        self._credit = _CREDIT

    @property
    def learns(self) -> bool:
        """Whether it has no shape yet, and still looks for one."""
        return self._decode is None and self._lessons > 0

    def learn(self, found: Any) -> None:
        """Look at a message that went the long way."""
        self._lessons -= 1
        keys = self._keys(found) if type(found) is dict and self._fits(found) else None
        shape = None if keys is None else self._shape
        if keys is None or shape is None:
            return
        self._decode = _decoder(keys)
        self._flat = keys.values is None
        others = keys.at_top if self._flat else keys.others
        self._n = len(keys.channels) if others or self._flat else None
        self._colons = 1 + len(keys.channels) + len(keys.others) + len(keys.at_top) + (0 if self._flat else 1)
        self._with_number = keys.numbered
        self._ids, self._times = shape.channel_ids, len(shape.channel_ids)
        self._convert = None if shape.factors is None else converting(shape.factors)

    def _keys(self, found: dict[str, Any]) -> Keys | None:
        holder = found.get(self._values)
        flat = self._flat_too and self._values not in found
        if flat:
            holder = found
        if type(holder) is not dict or self._time not in found or len(found) + len(holder) > _MOST_KEYS:
            return None
        self._shape: Shape | None = self._slot.shape(tuple(holder))
        if self._shape is None:
            return None
        channels = self._shape.names or tuple(holder)
        numbered = self._numbered and not {self._time, *(channels if flat else (self._values,))} & set(_NUMBER)
        known = {self._time, *(channels if flat else (self._values,)), *(_NUMBER if numbered else ())}
        if (flat and self._time in channels) or (not flat and self._time == self._values):
            return None
        keys = Keys(
            time=self._time,
            values=None if flat else self._values,
            channels=channels,
            others=() if flat else tuple(name for name in holder if name not in channels),
            at_top=tuple(name for name in found if name not in known),
            numbered=numbered,
        )
        return (
            keys
            if all(map(_is_plain, (*keys.channels, *keys.others, *keys.at_top, keys.time, keys.values or "")))
            else None
        )

    def take(self, message: Message, out: Decoded) -> bool:
        """Take a message of the shape.

        :returns: whether it was taken; if not, nothing was, and the long way comes to the same.
        """
        decode = self._decode
        if decode is None:
            return False
        payload = message.payload
        try:
            found = decode(payload)
        except _NOT_READ:
            return self._missed()
        raw = astuple(found if self._flat else found.values)
        if self._n is not None:
            raw = raw[: self._n]
        at_ms = found.time
        observed_us = at_ms * 1000
        if (
            not hypot(*raw) < WHOLE  # each of them is, then
            or not _FIRST_MS <= at_ms < _LAST_MS
            or not self._first_us <= observed_us <= self._last_us
            or observed_us > message.received_us + FUTURE_US
        ):
            return self._missed()
        colons, number = self._colons, None
        if self._with_number and (found.seq is not _UNSET or found.boot is not _UNSET):
            number = _number(found.seq, found.boot)
            if number is None:
                return self._missed()
            colons += 1 if found.boot is _UNSET else 2
        if payload.count(b":") != colons:
            return self._missed()
        if number is not None:
            out.sequences.append((self._connection_id, *number))
        out.channel_id.extend(self._ids)
        out.observed_us.extend([observed_us] * self._times)
        out.value.extend(raw if self._convert is None else self._convert(raw))
        out.flags.extend([message.flags] * self._times)
        self._credit += 1
        return True

    def _missed(self) -> bool:
        self._credit -= 2
        if self._credit < 0:
            self._decode, self._credit = None, _CREDIT  # and it looks for another, if lessons are left
        return False


def _number(seq: Any, boot: Any) -> tuple[str, int] | None:
    """Boot and number, if they are beyond doubt."""
    if type(seq) is not int or not 0 <= seq < END:
        return None
    if boot is _UNSET:
        return "", seq
    return (boot, seq) if len(boot) <= LONGEST_BOOT and boot.isprintable() else None


def _is_plain(name: str) -> bool:
    """Whether a key can be one of a reader's, and is no more than its colon to who counts them."""
    return name.isprintable() and not any(sign in name for sign in '"\\:')


@lru_cache(maxsize=1024)
def _decoder(keys: Keys) -> Callable[[bytes], Any]:
    """What reads messages of these keys. Many slots have the same channels: they share it."""
    fields: list[tuple[Any, ...]] = [(f"c{place}", float) for place in range(len(keys.channels))]
    names = {f"c{place}": name for place, name in enumerate(keys.channels)}
    top: list[tuple[Any, ...]] = [("time", int)]
    top_names = {"time": keys.time}
    if keys.numbered:
        top += [("seq", int | msgspec.UnsetType, _UNSET), ("boot", str | msgspec.UnsetType, _UNSET)]
    for place, name in enumerate(keys.at_top):
        top.append((f"t{place}", Scalar))
        top_names[f"t{place}"] = name
    if keys.values is None:
        return msgspec.json.Decoder(_struct([*fields, *top], {**names, **top_names})).decode
    for place, name in enumerate(keys.others):
        fields.append((f"o{place}", Scalar))
        names[f"o{place}"] = name
    top.append(("values", _struct(fields, names)))
    top_names["values"] = keys.values
    return msgspec.json.Decoder(_struct(top, top_names)).decode


def _struct(fields: list[tuple[Any, ...]], names: dict[str, str]) -> type[msgspec.Struct]:
    return msgspec.defstruct("Message", fields, forbid_unknown_fields=True, kw_only=True, rename=names, gc=False)

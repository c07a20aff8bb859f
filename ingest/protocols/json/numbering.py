"""Message numbers: ``seq``, which a sender counts up, and ``boot``, which tells one counting from another."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from ingest.protocols.json import document
from ingest.protocols.json.repeated import Repeated, sure

END: Final = 2**62
"""Numbers are below it."""
LONGEST_BOOT: Final = 64
_LOOKED_AT_BYTES: Final = 4_096
_PIECES: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[{}\[\]:,]|[^\s"{}\[\]:,]++', re.DOTALL)
"""Texts (the last one maybe without its end), structure, and whatever else stands without a gap."""
_INTEGER: Final = re.compile(rb"-?(?:0|[1-9]\d{0,62})")


class NotNumbered(ValueError):
    """What stands where the number belongs is none. Its text is the detail for the sender."""


Reader = Callable[[dict[str, Any]], tuple[str, int] | None]


def reader(*, taken: Iterable[str] = ()) -> Reader | None:
    """A function from the top of a message to its (boot, seq); None where the message carries no number.

    :param taken: keys that the plan reads for something else: they number nothing.
    :returns: nothing, where ``seq`` itself is taken.

    The function raises :class:`NotNumbered`, and nothing else.

    >>> numbers = reader()
    >>> numbers({"seq": 7, "boot": "a1"}), numbers({"seq": 7}), numbers({"boot": "a1"})
    (('a1', 7), ('', 7), None)
    """
    keys = frozenset(taken)
    with_boot = "boot" not in keys

    def read(top: dict[str, Any]) -> tuple[str, int] | None:
        seq = top.get("seq")
        if type(seq) is int and 0 <= seq < END:
            raw = top.get("boot") if with_boot else None
            return ("" if raw is None else _boot(raw)), seq
        if seq is None:
            return None
        raise NotNumbered(f"seq={document.named(seq)}: 0..2^62-1")

    return None if "seq" in keys else read


def sure_top(top: Any) -> dict[str, Any]:
    """What may number a message at whose top stands no plain object: what is sure of one that repeats other keys."""
    return sure(top) if type(top) is Repeated and "boot" not in top.names else {}


def _boot(raw: Any) -> str:
    if type(raw) is int and abs(raw) < 10 ** (LONGEST_BOOT - 1):
        return str(raw)
    if type(raw) is str and len(raw) <= LONGEST_BOOT and raw.isprintable():
        return raw
    raise NotNumbered(f"boot={document.named(raw)}: 1..{LONGEST_BOOT}")


def found_in(payload: bytes) -> tuple[str, int] | None:
    """The (boot, seq) at the top of a payload that is no JSON, or is not to be read as a whole.

    Its sender would otherwise send it again for ever. Looked at are the first and the last 4 KiB; what does not surely stand
    at the top of the message (or of its first element) is not taken for its number.

    >>> found_in(b'{"seq": 12, "values": {"seq": 3}, "t": ')
    ('', 12)
    >>> found_in(b'{"values": {"t": nil}, "seq": 12, "boot": "a1"}')
    ('a1', 12)
    """
    head = _PIECES.findall(payload[:_LOOKED_AT_BYTES].removeprefix(b"\xef\xbb\xbf"))
    pairs = _first(head)
    if head[:1] == [b"{"] and len(payload) > _LOOKED_AT_BYTES:
        pairs += _last(payload[max(_LOOKED_AT_BYTES, len(payload) - _LOOKED_AT_BYTES) :])
    seqs, boots = ([raw for key, raw in pairs if key == wanted] for wanted in (b'"seq"', b'"boot"'))
    if len(seqs) != 1 or len(boots) > 1:
        return None
    seq, boot = _plain(seqs[0]), _plain(boots[0]) if boots else None
    if type(seq) is not int or not 0 <= seq < END or (boot is None and boots not in ([], [b"null"])):
        return None
    try:
        return ("" if boot is None else _boot(boot)), seq
    except NotNumbered:
        return None


def _plain(raw: bytes) -> Any:
    """A text or an integer as it is written; anything else as None."""
    if _INTEGER.fullmatch(raw):
        return int(raw)
    if raw[:1] == b'"' and b"\\" not in raw:
        try:
            return raw[1:-1].decode()
        except UnicodeDecodeError:
            return None
    return None


def _first(pieces: list[bytes]) -> list[tuple[bytes, bytes]]:
    """The numbering pairs at the top of what begins here, up to the end of its first object."""
    top = 1 if pieces[:1] == [b"{"] else 2 if pieces[:2] == [b"[", b"{"] else 0
    depth = 0
    pairs = []
    for place, piece in enumerate(pieces if top else ()):
        if piece in (b"{", b"["):
            depth += 1
        elif piece in (b"}", b"]"):
            depth -= 1
            if depth < top:
                break
        elif depth == top:
            pairs += _pair(pieces, place)
    return pairs


def _last(text: bytes) -> list[tuple[bytes, bytes]]:
    """The numbering pairs at the top of the object that ends here, as far back as this reaches."""
    pieces = _PIECES.findall(text)
    if pieces[-1:] != [b"}"]:
        # Cut within a text, texts and what stands between them are exchanged: begin anew after that text.
        pieces = _PIECES.findall(text.partition(b'"')[2])
    depth = 0
    pairs = []
    for place in range(len(pieces) - 1, -1, -1):
        if pieces[place] in (b"}", b"]"):
            depth += 1
        elif pieces[place] in (b"{", b"["):
            depth -= 1
        elif depth == 1:
            pairs += _pair(pieces, place)
        if depth < 1:
            break
    return pairs


def _pair(pieces: list[bytes], place: int) -> list[tuple[bytes, bytes]]:
    """The key at this place with its value, if it is one of ours and its value ends where it should."""
    key = pieces[place]
    if key not in (b'"seq"', b'"boot"') or (place and pieces[place - 1] not in (b"{", b",")):
        return []
    after = pieces[place + 1 : place + 4]
    if len(after) < 3 or after[0] != b":" or after[2] not in (b",", b"}"):
        return []
    return [(key, after[1])]

"""What is done to recorded messages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any, Final

_NUMBER: Final = re.compile(rb"-?\d+(\.\d+)?([eE][-+]?\d+)?")
_TEXT: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"')
_PAIR: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"\s*:\s*("(?:[^"\\]|\\.)*+"|-?\d[-+.eE\d]*)')

_NUMBERS: Final = (
    b"0", b"-0", b"-0.0", b"1e999", b"-1e999", b"1e-999", b"1e308", b"5e-324", b"9007199254740993", b"-9007199254740993",
    b"9223372036854775807", b"9223372036854775808", b"-9223372036854775809", b"18446744073709551616",
    b"4611686018427387904", b"99999999999999999999999999999999", b"9" * 400, b"9" * 5_000, b"0." + b"3" * 400, b"NaN",
    b"Infinity", b"-Infinity", b"true", b"null", b"01", b"1.", b"0x10", b"1_000", b"1780282800000", b"1780282800",
    b"-62135596800000", b"253402300800000", b"1e13", b'"1780282800000"', b"[1]", b"{}",
)  # fmt: skip
_TEXTS: Final = (
    b'""', b'"\\u0000"', b'"a\\u0000b"', b'"\\ud800"', b'"\\udfff\\ud800"', b'"\\ud83d\\ude00"', b'"\x00"', b'"\n"',
    b'"\xff\xfe"',
    b'"\xed\xa0\x80"', b'"\xc0\x80"', b'"' + b"x" * 5_000 + b'"', b'"' + "한".encode() * 300 + b'"', b'"\\\\\\""', b'"values"',
    b'"ts"', b'"seq"', b'"boot"', b'"state"', b'"at"', b'"id"', b'"kind"', b'"online"', b'"OFFLINE"', b'"NaN"', b'"1e999"',
    b'"2026-06-01T03:00:00Z"', b'"2026-06-01T03:00:60+23:59"', b'"0001-01-01T00:00:00+14:00"', b'"9999-12-31T23:59:60Z"',
    b'"__proto__"', b'"a.b.c"', b'"' + b"9" * 500 + b'"', b'"\xe2\x80\xae"', b"'x'",
)  # fmt: skip
_PIECES: Final = (
    b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b",", b":", b"{", b"}", b"[", b"]", b'"', b"\\", b" ", b"\n", b"\xc2\xa0",
    b"\xe2\x80\xa8", b"//x\n", b"/**/", b',"seq":7', b',"boot":"b"', b',"ts":1', b'"values":{}', b"}{",
)  # fmt: skip
_LEVELS: Final = (
    "", "+", "#", "$SYS", "$share", "pilots", "readings", "events", "status", "receipt", "한글", "\x01", "\ufeff", "a\ufffdb",
    " ",
    "..", "%2f", "\U0001f600", "x" * 300, "x" * 60_000, "A", "platform-1", "\ud800", "*", "a b", "\\", "'", "a\x7fb", "​",
)  # fmt: skip


def damaged(random: Random, payload: bytes, other: bytes) -> bytes:
    """The payload after one to four things happened to it (or, now and then, as it was).

    :param other: another recorded payload, for splices.
    """
    for _ in range(random.choice((0, 1, 1, 1, 2, 2, 3, 4))):
        payload = random.choice(_WAYS)(random, payload, other)
    if random.random() < 0.0005:
        payload = random.choice(_LARGE)(random, payload)
    return payload


def damaged_topic(random: Random, topic: bytes, other: bytes) -> bytes:
    """A topic that may be anything that fits into a packet."""
    levels = topic.decode().split("/")
    match random.randrange(6):
        case 0:
            levels[random.randrange(len(levels))] = random.choice(_LEVELS)
        case 1:
            levels.insert(random.randrange(len(levels) + 1), random.choice(_LEVELS))
        case 2:
            del levels[random.randrange(len(levels))]
        case 3:
            levels = ["/".join(levels), *other.decode().split("/")]
        case 4:
            levels = levels * random.choice((2, 100))
        case _:
            return _flipped(random, topic, b"")[:65_535]
    return "/".join(levels).encode("utf-8", "surrogatepass")[:65_535]


def _flipped(random: Random, payload: bytes, _other: bytes) -> bytes:
    if not payload:
        return bytes([random.randrange(256)])
    changed = bytearray(payload)
    for _ in range(random.choice((1, 1, 1, 4))):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _cut(random: Random, payload: bytes, _other: bytes) -> bytes:
    end = random.randrange(len(payload) + 1)
    return payload[:end] if random.random() < 0.8 else payload[end:]


def _without_a_piece(random: Random, payload: bytes, _other: bytes) -> bytes:
    start = random.randrange(len(payload) + 1)
    return payload[:start] + payload[start + random.randrange(1, 9) :]


def _twice(random: Random, payload: bytes, _other: bytes) -> bytes:
    start = random.randrange(len(payload) + 1)
    return payload[:start] + payload[start : start + random.randrange(1, 40)] + payload[start:]


def _spliced(random: Random, payload: bytes, other: bytes) -> bytes:
    return payload[: random.randrange(len(payload) + 1)] + other[random.randrange(len(other) + 1) :]


def _inserted(random: Random, payload: bytes, _other: bytes) -> bytes:
    place = random.randrange(len(payload) + 1)
    return payload[:place] + random.choice(_PIECES) + payload[place:]


def _before(random: Random, payload: bytes, _other: bytes) -> bytes:
    return random.choice(_PIECES) + payload


def _replaced(found: re.Pattern[bytes], by: tuple[bytes, ...]) -> Callable[[Random, bytes, bytes], bytes]:
    def replaced(random: Random, payload: bytes, _other: bytes) -> bytes:
        places = list(found.finditer(payload[:4_000]))
        if not places:
            return payload + random.choice(by)
        place = random.choice(places)
        return payload[: place.start()] + random.choice(by) + payload[place.end() :]

    return replaced


def _pair_again(random: Random, payload: bytes, _other: bytes) -> bytes:
    """A key stands twice: with the same value, or another."""
    places = list(_PAIR.finditer(payload[:4_000]))
    if not places:
        return payload
    place = random.choice(places)
    value = place[1] if random.random() < 0.3 else random.choice(_NUMBERS)
    pair = place[0][: place.start(1) - place.start()] + value
    return payload[: place.end()] + b"," + pair + payload[place.end() :]


def _rewritten(random: Random, payload: bytes, _other: bytes) -> bytes:
    """Still JSON, but one value of it is another: how devices err."""
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        return payload
    holders: list[tuple[Any, Any]] = [([document], 0)]
    for holder, key in holders:
        inner = holder[key]
        keys = list(inner) if isinstance(inner, dict) else range(len(inner)) if isinstance(inner, list) else ()
        holders += [(inner, one) for one in keys]
    holder, key = random.choice(holders)
    holder[key] = random.choice(_VALUES)
    document = holders[0][0][0]
    return json.dumps(document, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")


def _listed(random: Random, payload: bytes, other: bytes) -> bytes:
    return b"[" + b",".join([payload, other] * random.choice((1, 1, 20))) + b"]"


def _nested(random: Random, payload: bytes, _other: bytes) -> bytes:
    depth = random.choice((1, 3, 60, 699, 700, 960, 990, 20_000))
    opening, closing = random.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'{"values":', b"}")))
    return opening * depth + payload + closing * random.choice((depth, depth, depth - 1))


def _many_keys(random: Random, payload: bytes) -> bytes:
    n = random.choice((300, 9_000))
    keys = b",".join(b'"k%d":%d' % (place, place) for place in range(n))
    return payload.replace(b"{", b"{" + keys + b",", 1) if b"{" in payload else b"{" + keys + b"}"


def _very_long(random: Random, payload: bytes) -> bytes:
    return (
        payload[:-1] + b'"' + random.choice((b"x", b"\\u0041", b'\\"', b" ")) * random.choice((3_000, 50_000)) + b'"}'
    )


def _very_large(random: Random, payload: bytes) -> bytes:
    return payload * (300_000 // max(1, len(payload)))


_VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 7, 7.5, 1e300, -1e300, 2**53 + 1, 2**62, 2**63, 2**64, 10**30, 10**320, float("nan"), float("inf"),
    "",
    "a", "\x00", "x" * 300, "12", " 12 ", "1e5", "on", "offline", "\ud800", [], [[]], {}, {"a": {"b": 1}}, [1, "a", None],
    {"values": {"a": 1}}, {"seq": 1}, "2026-06-01T12:00:00", "2026-06-01", 1780282800000, 1780282800.5, {"\x00": 1}, {"": ""},
)  # fmt: skip
_WAYS: Final = (
    _flipped, _flipped, _cut, _without_a_piece, _twice, _spliced, _inserted, _before, _replaced(_NUMBER, _NUMBERS),
    _replaced(_NUMBER, _NUMBERS), _replaced(_TEXT, _TEXTS), _replaced(_TEXT, _TEXTS), _replaced(_TEXT, _NUMBERS),
    _replaced(_NUMBER, _TEXTS), _pair_again, _rewritten, _rewritten, _rewritten, _rewritten, _listed, _nested,
)  # fmt: skip
_LARGE: Final = (_many_keys, _very_long, _very_large)

"""A payload for people: as JSON, as text, byte by byte. Nothing that it holds reaches the terminal as a control character."""

from __future__ import annotations

from typing import Final

import msgspec

_LINE: Final = 16


def pretty(payload: bytes) -> str | None:
    """The JSON document with one value a line, repeated keys and all; None if it is none.

    >>> print(pretty(b'{"a":1,"a":[2]}'))
    {
      "a": 1,
      "a": [
        2
      ]
    }
    """
    try:
        return visible(msgspec.json.format(payload.removeprefix(b"\xef\xbb\xbf"), indent=2).decode())
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def as_text(payload: bytes) -> str | None:
    """The text that the bytes are in UTF-8; None if they are none."""
    try:
        return visible(payload.decode())
    except UnicodeDecodeError:
        return None


def visible(text: str) -> str:
    r"""The text with what cannot be seen written out.

    >>> visible("a\x1b[2J")
    'a\\x1b[2J'
    """
    return "".join(letter if letter.isprintable() or letter == "\n" else f"\\x{ord(letter):02x}" for letter in text)


def hex_lines(payload: bytes) -> list[str]:
    """Place, bytes, and the letters among them.

    >>> hex_lines(b"\\x00AZ")
    ['00000000  00 41 5a                                         .AZ']
    """
    return [
        f"{place:08x}  {part.hex(' '):<{3 * _LINE - 1}}  {''.join(chr(one) if 32 <= one < 127 else '.' for one in part)}"
        for place, part in ((start, payload[start : start + _LINE]) for start in range(0, len(payload), _LINE))
    ]

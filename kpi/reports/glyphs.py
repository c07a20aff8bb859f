"""What the documents' fonts can show, read from the font file itself; anything else is written in words, never as a box.

An archive's PDF (PDF/A) may hold no character without a glyph, and names come from people.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from functools import cache
from typing import Any

from kpi.charts.render import font_files

# What the fallback that typst carries (DejaVu Sans Mono) adds: Latin letters with marks, and the signs named here.
_FALLBACK = frozenset(chr(code) for code in range(0xA1, 0x180)) | frozenset("✓✕−‑")
_INVISIBLE = frozenset({"Cf", "Cs", "Co", "Cn", "Mn"})
_UNUSUAL = re.compile(r"[^\n -~가-힣]")
_NUMBER_AND_SIGN = re.compile(r"(\d) (?=[%°µ])")


@cache
def displayable() -> frozenset[str]:
    """Every character that the fonts of a document have, white space left out."""
    data = font_files()[0].read_bytes()
    tables = {data[at : at + 4]: struct.unpack(">I", data[at + 8 : at + 12])[0] for at in _entries(data)}
    start = tables[b"cmap"]
    count = struct.unpack(">H", data[start + 2 : start + 4])[0]
    found: set[str] = set()
    for place in range(count):
        offset = struct.unpack(">I", data[start + 8 + 8 * place : start + 12 + 8 * place])[0]
        if struct.unpack(">H", data[start + offset : start + offset + 2])[0] == 4:
            found |= _segments(data, start + offset)
    return frozenset(found) | _FALLBACK


def _entries(data: bytes) -> range:
    """Where the entries of a font file's table directory begin."""
    count = struct.unpack(">H", data[4:6])[0]
    return range(12, 12 + 16 * count, 16)


def _segments(data: bytes, at: int) -> set[str]:
    """The characters of a character map in format 4 (OpenType specification, cmap): segments of code points."""
    n = struct.unpack(">H", data[at + 6 : at + 8])[0] // 2
    ends, starts, deltas, offsets = (
        struct.unpack(f">{n}H", data[at + skip : at + skip + 2 * n])
        for skip in (14, 16 + 2 * n, 16 + 4 * n, 16 + 6 * n)
    )
    found: set[str] = set()
    for place in range(n):
        for code in range(starts[place], min(ends[place], 0xFFFE) + 1):
            glyph = code + deltas[place]
            if offsets[place]:
                where = at + 16 + 6 * n + 2 * place + offsets[place] + 2 * (code - starts[place])
                glyph = struct.unpack(">H", data[where : where + 2])[0]
            if glyph & 0xFFFF:
                found.add(chr(code))
    return found


def printable(value: Any) -> Any:
    """A view whose texts hold only what the fonts can show; a number and its sign do not part at a line's end."""
    match value:
        case str():
            text = _UNUSUAL.sub(lambda match: _shown(match[0]), unicodedata.normalize("NFC", value))
            return _NUMBER_AND_SIGN.sub("\\1\u00a0", text)
        case dict():
            return {key: printable(item) for key, item in value.items()}
        case list() | tuple():
            return [printable(item) for item in value]
        case _:
            return value


def _shown(character: str) -> str:
    """One unusual character: itself, its plainer form, its name (pictographs) or its number."""
    if character in displayable() or character == "\u00a0":
        return character
    if unicodedata.category(character) in _INVISIBLE:
        return ""  # joiners and selectors of pictographs; what Unicode does not define
    if character.isspace() or unicodedata.category(character) == "Cc":
        return " "
    plainer = unicodedata.normalize("NFKD", character)
    if plainer != character and all(part in displayable() or part.isascii() for part in plainer):
        return plainer
    if unicodedata.category(character) == "So":
        return f"({unicodedata.name(character, 'symbol').lower()})"
    return f"[U+{ord(character):04X}]"

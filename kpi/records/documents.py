"""The documents that prove what people record: any file, kept byte by byte with its SHA-256. Never changed."""

from __future__ import annotations

import hashlib
import mimetypes
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.database import Connection
from core.errors import NotFound
from core.sql import load
from kpi.records.refusal import Refused

_SQL = load("kpi.records", "documents.sql")

MOST_BYTES: Final = 10 << 20
"""Of one file: a scan of some pages at a good resolution."""
_LONGEST_NAME: Final = 120
_MOST_WAITING: Final = 3
_UNKNOWN: Final = "application/octet-stream"
_TYPES: Final = {
    ".hwp": "application/x-hwp", ".hwpx": "application/hwp+zip", ".csv": "text/csv", ".pdf": "application/pdf",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A file as somebody gives it."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def media_type(self) -> str:
        return media_type(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file that is kept."""

    document_id: int
    sha256: str
    bytes: int
    media_type: str
    name: str
    recorded_at: datetime
    recorded_by: str


def paper(name: str, content: bytes) -> Paper:
    """A file that may be kept.

    :param name: as its owner called it; a path loses its folders.
    :raises PermanentError: it is empty, or too large.
    """
    called = file_name(name)
    if not content:
        raise Refused(
            f"The document {called!r} is empty (0 bytes): give the file that proves the entry.",
            f"문서 {called!r}이(가) 비어 있습니다(0바이트): 증빙이 되는 파일을 올려 주십시오.",
        )
    if len(content) > MOST_BYTES:
        raise Refused(
            f"The document {called!r} has more than {MOST_BYTES:,} bytes, the most that one may have: give it in parts, or"
            " scanned at a lower resolution.",
            f"문서 {called!r}이(가) 너무 큽니다({MOST_BYTES >> 20} MiB까지): 나누거나 해상도를 낮추어 올려 주십시오.",
        )
    return Paper(name=called, content=content)


def file_name(given: str) -> str:
    """The name of a file without folders and without signs that show as something else.

    >>> file_name("../../etc/passwd"), file_name("C:\\\\민원\\\\5월.pdf"), file_name("a\\u202efdp.exe"), file_name(" .. ")
    ('passwd', '5월.pdf', 'afdp.exe', 'document')
    """
    last = unicodedata.normalize("NFC", given).replace("\\", "/").rpartition("/")[2]
    plain = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C").strip().strip(".").strip()
    if len(plain) > _LONGEST_NAME:
        stem, dot, ending = plain.rpartition(".")
        keep = f"{dot}{ending}" if dot and len(ending) <= 8 else ""
        plain = (stem if keep else plain)[: _LONGEST_NAME - len(keep)] + keep
    return plain or "document"


def media_type(name: str) -> str:
    """By the name's ending alone: what a sender says of it is not asked."""
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    return _TYPES.get(ending) or mimetypes.types_map.get(ending, _UNKNOWN)


def keep(connection: Connection, pilot: str, pilot_id: int, given: Paper, *, at: datetime, who: str) -> Document:
    """Keep a file, in the transaction of what it proves. The same bytes of a pilot are kept once, under their first name."""
    connection.execute(
        _SQL["keep"],
        {
            "pilot_id": pilot_id, "sha256": given.sha256, "bytes": len(given.content), "media_type": given.media_type,
            "name": given.name, "content": given.content, "at": at, "who": who,
        },
    )  # fmt: skip
    return document(connection, pilot, given.sha256)


def document(connection: Connection, pilot: str, sha256: str) -> Document:
    """A kept file of a pilot, without its content.

    :raises NotFound: the pilot has none of this hash.
    """
    row = connection.execute(_SQL["kept"], {"pilot": pilot, "sha256": sha256}).fetchone()
    if row is None:
        raise NotFound(f"Pilot {pilot} has no document with the SHA-256 {sha256[:64]!r}.")
    return Document(**row)


def content(connection: Connection, pilot: str, sha256: str) -> bytes:
    """The bytes of a kept file.

    :raises NotFound: the pilot has none of this hash.
    """
    row = connection.execute(_SQL["content"], {"pilot": pilot, "sha256": sha256}).fetchone()
    if row is None:
        raise NotFound(f"Pilot {pilot} has no document with the SHA-256 {sha256[:64]!r}.")
    return bytes(row["content"])


def documents(connection: Connection, pilot: str, before: datetime) -> list[dict[str, Any]]:
    """``{"sha256", "bytes"}`` of every file that was kept before an instant."""
    return connection.execute(_SQL["documents"], {"pilot": pilot, "before": before}).fetchall()


# --- Between a form and its confirmation


def set_aside(connection: Connection, pilot: str, person: str, given: Paper) -> str:
    """Keep a file for as long as its form waits to be confirmed: two hours, and of one person the newest few.

    :returns: by what :func:`waiting` gives it back.
    """
    upload_id = secrets.token_urlsafe(18)
    with connection.transaction():
        connection.execute(
            _SQL["upload"],
            {"upload_id": upload_id, "pilot": pilot, "person": person, "name": given.name, "content": given.content},
        )
        connection.execute(_SQL["crowded"], {"person": person, "most": _MOST_WAITING})
    return upload_id


def waiting(connection: Connection, pilot: str, person: str, upload_id: str) -> Paper:
    """The file that a form waits with.

    :raises PermanentError: it waited too long, or is not this person's.
    """
    asked = {"upload_id": upload_id.replace("\0", ""), "person": person, "pilot": pilot}
    row = connection.execute(_SQL["uploaded"], asked).fetchone()
    if row is None:
        raise Refused(
            "The document is not there any more: the form was open for too long. Give it once more.",
            "양식이 오래 열려 있어 올린 문서가 없어졌습니다: 다시 올려 주십시오. 기록된 것은 없습니다.",
        )
    return paper(row["name"], bytes(row["content"]))


def taken(connection: Connection, upload_id: str) -> None:
    """It was kept for good, and waits no more."""
    connection.execute(_SQL["taken"], {"upload_id": upload_id})

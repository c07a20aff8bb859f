"""Passwords as scrypt strings that carry their own salt and cost: ``scrypt$ln=15,r=8,p=1$<salt>$<hash>``."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import threading
import unicodedata
from functools import cache

from core.errors import PermanentError

LEAST_LENGTH = 10
"""Characters a chosen password has at the least."""
LONGEST = 256
"""Bytes beyond which a password is not even hashed: nobody types more."""

_LN, _R, _P = 15, 8, 1  # 32 MiB and some 80 ms a guess
_FORM = re.compile(r"scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)")
_ROOM = threading.BoundedSemaphore(2)
"""Each hash takes 32 MiB: a burst of log-ins waits its turn instead of taking the machine's memory."""


class PasswordError(PermanentError):
    """A password that cannot be taken. The message never repeats it."""


def _derive(password: bytes, salt: bytes, ln: int, r: int, p: int) -> bytes:
    with _ROOM:
        return hashlib.scrypt(password, salt=salt, n=1 << ln, r=r, p=p, maxmem=(128 * r << ln) + (1 << 21), dklen=32)


def made(password: str) -> str:
    """The string to store for a password.

    :raises PasswordError: it is too short or too long.
    """
    data = _bytes(password)
    if len(password) < LEAST_LENGTH:
        raise PasswordError(
            f"The password has {len(password)} characters; it needs {LEAST_LENGTH} at the least: choose a longer one."
        )
    if len(data) > LONGEST:
        raise PasswordError(f"The password has {len(data)} bytes; {LONGEST} is the most: choose a shorter one.")
    salt = secrets.token_bytes(16)
    digest = _derive(data, salt, _LN, _R, _P)
    return f"scrypt$ln={_LN},r={_R},p={_P}${_text(salt)}${_text(digest)}"


def matches(password: str, stored: str | None) -> bool:
    """Whether a password is the stored one. ``None``, for nobody's, costs the same time and is always False."""
    data = _bytes(password)
    known = _FORM.fullmatch(stored if stored is not None else _nobodys())
    if known is None:
        raise PermanentError("A stored password has no scrypt form: set it anew with `pilotbed user password`.")
    ln, r, p = (int(known[i]) for i in (1, 2, 3))
    digest = _derive(data[:LONGEST], base64.b64decode(known[4]), ln, r, p)
    same = hmac.compare_digest(digest, base64.b64decode(known[5]))
    return same and stored is not None and len(data) <= LONGEST


def generated() -> str:
    """A password for somebody who did not choose one: some 99 bits in four groups, read aloud without doubt."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))


@cache
def _nobodys() -> str:
    return made(secrets.token_urlsafe(24))


def _bytes(password: str) -> bytes:
    """One form of each letter: macOS and Windows type the same Hangul as different code points."""
    return unicodedata.normalize("NFC", password).encode(errors="surrogatepass")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()

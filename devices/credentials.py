"""Secrets of connections, and the form in which Mosquitto's dynamic security plugin keeps them.

The registry stores that form and never the secret: a lost users' file of the broker is generated anew from it, and no
device in the field needs a new secret then.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Final

ITERATIONS: Final = 101
"""What Mosquitto 2 itself uses. Our secrets are random and long, so guessing them is hopeless at any number."""

_SECRET_BYTES: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordRecord:
    """What the plugin keeps of a password: PBKDF2-HMAC-SHA512, 64 bytes; hash and salt in base64."""

    hash: str
    salt: str
    iterations: int = ITERATIONS


def new_secret() -> str:
    """A random secret of 32 URL-safe characters (192 bits)."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def password_record(password: str, *, salt: bytes | None = None, iterations: int = ITERATIONS) -> PasswordRecord:
    """The record of a password, with a random salt unless one is given."""
    salt = secrets.token_bytes(12) if salt is None else salt
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations, dklen=64)
    return PasswordRecord(
        hash=base64.b64encode(digest).decode(), salt=base64.b64encode(salt).decode(), iterations=iterations
    )


def matches(password: str, record: PasswordRecord) -> bool:
    """Whether a password is the one of the record."""
    salt = base64.b64decode(record.salt)
    return hmac.compare_digest(password_record(password, salt=salt, iterations=record.iterations).hash, record.hash)

"""Browser sessions: a signed cookie that names a person and an epoch, form tokens, and safe return addresses."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeTimedSerializer

SESSION_COOKIE: Final = "pilotbed_session"
VISIT_COOKIE: Final = "pilotbed_visit"
LANGUAGE_COOKIE: Final = "pilotbed_language"
SESSION_S: Final = 12 * 3600
"""A working day: after it the cookie is worth nothing, whatever the browser keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What a session cookie says. The database decides whether it still holds."""

    person_id: int
    epoch: int
    nonce: str


class Sessions:
    """Signs and reads cookies and form tokens with one key."""

    def __init__(self, key: str) -> None:
        """
        :param key: the signing secret; changing it ends every session.
        """
        if len(key) < 16:
            raise ValueError(f"A session key of {len(key)} characters is guessed too easily; give it 16 at the least.")
        self._signer = URLSafeTimedSerializer(
            key, salt="pilotbed.session", signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        )
        self._form_key = hmac.digest(key.encode(), b"pilotbed.form", "sha256")

    def issue(self, *, person_id: int, epoch: int) -> str:
        """The cookie of a new session."""
        return str(self._signer.dumps([person_id, epoch, secrets.token_urlsafe(12)]))

    def read(self, cookie: str | None) -> Ticket | None:
        """What a cookie says, or None where it is missing, forged or older than a working day."""
        if not cookie:
            return None
        try:
            said: Any = self._signer.loads(cookie, max_age=SESSION_S)
        except BadData:
            return None
        match said:
            case [int(person_id), int(epoch), str(nonce)]:
                return Ticket(person_id=person_id, epoch=epoch, nonce=nonce)
            case _:
                return None

    def form_token(self, nonce: str) -> str:
        """What a form of this session or visit carries: another site can neither read nor make it."""
        return hmac.new(self._form_key, nonce.encode(), "sha256").hexdigest()

    def is_form_token(self, nonce: str | None, token: str) -> bool:
        """Whether a form came from a page that we gave this session or visit."""
        return bool(nonce) and hmac.compare_digest(
            self.form_token(nonce or "").encode(), token.encode(errors="replace")
        )


def safe_next(target: str | None) -> str:
    """Where to go after the log-in: a path of ours, or the first page for anything else.

    >>> safe_next("/pilots/a?range=7d")
    '/pilots/a?range=7d'
    >>> safe_next("//evil.example/"), safe_next("https://evil.example"), safe_next("/\\\\evil.example")
    ('/', '/', '/')
    """
    if not target or len(target) > 2000 or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return "/"
    if any(ord(letter) < 33 or ord(letter) == 127 for letter in target):  # browsers drop tabs and newlines inside
        return "/"
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or parts.path.startswith(("/login", "/logout")):
        return "/"
    return target

"""What goes around every answer: security headers, and the outermost net for what nobody foresaw."""

from __future__ import annotations

import re
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.errors import too_large, unforeseen
from dashboards.log import log_error, new_reference

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


_MOST_BYTES: Final = 65_536
_LARGER: Final = {re.compile(r"/pilots/[^/]+/((manual|labels)/preview|baselines)"): 11 << 20}
"""Addresses that take a file, with what a request there may have."""
_DRAINED: Final = 64 << 20
"""A browser reads an answer only when it has sent everything: of one that sends too much, so much is thrown away for that."""


def most_bytes(path: str) -> int:
    """How much a request may send there."""
    return next((most for pattern, most in _LARGER.items() if pattern.fullmatch(path)), _MOST_BYTES)


def _announced(scope: Scope) -> int:
    """How much a request says it sends; 0 where it does not."""
    said = dict(scope["headers"]).get(b"content-length", b"0")
    return int(said) if said.isdigit() else 0


class Frame:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":  # like GET; the server leaves the body out
            scope = dict(scope) | {"method": "GET"}
        begun = False
        taken, most = 0, most_bytes(scope["path"])

        async def metered() -> Message:
            # Forms here are short. Without a bound a stranger's endless one would be read into memory.
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise ValueError(f"A request of more than {most} bytes; forms here are shorter.")
            return message

        async def framed(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                # What a person sees is theirs: no cache in between keeps it, and "back" after a log-out asks again.
                headers.setdefault("cache-control", "no-store")
                if scope["scheme"] == "https":
                    headers.setdefault("strict-transport-security", "max-age=31536000")
            await send(message)

        try:
            if _announced(scope) > most > _MOST_BYTES:  # only who sends a file learns more than that it failed
                drained, more = 0, True
                while more and drained <= _DRAINED:
                    message = await receive()
                    drained += len(message.get("body", b""))
                    more = message.get("more_body", False)
                response = await too_large(Request(scope, receive))
                await response(scope, receive, framed)
                return
            await self._app(scope, metered, framed)
        except Exception as error:
            reference = new_reference()
            log_error(scope, reference, error)
            if begun:  # the answer is half out: breaking it off is the only honest end
                raise
            response = await unforeseen(Request(scope, receive), reference)
            await response(scope, receive, framed)

"""Where the broker is, and as whom we go there."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from core.errors import PermanentError


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerUrl:
    """``mqtt://user:password@host:port``; ``mqtts`` for TLS. As text it shows no secret."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def parse_broker_url(url: str) -> BrokerUrl:
    """The parts of a broker's URL.

    :raises PermanentError: it is none; the message does not repeat it, for the secret in it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise PermanentError(
            "The broker's URL (PILOTBED_MQTT_URL) is not usable: write it as mqtt://user:password@host:port."
        )
    tls = parts.scheme == "mqtts"
    return BrokerUrl(
        host=parts.hostname,
        port=port or (8883 if tls else 1883),
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        tls=tls,
    )

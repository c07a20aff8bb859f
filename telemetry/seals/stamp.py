"""Timestamps from an authority outside (RFC 3161), where one is configured: when a head was there, by somebody else's clock.

The authority away: the day is sealed without, and asked for again later.
"""

from __future__ import annotations

import logging
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import rfc3161_client as rfc3161
from cryptography import x509

from core.database import Connection
from core.errors import EnvironmentProblem, PilotbedError, TransientError
from core.settings import Settings
from core.sql import load
from core.window import micros

_SQL = load("telemetry.seals", "store.sql")
_log = logging.getLogger(__name__)

_TIMEOUT_S: Final = 10.0
_MOST_AT_ONCE: Final = 100
_MOST_BYTES: Final = 100_000


class AuthorityAway(TransientError):
    """The time-stamping authority did not answer, or not with a timestamp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What the authority said."""

    token: bytes
    """The whole answer, DER: ``openssl ts -verify -in`` takes it."""
    stamped_at: datetime


def stamp(head: str, url: str, ca: Path | None = None) -> Stamp:
    """Have a head stamped: the data that the authority's answer is about are the 64 letters of the head.

    :param ca: the certificate of the authority's root, to verify the answer by.
    :raises AuthorityAway: no usable answer.
    :raises EnvironmentProblem: the certificate cannot be read.
    """
    asked = rfc3161.TimestampRequestBuilder().data(head.encode()).build()
    request = urllib.request.Request(  # noqa: S310 - the setting takes http and https alone
        url, data=asked.as_bytes(), headers={"Content-Type": "application/timestamp-query"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            token = answer.read(_MOST_BYTES)
        response = rfc3161.decode_timestamp_response(token)
        if response.status not in (0, 1):
            raise AuthorityAway(f"The authority at {url} refused to stamp {head[:16]}…: status {response.status}.")
        if response.tst_info.nonce != asked.nonce:
            raise AuthorityAway(f"The authority at {url} answered another question than about {head[:16]}….")
    except (OSError, urllib.error.URLError, ValueError) as error:
        raise AuthorityAway(f"The authority at {url} gave no timestamp for {head[:16]}…: {error}.") from error
    _verify(response, head, ca)
    return Stamp(token=token, stamped_at=response.tst_info.gen_time)


def stamped_at(token: bytes, head: str, ca: Path | None = None) -> datetime:
    """When a kept answer says that the head was there.

    :raises AuthorityAway: it is none, or about another head, or not by that authority.
    """
    try:
        response = rfc3161.decode_timestamp_response(token)
        # Read here: an answer that has no timestamp, or a broken one, says so only when it is looked at.
        at = response.tst_info.gen_time
        _verify(response, head, ca)
    except ValueError as error:
        raise AuthorityAway(f"The timestamp of {head[:16]}… cannot be read: {error}.") from error
    return at


def _verify(response: rfc3161.TimeStampResponse, head: str, ca: Path | None) -> None:
    imprint = response.tst_info.message_imprint
    wanted = rfc3161.TimestampRequestBuilder().data(head.encode()).build().message_imprint
    if imprint.message != wanted.message:
        raise AuthorityAway(f"The timestamp is not of the head {head[:16]}….")
    if ca is None:
        return
    try:
        roots = x509.load_pem_x509_certificates(ca.read_bytes())
    except (OSError, ValueError) as error:
        raise EnvironmentProblem(
            f"The authority's certificate {ca} (PILOTBED_TIMESTAMP_CA) cannot be read: {error}."
        ) from error
    builder = rfc3161.VerifierBuilder()
    for root in roots:
        builder = builder.add_root_certificate(root)
    try:
        builder.build().verify_message(response, head.encode())
    except rfc3161.VerificationError as error:
        raise AuthorityAway(f"The timestamp of {head[:16]}… is not by the authority of {ca}: {error}.") from error


def stamp_missing(connection: Connection, wanted: Settings) -> int:
    """Have every seal of a whole day stamped that is not; the authority away: later.

    :returns: how many were.
    """
    if wanted.timestamp_url is None:
        return 0
    done = 0
    for row in connection.execute(_SQL["unstamped"], {"most": _MOST_AT_ONCE}).fetchall():
        try:
            found = stamp(row["head"], wanted.timestamp_url, wanted.timestamp_ca)
        except PilotbedError as problem:
            _log.warning("seal_not_timestamped, tried again later: %s", problem)
            return done
        micros(found.stamped_at)  # refuses one without a zone
        connection.execute(
            _SQL["add_timestamp"],
            {
                "seal_id": row["seal_id"],
                "authority": wanted.timestamp_url,
                "token": found.token,
                "stamped_at": found.stamped_at,
            },
        )
        done += 1
    return done

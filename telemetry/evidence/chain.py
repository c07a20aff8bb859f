"""The seals of a bundle: the chain from the first to the last one that its results need, as lines of JSON; and the keys."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import RawIOBase
from pathlib import Path
from typing import Any, Final

from core.canonical import canonical_json
from core.database import Connection
from core.errors import EnvironmentProblem, PermanentError
from telemetry.evidence.archive import Archive
from telemetry.evidence.damaged import Damaged, read_json
from telemetry.seals import store
from telemetry.seals.check import Checked, Fault, chain
from telemetry.seals.record import SealRecord, read_record
from telemetry.seals.signing import PublicKey, fingerprint, keys_document, public_keys, trusted_keys
from telemetry.seals.stamp import AuthorityAway, stamped_at
from telemetry.seals.store import Seal

SEALS: Final = "seals.jsonl"
KEYS: Final = "keys.json"
_LONGEST_LINE: Final = 4 << 20
_MOST_SEALS: Final = 100_000
_MOST_KEY_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A seal in a bundle."""

    seal: Seal
    said: SealRecord
    before: SealRecord | None
    """The whole-day seal before it."""


def needed(seals: Sequence[Seal], until: datetime) -> list[Link] | None:
    """The chain up to the first seal that covers an instant; None: none does yet."""
    found: list[Link] = []
    before: SealRecord | None = None
    for seal in seals:
        said = seal.said
        found.append(Link(seal=seal, said=said, before=before))
        if said.end > until:
            return found
        if not said.interim:
            before = said
    return None


def covering(links: Sequence[Link]) -> list[Link]:
    """Those of a chain whose leaves say all of its time once: the whole days, and an interim seal at the end."""
    return [link for place, link in enumerate(links) if not link.said.interim or place == len(links) - 1]


def write_seals(into: RawIOBase, links: Iterable[Link]) -> None:
    for link in links:
        seal = link.seal
        stamp = None
        if seal.token is not None:
            stamp = {
                "authority": seal.authority,
                "stamped_at": seal.stamped_at,
                "token": base64.b64encode(seal.token).decode(),
            }
        line = {
            "number": seal.number, "head": seal.head, "record": seal.record.decode(), "signature": seal.signature.hex(),
            "key": seal.key, "statement": seal.statement.decode(),
            "statement_signature": seal.statement_signature.hex(), "timestamp": stamp,
        }  # fmt: skip
        into.write(canonical_json(line) + b"\n")


def write_keys(into: RawIOBase, connection: Connection) -> None:
    into.write(canonical_json(keys_document(public_keys(connection))))


def read_links(archive: Archive) -> list[Link]:
    """The seals of a bundle, not checked yet.

    :raises Damaged: they cannot be read.
    """
    found: list[Link] = []
    before: SealRecord | None = None
    with archive.stream(SEALS) as stream:
        while line := stream.readline(_LONGEST_LINE):
            seal = _seal(read_json(line, SEALS))
            if len(found) == _MOST_SEALS:
                raise Damaged(f"{SEALS} has more than {_MOST_SEALS:,} seals.")
            try:
                said = read_record(seal.record)
            except ValueError as error:
                raise Damaged(f"{SEALS}: the record of seal {seal.number} cannot be read: {error}.") from error
            found.append(Link(seal=seal, said=said, before=before))
            if not said.interim:
                before = said
    if not found:
        raise Damaged(f"{SEALS} has no seal.")
    return found


def _seal(line: dict[str, Any]) -> Seal:
    record = line["record"].encode()
    said = read_json(record, SEALS)
    stamp = line["timestamp"]
    return Seal(
        seal_id=0, pilot_id=0, number=line["number"], day=datetime.fromisoformat(said["day"]).date(),
        interim=said["interim"], epoch=said["epoch"], head=line["head"], record=record,
        signature=bytes.fromhex(line["signature"]), key=line["key"], statement=line["statement"].encode(),
        statement_signature=bytes.fromhex(line["statement_signature"]), recorded_at=datetime.fromtimestamp(0, UTC),
        authority=None if stamp is None else stamp["authority"],
        stamped_at=None if stamp is None else datetime.fromisoformat(stamp["stamped_at"]),
        token=None if stamp is None else base64.b64decode(stamp["token"]),
    )  # fmt: skip


def read_keys(archive: Archive) -> list[PublicKey]:
    """The public keys of a bundle, not trusted yet."""
    document = read_json(archive.read(KEYS, most=_MOST_KEY_BYTES), KEYS)
    return [_key(one) for one in document["keys"]]


def _key(one: dict[str, Any]) -> PublicKey:
    return PublicKey(
        fingerprint=one["fingerprint"],
        public=bytes.fromhex(one["public_key"]),
        statement=None if one["statement"] is None else one["statement"].encode(),
        signature=None if one["signature"] is None else bytes.fromhex(one["signature"]),
        signed_by=one["signed_by"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainChecked:
    """What was found of a bundle's chain."""

    checked: Checked
    root: str
    """The fingerprint of the key that the chain's trust begins with."""
    given: bool
    """Whether that key is one that the reader has from elsewhere."""
    stamped: int
    """How many seals have a timestamp of their head that is sound."""


def check_chain(
    pilot: str, links: Sequence[Link], keys: Sequence[PublicKey], roots: Sequence[str], ca: Path | None = None
) -> ChainChecked:
    """Check numbers, heads, spans, signatures and timestamps.

    :param roots: fingerprints that the reader trusts; none: the first key of the bundle.
    :param ca: the certificate of the time-stamping authority's root.
    """
    result = Checked(pilot=pilot)
    trusted = trusted_keys(keys, roots)
    if links[0].seal.number != 1:
        raise Damaged(f"The chain begins with seal {links[0].seal.number}, not with the first one.")
    chain([link.seal for link in links], trusted, result)
    for link in links:
        if link.said.pilot != pilot:
            raise Damaged(f"Seal {link.seal.number} is of pilot {link.said.pilot!r}, the bundle of {pilot!r}.")
    stamped = 0
    for link in links:
        if link.seal.token is not None:
            fault = _stamp_fault(link.seal, link.seal.token, ca)
            if fault is None:
                stamped += 1
            else:
                result.faults.append(
                    Fault(about="witness", number=link.seal.number, day=link.seal.day, leaf=None, what=fault)
                )
    used = next((name for name in roots if name in trusted), None)
    root = used or (keys[0].fingerprint if keys else "")
    return ChainChecked(checked=result, root=root, given=used is not None, stamped=stamped)


def _stamp_fault(seal: Seal, token: bytes, ca: Path | None) -> str | None:
    try:
        at = stamped_at(token, seal.head, ca)
    except AuthorityAway as problem:
        return str(problem)
    if at != seal.stamped_at:
        return f"its timestamp says {at.isoformat()}, and the bundle {seal.stamped_at}"
    return None


def key_file(path: Path) -> list[str]:
    """The fingerprints in a file of keys: what ``/.well-known/pilotbed-seal-keys.json`` has, a public key in PEM, or words.

    :raises PermanentError: it has none.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        with path.open("rb") as file:
            data = file.read(_MOST_KEY_BYTES)
    except OSError as error:
        raise EnvironmentProblem(
            f"The key {path} cannot be read ({error.strerror}): give the path of a file."
        ) from error
    if data.lstrip().startswith(b"{"):
        keys = [_key(one) for one in read_json(data, str(path))["keys"]]
        return [key.fingerprint for key in keys if fingerprint(key.public) == key.fingerprint]
    if b"-----BEGIN" in data:
        try:
            key = serialization.load_pem_public_key(data)
        except ValueError as error:
            raise PermanentError(f"The file {path} holds no public key in PEM: {error}.") from error
        if not isinstance(key, Ed25519PublicKey):
            raise PermanentError(f"The key in {path} is no Ed25519 key; seals are signed by such.")
        return [fingerprint(key.public_bytes_raw())]
    words = data.decode("utf-8", "replace").split()
    found = [word.lower() for word in words if len(word) == 64 and all(one in "0123456789abcdefABCDEF" for one in word)]
    if not found:
        raise PermanentError(
            f"The file {path} has no key: give seal-keys.json, a public key in PEM, or a fingerprint of 64 digits."
        )
    return found


def chain_of(connection: Connection, pilot: str) -> list[Seal]:
    """All seals of a pilot."""
    return store.seals(connection, pilot)

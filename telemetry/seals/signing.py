"""The keys that sign seals: Ed25519. The private one lies in a file that only its owner reads; the public ones in the store, in a
file beside it, and at ``/.well-known/pilotbed-seal-keys.json``. A new key is signed by the one before it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core.canonical import canonical_json
from core.database import Connection
from core.errors import EnvironmentProblem, PermanentError
from core.sql import load

_SQL = load("telemetry.seals", "store.sql")

FORMAT: Final = "pilotbed-seal-key/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A key that seals are verified by."""

    fingerprint: str
    public: bytes
    recorded_at: datetime | None = None
    statement: bytes | None = None
    """What the key before it signed of it; None: it is the first, or the one before was lost."""
    signature: bytes | None = None
    signed_by: str | None = None


@dataclass(frozen=True, slots=True)
class SealKey:
    """A private key."""

    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.public)

    def sign(self, data: bytes) -> bytes:
        return self.private.sign(data)


def fingerprint(public: bytes) -> str:
    """By what a key is known: the SHA-256 of its 32 bytes, in hexadecimal."""
    return hashlib.sha256(public).hexdigest()


def is_signed(data: bytes, signature: bytes, public: bytes) -> bool:
    """Whether a signature over data is by this public key."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def read_key(path: Path) -> SealKey | None:
    """The private key in a file; None if there is no such file.

    :raises EnvironmentProblem: it cannot be read, or is open to others.
    :raises PermanentError: it holds no Ed25519 key.
    """
    try:
        mode, data = path.stat().st_mode, path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EnvironmentProblem(
            f"The seal key {path} cannot be read ({error.strerror}): run as the user that owns it."
        ) from error
    if mode & 0o077:
        raise EnvironmentProblem(
            f"The seal key {path} is open to others (mode {mode & 0o777:o}): chmod 600 it; if somebody may have read it,"
            " make a new one with `pilotbed seal keygen --rotate`."
        )
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise PermanentError(f"The file {path} holds no private key in PEM without a passphrase: {error}.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise PermanentError(f"The key in {path} is no Ed25519 key: make one with `pilotbed seal keygen`.")
    return SealKey(key)


def make_key(connection: Connection, path: Path) -> SealKey:
    """The key in the file, made if there is none; and known to the store."""
    key = read_key(path)
    if key is None:
        key = SealKey(Ed25519PrivateKey.generate())
        _write(path, key)
    _register(connection, PublicKey(fingerprint=key.fingerprint, public=key.public))
    publish_keys(connection, path)
    return key


def rotate_key(connection: Connection, path: Path, now: datetime | None = None) -> tuple[SealKey, SealKey]:
    """Put a new key in the place of the one in the file, which signs it and is then gone.

    :returns: the old one and the new one.
    :raises EnvironmentProblem: there is no old one.
    """
    old = read_key(path)
    if old is None:
        raise EnvironmentProblem(f"There is no seal key at {path} to rotate: `pilotbed seal keygen` makes the first.")
    _register(connection, PublicKey(fingerprint=old.fingerprint, public=old.public))
    new = SealKey(Ed25519PrivateKey.generate())
    statement = canonical_json(
        {
            "format": FORMAT,
            "fingerprint": new.fingerprint,
            "public_key": new.public.hex(),
            "before": old.fingerprint,
            "at": now or datetime.now(UTC),
        }
    )
    # Known before it signs: if the file cannot be written, the old key goes on, and nothing is lost.
    _register(
        connection,
        PublicKey(
            fingerprint=new.fingerprint,
            public=new.public,
            statement=statement,
            signature=old.sign(statement),
            signed_by=old.fingerprint,
        ),
    )
    _write(path, new)
    publish_keys(connection, path)
    return old, new


def public_keys(connection: Connection) -> list[PublicKey]:
    """Every key that ever signed, in the order of their first use."""
    return [
        PublicKey(
            fingerprint=row["fingerprint"],
            public=bytes(row["public_key"]),
            recorded_at=row["recorded_at"],
            statement=row["statement"],
            signature=row["signature"],
            signed_by=row["signed_by"],
        )
        for row in connection.execute(_SQL["keys"])
    ]


def keys_document(keys: Sequence[PublicKey]) -> dict[str, Any]:
    """The public keys as they are published."""
    return {
        "format": "pilotbed-seal-keys/1",
        "keys": [
            {
                "fingerprint": key.fingerprint,
                "algorithm": "Ed25519",
                "public_key": key.public.hex(),
                "since": None if key.recorded_at is None else key.recorded_at.isoformat(),
                "signed_by": key.signed_by,
                "statement": None if key.statement is None else bytes(key.statement).decode(),
                "signature": None if key.signature is None else bytes(key.signature).hex(),
            }
            for key in keys
        ],
    }


def is_endorsed(key: PublicKey, keys: Mapping[str, PublicKey]) -> bool:
    """Whether the key before it says of a key that it is the next one."""
    before = keys.get(key.signed_by or "")
    if before is None or key.statement is None or key.signature is None:
        return False
    if not is_signed(bytes(key.statement), bytes(key.signature), before.public):
        return False
    said = json.loads(bytes(key.statement))
    wanted = (FORMAT, key.fingerprint, key.public.hex(), before.fingerprint)
    return (said.get("format"), said.get("fingerprint"), said.get("public_key"), said.get("before")) == wanted


def trusted_keys(keys: Sequence[PublicKey], roots: Sequence[str] = ()) -> dict[str, PublicKey]:
    """The keys that can be traced to one that is trusted, and those signed along the way.

    :param roots: fingerprints that are trusted from elsewhere; without any, the first key is.
    """
    known = {key.fingerprint: key for key in keys if fingerprint(key.public) == key.fingerprint}
    start = list(roots) or [key.fingerprint for key in keys[:1]]
    found = {name: known[name] for name in start if name in known}
    while True:
        more = {
            name: key
            for name, key in known.items()
            if name not in found and key.signed_by in found and is_endorsed(key, known)
        }
        if not more:
            return found
        found |= more


def keys_file(path: Path) -> Path:
    """Where the public keys lie beside the private one."""
    return path.with_name("seal-keys.json")


def known_beside(path: Path) -> list[str]:
    """The fingerprints in the file of public keys beside the private one; none if there is no such file here."""
    try:
        document = json.loads(keys_file(path).read_text(encoding="utf-8"))
        return [str(key["fingerprint"]) for key in document["keys"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def publish_keys(connection: Connection, path: Path) -> None:
    """Write the public keys beside the private one: those that this machine used, never one that only the store has."""
    keys = public_keys(connection)
    here = set(known_beside(path)) or set(trusted_keys(keys))
    key = read_key(path)
    if key is not None:
        here.add(key.fingerprint)
    ours = [one for one in keys if one.fingerprint in here]
    write_whole(keys_file(path), json.dumps(keys_document(ours), indent=1).encode() + b"\n", 0o644)


def write_whole(path: Path, data: bytes, mode: int) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _write(path: Path, key: SealKey) -> None:
    data = key.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        write_whole(path, data, 0o600)
    except OSError as error:
        raise EnvironmentProblem(
            f"The seal key cannot be written to {path} ({error.strerror}): make the folder writable, or set"
            " PILOTBED_SEAL_KEY."
        ) from error


def _register(connection: Connection, key: PublicKey) -> None:
    connection.execute(
        _SQL["add_key"],
        {
            "fingerprint": key.fingerprint,
            "public_key": key.public,
            "statement": key.statement,
            "signature": key.signature,
            "signed_by": key.signed_by,
        },
    )

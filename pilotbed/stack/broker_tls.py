"""The broker's certificate and key, and the CA of its devices' certificates: checked, and laid where it may read them.

The broker runs as another user than we do where we are root, and a key is its owner's alone; so it gets copies. When the
originals are renewed the copies are, and the broker reads them again without anybody being cut off.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from core.errors import EnvironmentProblem
from core.settings import Settings
from core.tls import load_pair, told
from pilotbed.stack.account import Account, make_folder
from pilotbed.stack.secret import write_private


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """The PEM files of a listener that speaks TLS."""

    certificate: Path
    """With the chain up to a CA that devices know."""
    key: Path
    client_ca: Path | None = None
    """Whose certificates devices must show. Their user and password count all the same."""

    def require_usable(self) -> None:
        """Check them before the broker does: its own words name no setting.

        :raises EnvironmentProblem: one cannot be read or is not what it should be.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        load_pair(
            context,
            self.certificate,
            self.key,
            certificate_setting="PILOTBED_BROKER_CERTIFICATE",
            key_setting="PILOTBED_BROKER_KEY",
        )
        if self.client_ca is not None:
            try:
                context.load_verify_locations(self.client_ca)
            except (OSError, ValueError) as error:
                raise EnvironmentProblem(
                    f"PILOTBED_BROKER_CLIENT_CA names {self.client_ca}, which is not usable ({told(error)}): name a PEM"
                    " file with the CA's certificate."
                ) from error

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(path for path in (self.certificate, self.key, self.client_ca) if path is not None)


class TlsCopies:
    """Copies of these files that are the broker's own."""

    def __init__(self, originals: Tls, folder: Path) -> None:
        self._originals = originals
        self._folder = folder
        self._stamp: tuple[int, ...] = ()

    def lay(self, account: Account | None) -> Tls:
        """Make them, or make them anew.

        :raises EnvironmentProblem: an original is not usable; the copies stay as they were.
        """
        self._stamp = self._now()
        self._originals.require_usable()
        owner = None if account is None else (account.uid, account.gid)
        make_folder(self._folder, owner=account)

        for original, copy in zip(self._originals.files, self.copies.files, strict=True):
            write_private(copy, original.read_text(encoding="utf-8"), owner=owner)
        return self.copies

    @property
    def copies(self) -> Tls:
        """Where they are, or will be."""
        return Tls(
            certificate=self._folder / "certificate.pem",
            key=self._folder / "key.pem",
            client_ca=None if self._originals.client_ca is None else self._folder / "client-ca.pem",
        )

    def are_there(self) -> bool:
        return all(copy.exists() for copy in self.copies.files)

    def are_outdated(self) -> bool:
        """Whether an original was changed since they were made, or since that was tried."""
        return self._now() != self._stamp

    def differ(self) -> bool:
        """Whether a copy is missing or not as its original, whoever made it."""
        pairs = zip(self._originals.files, self.copies.files, strict=True)
        return any(_bytes(original) != _bytes(copy) for original, copy in pairs)

    def _now(self) -> tuple[int, ...]:
        return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in self._originals.files)


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def tls_of(chosen: Settings) -> Tls | None:
    """What the settings say of the embedded broker's TLS; None: it speaks none.

    :raises EnvironmentProblem: they name a part of it only.
    """
    certificate, key, client_ca = chosen.broker_certificate, chosen.broker_key, chosen.broker_client_ca
    if certificate is None and key is None and client_ca is None:
        return None
    if certificate is None or key is None:
        raise EnvironmentProblem(
            "Of PILOTBED_BROKER_CERTIFICATE and PILOTBED_BROKER_KEY only a part is set: the broker needs both to speak TLS,"
            " also where PILOTBED_BROKER_CLIENT_CA asks its devices for certificates."
        )
    return Tls(certificate=certificate, key=key, client_ca=client_ca)

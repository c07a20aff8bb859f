"""The file that hands credentials over, once: 0600, JSON, read by simulators and replay."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.errors import EnvironmentProblem, NotFound, PermanentError


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One connection's way in."""

    connection: str
    username: str
    password: str
    topics: tuple[str, ...]
    """Where it may publish."""
    slots: tuple[str, ...]
    """The slots that it speaks for."""
    owner: str = "company"
    """Whose they are: whoever hands the credential over gives it to them alone."""

    def __repr__(self) -> str:
        return f"Credential(connection={self.connection!r}, username={self.username!r}, password=…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialFile:
    """The credentials of one pilot's connections, and the broker that they open."""

    broker: str
    """As in mqtt://host:port."""
    pilot: str
    connections: tuple[Credential, ...]

    def of_slot(self, slot: str) -> Credential:
        """The credential that speaks for a slot.

        :raises NotFound: none in the file does.
        """
        for credential in self.connections:
            if slot in credential.slots:
                return credential
        there = ", ".join(name for credential in self.connections for name in credential.slots)
        raise NotFound(f"No credential of pilot {self.pilot} speaks for the slot {slot!r}; the file has: {there}.")


def require_absent(path: Path) -> None:
    """Check beforehand that a credential file can be written.

    :raises EnvironmentProblem: it is there already, or its folder is not.
    """
    if path.exists():
        raise EnvironmentProblem(f"{path} exists, and a credential file is never overwritten: give another name.")
    if not path.absolute().parent.is_dir():
        raise EnvironmentProblem(f"The folder of {path} does not exist: make it first.")


def write_credentials(path: Path, credentials: CredentialFile) -> None:
    """Write the file so that only its owner reads it; an existing one is never overwritten.

    :raises EnvironmentProblem: it exists or cannot be written.
    """
    text = json.dumps(asdict(credentials), indent=1, ensure_ascii=False) + "\n"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise EnvironmentProblem(
            f"{path} exists, and a credential file is never overwritten: give another name."
        ) from None
    except OSError as error:
        raise EnvironmentProblem(f"The credential file {path} cannot be written: {error.strerror}.") from error
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def read_credentials(path: Path) -> CredentialFile:
    """Read the file back.

    :raises NotFound: there is none.
    :raises PermanentError: it is not such a file.
    """
    try:
        raw: Any = json.loads(path.read_text(encoding="utf-8"))
        return CredentialFile(
            broker=raw["broker"],
            pilot=raw["pilot"],
            connections=tuple(
                Credential(
                    connection=item["connection"],
                    username=item["username"],
                    password=item["password"],
                    topics=tuple(item["topics"]),
                    slots=tuple(item["slots"]),
                    owner=item.get("owner", "company"),
                )
                for item in raw["connections"]
            ),
        )
    except FileNotFoundError:
        raise NotFound(f"There is no credential file {path}: `pilotbed plan apply --credentials` writes one.") from None
    except OSError as error:
        raise PermanentError(f"The credential file {path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise PermanentError(
            f"{path} is no credential file ({type(error).__name__}): `pilotbed plan apply --credentials` writes one."
        ) from error

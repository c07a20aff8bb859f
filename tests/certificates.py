"""Certificates for tests, made by the program ``openssl``."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import missing


@dataclass(frozen=True)
class Pair:
    certificate: Path
    key: Path


class Authority:
    """A CA of the test's own, and what it signs."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        if shutil.which("openssl") is None:
            missing("there is no program `openssl` here")
        self.folder = folder
        self.name = name
        folder.mkdir(exist_ok=True)
        self._openssl(
            "req", "-x509", *_NEW_KEY, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2",
            "-subj", f"/CN=Test {name}",
        )  # fmt: skip

    @property
    def file(self) -> Path:
        return self.folder / f"{self.name}.pem"

    def signed(self, name: str, *, names: str = "IP:127.0.0.1,DNS:localhost") -> Pair:
        """A certificate for a server or a client."""
        made = Pair(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        extensions = self.folder / f"{name}.extensions"
        extensions.write_text(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\n")
        self._openssl("req", *_NEW_KEY, "-keyout", made.key.name, "-out", f"{name}.csr", "-subj", f"/CN={name}")
        self._openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", f"{self.name}.pem", "-CAkey", f"{self.name}.key",
            "-CAcreateserial", "-days", "2", "-out", made.certificate.name, "-extfile", extensions.name,
        )  # fmt: skip
        made.key.chmod(0o600)
        return made

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(
            ["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, timeout=30
        )  # fmt: skip


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")

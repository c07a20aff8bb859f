"""A time-stamping authority made with ``openssl ts``, another people's implementation: for the tests of timestamps."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final

from tests.conftest import missing

_CONFIGURATION: Final = """
[req]
distinguished_name = name
prompt = no
[name]
CN = Test authority
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[tsa]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ts]
default_tsa = ts_config
[ts_config]
dir = {folder}
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = {digests}
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
"""


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority: its folder, and where it answers."""

    folder: Path
    url: str

    @property
    def root(self) -> Path:
        """Its root certificate."""
        return self.folder / "root.pem"


def openssl(*arguments: str) -> str:
    """Run openssl; what it said."""
    try:
        done = subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        missing("openssl is not on this machine")
    return done.stdout + done.stderr


def answer(folder: Path, asked: bytes) -> bytes:
    """What an authority answers to a query, DER."""
    (folder / "asked.tsq").write_bytes(asked)
    openssl(
        "ts", "-reply", "-config", f"{folder}/openssl.cnf", "-section", "ts_config", "-queryfile", f"{folder}/asked.tsq",
        "-out", f"{folder}/answer.tsr",
    )  # fmt: skip
    return (folder / "answer.tsr").read_bytes()


@contextmanager
def authority(folder: Path, digests: str = "sha256, sha384, sha512") -> Iterator[Authority]:
    """An authority with a root of its own, listening.

    :param digests: the algorithms that it takes; others it refuses.
    """
    folder.mkdir()
    config = folder / "openssl.cnf"
    config.write_text(_CONFIGURATION.format(folder=folder, digests=digests))
    (folder / "serial").write_text("01")
    key = ("-newkey", "rsa:2048", "-nodes", "-config", str(config))
    openssl(
        "req", "-x509", *key, "-extensions", "root", "-days", "2", "-keyout", f"{folder}/root.key", "-out",
        f"{folder}/root.pem",
    )  # fmt: skip
    openssl("req", "-new", *key, "-subj", "/CN=Test TSA", "-keyout", f"{folder}/tsa.key", "-out", f"{folder}/tsa.csr")
    openssl(
        "x509", "-req", "-in", f"{folder}/tsa.csr", "-CA", f"{folder}/root.pem", "-CAkey", f"{folder}/root.key",
        "-CAcreateserial", "-days", "2", "-extfile", str(config), "-extensions", "tsa", "-out", f"{folder}/tsa.pem",
    )  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found = answer(folder, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(found)))
            self.end_headers()
            self.wfile.write(found)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Authority(folder, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()

"""Secrets: their form, and the file that hands them over."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from core.errors import EnvironmentProblem, NotFound, PermanentError
from devices.credentials import matches, new_secret, password_record
from devices.plan.credential_file import Credential, CredentialFile, read_credentials, require_absent, write_credentials

FILE = CredentialFile(
    broker="mqtt://127.0.0.1:18830",
    pilot="p",
    connections=(
        Credential(
            connection="gw", username="p.gw", password="secret", topics=("pilots/p/a/readings",), slots=("a", "b")
        ),
    ),
)


def test_the_record_is_pbkdf2_with_sha512() -> None:
    """A fixed salt and password; the hash was computed with OpenSSL 3:

    openssl kdf -keylen 64 -kdfopt digest:SHA512 -kdfopt pass:secret -kdfopt salt:0123456789ab -kdfopt iter:101 -binary PBKDF2
    """
    record = password_record("secret", salt=b"0123456789ab")
    assert record.salt == "MDEyMzQ1Njc4OWFi"
    assert record.iterations == 101
    assert record.hash == "EO/lLlkeUgIiBaS8G8UK0ZMP1u508TA7Tl+AdJ1cEsmlbGyEPAERErpfq84j1kepISs0UzmcdL4ucgZ2uodxfQ=="


def test_secrets_are_long_and_never_the_same() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(len(secret) >= 24 and secret.replace("-", "").replace("_", "").isalnum() for secret in made)


def test_a_password_is_known_by_its_record() -> None:
    record = password_record("비밀번호")
    assert matches("비밀번호", record)
    assert not matches("비밀번호 ", record)
    assert password_record("비밀번호") != record


def test_the_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    write_credentials(path, FILE)
    assert read_credentials(path) == FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert FILE.of_slot("b").username == "p.gw"
    with pytest.raises(NotFound, match="the file has: a, b"):
        FILE.of_slot("c")


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    require_absent(path)
    path.write_text("mine")
    with pytest.raises(EnvironmentProblem, match="never overwritten"):
        write_credentials(path, FILE)
    with pytest.raises(EnvironmentProblem, match="never overwritten"):
        require_absent(path)
    assert path.read_text() == "mine"
    with pytest.raises(EnvironmentProblem, match="folder"):
        require_absent(tmp_path / "none" / "credentials.json")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"broker": 1}', json.dumps({"broker": "", "pilot": "", "connections": [1]})]
)
def test_another_file_is_named_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(PermanentError, match=r"x\.json is no credential file"):
        read_credentials(path)


def test_a_secret_does_not_show_in_a_repr() -> None:
    assert "secret" not in repr(FILE)

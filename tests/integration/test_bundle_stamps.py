"""Bundles whose seals have timestamps of an authority outside, made by openssl: which are believed, and which are not."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import rfc3161_client as rfc3161

from core.canonical import canonical_json
from core.database import connected
from core.errors import EnvironmentProblem
from core.settings import Settings
from kpi.bundle.verify import verify
from kpi.bundle.write import bundle
from telemetry.seals.stamp import stamp_missing
from tests.bundled import made, rezipped
from tests.conftest import _new_database
from tests.stamping import Authority, answer, authority, openssl

pytestmark = pytest.mark.timeout(600)

Stamp = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """A bundle with timestamps, who made them, and somebody else who might have."""

    path: Path
    keys: Path
    by: Authority
    other: Authority
    n: int
    """How many of its seals have one."""


@pytest.fixture(scope="module")
def stamped(
    database_server: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stamped]:
    folder = tmp_path_factory.mktemp("stamped")
    name = f"pilotbed_test_{secrets.token_hex(6)}"
    with (
        _new_database(database_server, name, template_database) as url,
        connected(url) as connection,
        authority(folder / "by") as by,
        authority(folder / "other") as other,
    ):
        there = made(connection, folder)
        n = stamp_missing(connection, Settings(timestamp_url=by.url, timestamp_ca=by.root))
        bundle(connection, "hall", folder / "stamped.zip", month="2025-03", who="cli:test")
        yield Stamped(path=folder / "stamped.zip", keys=there.keys, by=by, other=other, n=n)


def seals_of(path: Path) -> list[dict[str, Any]]:
    with zipfile.ZipFile(path) as archive:
        return [json.loads(line) for line in archive.read("seals.jsonl").splitlines()]


def changed(stamped: Stamped, into: Path, change: Callable[[dict[str, Any], Stamp], Stamp | None]) -> Path:
    """The first timestamp another one, in a bundle that fits otherwise."""

    def members(name: str, data: bytes) -> bytes:
        if name != "seals.jsonl":
            return data
        lines = [json.loads(line) for line in data.splitlines()]
        one = next(line for line in lines if line["timestamp"] is not None)
        one["timestamp"] = change(one, one["timestamp"])
        return b"".join(canonical_json(line) + b"\n" for line in lines)

    return rezipped(stamped.path, into, members)


def faults(path: Path, stamped: Stamped, *, ca: bool = True) -> list[str]:
    found = verify(path, keys=stamped.keys, ca=stamped.by.root if ca else None)
    return [f"{line.about}: {line.en}" for line in found.faults]


def query(data: str) -> bytes:
    return rfc3161.TimestampRequestBuilder().data(data.encode()).build().as_bytes()


def token(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_timestamps_are_verified_offline(stamped: Stamped) -> None:
    assert stamped.n >= 1
    found = verify(stamped.path, keys=stamped.keys, ca=stamped.by.root)
    assert found.faults == []
    [line] = [line for line in found.lines if line.about == "timestamps"]
    n = len(seals_of(stamped.path))
    assert (line.state, line.en) == ("agrees", f"timestamps of {stamped.n} of {n} seals: by that authority")


def test_openssl_agrees_with_the_bundles_tokens(stamped: Stamped, tmp_path: Path) -> None:
    some = [seal for seal in seals_of(stamped.path) if seal["timestamp"] is not None]
    assert len(some) == stamped.n
    for seal in some:
        (tmp_path / "head").write_text(seal["head"])
        (tmp_path / "token").write_bytes(base64.b64decode(seal["timestamp"]["token"]))
        asked = ("ts", "-verify", "-data", f"{tmp_path}/head", "-in", f"{tmp_path}/token")
        assert "Verification: OK" in openssl(*asked, "-CAfile", str(stamped.by.root))


def test_without_the_authoritys_certificate_it_is_said_to_be_unchecked(stamped: Stamped) -> None:
    found = verify(stamped.path, keys=stamped.keys)
    [line] = [line for line in found.lines if line.about == "timestamps"]
    assert found.sound and line.state == "unchecked" and "--timestamp-ca" in line.en


def test_a_bundle_without_timestamps_says_so(stamped: Stamped, tmp_path: Path) -> None:
    def none(name: str, data: bytes) -> bytes:
        lines = [json.loads(line) | {"timestamp": None} for line in data.splitlines()] if name == "seals.jsonl" else []
        return b"".join(canonical_json(line) + b"\n" for line in lines) or data

    found = verify(rezipped(stamped.path, tmp_path / "b.zip", none), keys=stamped.keys, ca=stamped.by.root)
    [line] = [line for line in found.lines if line.about == "timestamps"]
    assert found.sound and (line.state, line.en) == ("unchecked", "timestamps: none")


def test_a_token_of_another_digest(stamped: Stamped, tmp_path: Path) -> None:
    other = token(answer(stamped.by.folder, query("0" * 64)))
    path = changed(stamped, tmp_path / "b.zip", lambda _, stamp: stamp | {"token": other})
    for ca in (True, False):
        [fault] = faults(path, stamped, ca=ca)
        assert fault.startswith("seals: seal 1 of ") and "The timestamp is not of the head" in fault


def test_a_token_by_another_authority(stamped: Stamped, tmp_path: Path) -> None:
    def by_other(seal: dict[str, Any], stamp: Stamp) -> Stamp:
        return stamp | {"token": token(answer(stamped.other.folder, query(seal["head"])))}

    [fault] = faults(changed(stamped, tmp_path / "b.zip", by_other), stamped)
    assert fault.startswith("seals: seal 1 of ") and "is not by the authority of" in fault


def test_another_authority_is_trusted_than_the_one_that_stamped(stamped: Stamped) -> None:
    found = verify(stamped.path, keys=stamped.keys, ca=stamped.other.root)
    assert [line.about for line in found.faults] == ["seals"] * stamped.n
    assert "is not by the authority of" in found.faults[0].en


@pytest.mark.parametrize("kept", [0, 1, 8, 30, 100, 0.5, -1])
def test_a_token_that_was_cut(stamped: Stamped, tmp_path: Path, kept: float) -> None:
    def cut(_: dict[str, Any], stamp: Stamp) -> Stamp:
        whole = base64.b64decode(stamp["token"])
        return stamp | {"token": token(whole[: int(len(whole) * kept) if kept == 0.5 else int(kept)])}

    [fault] = faults(changed(stamped, tmp_path / "b.zip", cut), stamped)
    assert fault.startswith("seals: seal 1 of ") and "cannot be read" in fault


def test_a_refusal_in_the_place_of_a_token(stamped: Stamped, tmp_path: Path) -> None:
    with authority(tmp_path / "picky", digests="sha256") as picky:
        refusal = token(answer(picky.folder, query("0" * 64)))
    path = changed(stamped, tmp_path / "b.zip", lambda _, stamp: stamp | {"token": refusal})
    [fault] = faults(path, stamped)
    assert fault.startswith("seals: seal 1 of ") and "cannot be read" in fault


def test_another_instant_than_the_tokens(stamped: Stamped, tmp_path: Path) -> None:
    path = changed(stamped, tmp_path / "b.zip", lambda _, stamp: stamp | {"stamped_at": "2020-01-01T00:00:00.000000Z"})
    [fault] = faults(path, stamped)
    assert fault.startswith("seals: seal 1 of ") and "its timestamp says 20" in fault


@pytest.mark.parametrize("stamp", [{}, [], "x", 1, {"token": "?", "stamped_at": "x", "authority": 3}])
def test_what_is_no_timestamp_is_an_answer(stamped: Stamped, tmp_path: Path, stamp: Any) -> None:
    assert faults(changed(stamped, tmp_path / "b.zip", lambda *_: stamp), stamped) != []


def test_a_certificate_that_is_none_ends_with_a_reason(stamped: Stamped, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(EnvironmentProblem, match=r"ca\.pem"):
        verify(stamped.path, keys=stamped.keys, ca=tmp_path / "ca.pem")


def test_the_command_says_it(stamped: Stamped) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PILOTBED_")}
    done = subprocess.run(
        [sys.executable, "-m", "pilotbed", "verify", str(stamped.path), "--key", str(stamped.keys), "--timestamp-ca",
         str(stamped.by.root), "--lang", "en"],
        env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert f"timestamps of {stamped.n} of" in done.stdout

"""The archive of a bundle: what any tool opens, and what only one way of writing makes."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import EnvironmentProblem, PermanentError
from telemetry.evidence import archive
from telemetry.evidence.archive import Archive, ArchiveWriter, Member
from telemetry.evidence.chain import key_file
from telemetry.evidence.damaged import Damaged, read_json
from telemetry.seals.signing import SealKey


def written(path: Path, members: dict[str, bytes]) -> Path:
    with path.open("wb+") as file:
        writer = ArchiveWriter(file)
        for name, data in members.items():
            writer.put(name, data)
        writer.finish()
    return path


NAMES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,8}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,8}){0,2}", fullmatch=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(members=st.dictionaries(NAMES, st.binary(max_size=200), max_size=5))
def test_other_tools_read_what_is_written_and_so_does_the_reader(tmp_path: Path, members: dict[str, bytes]) -> None:
    path = written(tmp_path / "a.zip", members)
    with zipfile.ZipFile(path) as other:
        assert other.testzip() is None
        assert {name: other.read(name) for name in other.namelist()} == members
    found = Archive(path)
    assert {name: found.read(name, most=1000) for name in found.members} == members
    assert [member.name for member, _ in found.digests()] == list(members)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(data=st.data())
def test_any_other_byte_is_found(tmp_path: Path, data: st.DataObject) -> None:
    path = written(tmp_path / "a.zip", {"a": b"hello", "b/c": b"", "d": bytes(range(50))})
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda one: one != whole[place]))
    path.write_bytes(whole[:place] + bytes([other]) + whole[place + 1 :])
    with pytest.raises(Damaged):
        list(Archive(path).digests())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(data=st.binary(max_size=300))
def test_rubbish_is_no_archive(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    with pytest.raises(Damaged):
        Archive(path)


def test_beyond_four_gigabytes_the_directory_is_one_that_others_read() -> None:
    """Without the members themselves: only where they lie is told."""
    far = Member(name="b", offset=5 << 30, size=1, crc=0)
    tail = archive._directory([far])
    assert archive._listed(tail[: -22 - 20 - 56], 1) == [far]
    count, size, start = archive._end(io.BytesIO(tail), len(tail))
    assert (count, size, start) == (1, len(tail) - 98, far.end)


def test_many_members_are_refused_before_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as other:
        for number in range(archive.MOST_MEMBERS + 1):
            other.writestr(str(number), b"")
    with pytest.raises(Damaged, match="no bundle has so many"):
        Archive(path)


@pytest.mark.parametrize("name", ["../a", "/a", "a//b", "a\\b", "", ".hidden", "a/../b", "ä", "x" * 121])
def test_names_that_could_lead_elsewhere_are_never_written_or_read(tmp_path: Path, name: str) -> None:
    with (tmp_path / "a.zip").open("wb+") as file, pytest.raises(ValueError, match="cannot be the name"):
        ArchiveWriter(file).put(name, b"")
    if name:
        with zipfile.ZipFile(tmp_path / "b.zip", "w") as other:
            other.writestr(name, b"")
        with pytest.raises(Damaged):
            Archive(tmp_path / "b.zip")


def test_a_large_member_is_not_read_whole(tmp_path: Path) -> None:
    found = Archive(written(tmp_path / "a.zip", {"a": bytes(100)}))
    with pytest.raises(Damaged, match="at most 99"):
        found.read("a", most=99)
    with pytest.raises(Damaged, match="has no b"):
        found.read("b", most=99)


def test_json_without_end_is_an_answer() -> None:
    with pytest.raises(Damaged, match="x is no JSON"):
        read_json(b"[" * 200_000, "x")


# --- keys


def test_a_key_is_taken_as_people_have_it(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = SealKey(Ed25519PrivateKey.generate())
    path = tmp_path / "key"
    path.write_text(f"fingerprint: {key.fingerprint.upper()}\n")
    assert key_file(path) == [key.fingerprint]
    pem = key.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    path.write_bytes(pem)
    assert key_file(path) == [key.fingerprint]


@pytest.mark.parametrize("data", [b"", b"hello", b"-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----\n"])
def test_a_file_without_a_key_says_what_to_give(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(data)
    with pytest.raises(PermanentError):
        key_file(path)
    with pytest.raises(EnvironmentProblem):
        key_file(tmp_path / "none")

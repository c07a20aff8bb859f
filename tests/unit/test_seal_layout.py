"""The bytes of a seal: leaves, lines, records, keys, and the memory of heads. No database."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from core.errors import EnvironmentProblem, PermanentError
from telemetry.seals import leaves
from telemetry.seals.heads import Heads, KnownHead
from telemetry.seals.record import Restored, SealRecord, head, read_record
from telemetry.seals.signing import PublicKey, SealKey, fingerprint, is_signed, read_key, trusted_keys

AT = datetime(2026, 5, 1, 15, tzinfo=UTC)


def test_a_channel_hour_byte_by_byte() -> None:
    rows = leaves.packed_rows(
        np.array([1, 2]), np.array([10, 20]), np.array([-1.0, 2.5]), np.array([0, 4], dtype=np.int16)
    )
    assert rows == bytes.fromhex(
        "0000000000000001" "000000000000000a" "bff0000000000000" "0000"
        "0000000000000002" "0000000000000014" "4004000000000000" "0004"
    )  # fmt: skip
    name = "p/지점/온도/1".encode()
    content = (
        b"\x00" + struct.pack(">h", len(name)) + name + b"\x00\x04degC" + struct.pack(">qqqq", 3_600_000_000, 2, 1, 2)
    )
    expected = hashlib.sha256(content + rows).digest()
    found = leaves.begun_hour("p/지점/온도/1", "degC", 3_600_000_000, 2, 1, 2)
    found.update(rows)
    assert found.digest() == expected


def test_a_leaf_of_lines_byte_by_byte() -> None:
    lines = [leaves.line({"b": 1, "a": "가"}), leaves.line({"at": AT})]
    assert lines == ['{"a":"가","b":1}\n'.encode(), b'{"at":"2026-05-01T15:00:00.000000Z"}\n']
    content = b"\x00\x00\x07p:event" + b"".join(lines)
    found = leaves.begun_lines("p", "event")
    found.update(b"".join(lines))
    assert found.digest() == hashlib.sha256(content).digest()


SCALARS = st.none() | st.booleans() | st.text() | st.integers(-(2**53) + 1, 2**53 - 1)


@given(st.dictionaries(st.text("abcdefgh_", min_size=1), SCALARS | st.floats(allow_nan=False, allow_infinity=False)))
def test_a_line_is_canonical_json(values: dict[str, object]) -> None:
    assert leaves.line(values) == rfc8785.dumps(values) + b"\n"  # type: ignore[arg-type]


def test_what_json_cannot_say_is_a_text() -> None:
    values = {"n": 2**60, "x": math.inf, "y": math.nan}
    assert json.loads(leaves.line(values)) == {"n": str(2**60), "x": "inf", "y": "nan"}


def seal_record(**given: object) -> SealRecord:
    values = {
        "pilot": "p", "zone": "Asia/Seoul", "number": 2, "epoch": 1, "day": date(2026, 5, 1), "interim": False,
        "start": None, "end": AT, "as_of": AT, "root": "0" * 64, "leaves": 0, "rows": {"reading": 0}, "plan": {},
        "previous": "1" * 64, "code_version": "v", "key": "2" * 64,
    } | given  # fmt: skip
    return SealRecord(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "restored", [None, Restored(at_number=1, at_head="3" * 64, known_number=4, known_head="4" * 64)]
)
def test_a_record_is_read_as_it_was_written(restored: Restored | None) -> None:
    record = seal_record(restored=restored)
    assert read_record(record.bytes()) == record
    assert head(record.bytes()) == hashlib.sha256(rfc8785.dumps(json.loads(record.bytes()))).hexdigest()


def test_a_record_with_other_bytes_is_none() -> None:
    data = seal_record().bytes()
    for damaged in (
        data + b" ",
        data.replace(b'"number":2', b'"number": 2'),
        data.replace(b"seal/1", b"seal/2"),
        b"[]",
    ):
        with pytest.raises(ValueError):
            read_record(damaged)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "seal.key"
    assert read_key(file) is None
    file.write_text("no key")
    with pytest.raises(EnvironmentProblem, match="open to others"):
        read_key(file)
    file.chmod(0o600)
    with pytest.raises(PermanentError, match="holds no private key"):
        read_key(file)


def endorsed(before: SealKey, new: SealKey, **change: object) -> PublicKey:
    said = {
        "format": "pilotbed-seal-key/1", "fingerprint": new.fingerprint, "public_key": new.public.hex(),
        "before": before.fingerprint, "at": "2026-05-01T15:00:00.000000Z",
    } | change  # fmt: skip
    statement = rfc8785.dumps(said)  # type: ignore[arg-type]
    return PublicKey(
        fingerprint=new.fingerprint,
        public=new.public,
        statement=statement,
        signature=before.sign(statement),
        signed_by=before.fingerprint,
    )


def test_trust_goes_from_key_to_key() -> None:
    a, b, c, stranger = (SealKey(Ed25519PrivateKey.generate()) for _ in range(4))
    first = PublicKey(fingerprint=a.fingerprint, public=a.public)
    keys = [first, endorsed(a, b), endorsed(b, c), endorsed(stranger, stranger)]
    assert set(trusted_keys(keys)) == {a.fingerprint, b.fingerprint, c.fingerprint}
    assert set(trusted_keys(keys, [b.fingerprint])) == {b.fingerprint, c.fingerprint}
    assert trusted_keys(keys, ["0" * 64]) == {}
    assert set(trusted_keys([first, endorsed(a, b, fingerprint=c.fingerprint)])) == {a.fingerprint}
    assert set(trusted_keys([first, endorsed(a, b, format="pilotbed-statement/1")])) == {a.fingerprint}
    assert fingerprint(a.public) == hashlib.sha256(a.public).hexdigest()
    assert is_signed(b"x", a.sign(b"x"), a.public)
    assert not is_signed(b"x", a.sign(b"y"), a.public)


def test_heads_survive_a_line_that_was_cut_off(tmp_path: Path) -> None:
    heads = Heads(tmp_path / "seal.key")
    assert heads.of("p") == []
    one, two = (KnownHead(pilot="p", number=number, day="2026-05-01", head=f"{number}" * 64) for number in (1, 2))
    heads.add([one])
    with heads.path.open("a") as file:
        file.write('{"pilot": "p", "num')
    heads.add([two, KnownHead(pilot="q", number=1, day="2026-05-01", head="9" * 64)])
    assert heads.of("p") == [one, two]

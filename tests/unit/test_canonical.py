"""Canonical JSON against RFC 8785's own examples."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from core.canonical import canonical_json, check_code, sha256


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (333333333.33333329, b"333333333.3333333"),
        (1e30, b"1e+30"),
        (0.000000000000000000000000001, b"1e-27"),
        (4.50, b"4.5"),
    ],
)
def test_numbers_of_rfc_8785(number: float, text: bytes) -> None:
    assert canonical_json(number) == text


def test_keys_are_sorted_and_records_are_objects() -> None:
    @dataclass(frozen=True)
    class Record:
        b: int
        a: datetime

    record = Record(b=1, a=datetime(2026, 3, 1, 9, tzinfo=UTC))
    assert canonical_json(record) == b'{"a":"2026-03-01T09:00:00.000000Z","b":1}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**60, datetime(2026, 1, 1), object()])  # noqa: DTZ001
def test_what_json_cannot_say_is_an_error(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        canonical_json(value)


def test_the_check_code_is_the_head_of_the_hash() -> None:
    digest = sha256(b"")
    assert digest.startswith("e3b0c44298fc1c14")
    assert check_code(digest) == "E3B0-C442-98FC-1C14"

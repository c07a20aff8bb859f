"""The decoders' measurement: that it decodes what it says, and that every protocol that has a figure to reach is there."""

from __future__ import annotations

import pytest

from pilotbed.bench import decode
from pilotbed.cli import run


def test_every_message_is_decoded_and_set_beside_the_form_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "_MESSAGES", 300)
    report = decode.bench_decode(1)
    assert [row["name"] for row in report["protocols"]] == list(decode.TARGETS)
    for row in report["protocols"]:
        # pymavlink's parser is no limit: it reads every field of every frame, and makes an object of each.
        assert row["per_s"] > 0 and 0 < row["ratio"] < (3 if row["name"] == "mavlink" else 1), row
    assert decode.table(report).count("\n") == 1 + len(decode.TARGETS)


def test_a_decoder_that_takes_less_fails_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "_MESSAGES", 10)
    good = decode._values
    monkeypatch.setattr(decode, "_values", lambda place: good(place) if place != 7 else [float("nan")] * 10)
    with pytest.raises(AssertionError, match="readings of 9 messages"):
        decode.bench_decode(1)


def test_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(decode, "_MESSAGES", 50)
    assert run(["bench", "decode", "--repeat", "1"]) == 0
    assert "| sparkplug | 10 |" in capsys.readouterr().out

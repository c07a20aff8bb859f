"""SenML: what holds of every pack, and its units against the registry's own factors."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.units import conversion
from devices.plan.model import Connection, Slot
from ingest.message import Decoded, Message
from ingest.planned import planned
from ingest.protocols.senml import decoder as senml
from ingest.protocols.senml.decoder import SenmlConnection
from ingest.protocols.senml.units import UNITS

T = 1_780_282_800
NOW_US = T * 1_000_000 + 500_000
LABELS = {
    "bver": -1,
    "bn": -2,
    "bt": -3,
    "bu": -4,
    "bv": -5,
    "bs": -6,
    "n": 0,
    "u": 1,
    "v": 2,
    "vs": 3,
    "vb": 4,
    "s": 5,
    "t": 6,
}
SECONDARY = {
    "ms": ("s", 1e-3, 0), "min": ("s", 60, 0), "h": ("s", 3600, 0), "MHz": ("Hz", 1e6, 0), "kW": ("W", 1000, 0),
    "kVA": ("VA", 1000, 0), "kvar": ("var", 1000, 0), "Ah": ("C", 3600, 0), "Wh": ("J", 3600, 0), "kWh": ("J", 3.6e6, 0),
    "varh": ("vars", 3600, 0), "kvarh": ("vars", 3.6e6, 0), "kVAh": ("VAs", 3.6e6, 0), "Wh/km": ("J/m", 3.6, 0),
    "KiB": ("B", 1024, 0), "GB": ("B", 1e9, 0), "Mbit/s": ("bit/s", 1e6, 0), "B/s": ("bit/s", 8, 0),
    "MB/s": ("bit/s", 8e6, 0), "mV": ("V", 1e-3, 0), "mA": ("A", 1e-3, 0), "dBm": ("dBW", 1, -30),
    "ug/m3": ("kg/m3", 1e-9, 0), "mm/h": ("m/s", 1 / 3.6e6, 0), "m/h": ("m/s", 1 / 3600, 0), "ppm": ("/", 1e-6, 0),
    "/100": ("/", 0.01, 0), "/1000": ("/", 1e-3, 0), "hPa": ("Pa", 100, 0), "mm": ("m", 1e-3, 0), "cm": ("m", 0.01, 0),
    "km": ("m", 1000, 0), "km/h": ("m/s", 1 / 3.6, 0),
}  # fmt: skip
"""RFC 8798, table 1: secondary unit → SenML unit, scale, offset."""


def connection(units: dict[str, str], select: str = "") -> SenmlConnection:
    slot = {
        "device": {"serial": "1"}, "connection": "c", "select": {"name": select} if select else {},
        "channels": {name: {"unit": unit, "period": "1 s"} for name, unit in units.items()},
    }  # fmt: skip
    (binding,) = planned(
        pilot="p", start_us=0, end_us=2 * 10**15,
        connections={"c": Connection.model_validate({"protocol": "senml", "topics": ["x"]})},
        slots={"s": Slot.model_validate(slot)},
    )  # fmt: skip
    return SenmlConnection(binding)


def decoded(of: SenmlConnection, payload: bytes) -> Decoded:
    out = Decoded()
    found = of.decoder("x")
    assert found is not None
    found.decode(Message(topic="x", payload=payload, received_us=NOW_US), out)
    return out


def in_cbor(pack: list[dict[str, Any]]) -> bytes:
    return cbor2.dumps([{LABELS.get(key, key): value for key, value in record.items()} for record in pack])


@pytest.mark.parametrize("symbol", sorted(SECONDARY))
def test_a_secondary_unit_is_so_many_of_its_senml_unit(symbol: str) -> None:
    unit, scale, offset = SECONDARY[symbol]
    found = conversion(UNITS[symbol], UNITS[unit])
    assert (found.scale, found.offset) == (pytest.approx(scale, rel=1e-14), offset)


@pytest.mark.parametrize("symbol", sorted(UNITS))
def test_every_unit_has_its_place_and_its_sum_over_time_too(symbol: str) -> None:
    conversion(UNITS[symbol], UNITS[symbol])
    if UNITS[symbol] not in ("Cel", "dBW", "dBm"):  # scales with a zero of their own have no sum over time
        conversion(f"({UNITS[symbol]})*s", f"({UNITS[symbol]})*h")


def test_similar_units_are_not_taken_for_each_other() -> None:
    dimensions = {("pH", "/"), ("dBW", "W"), ("Bspl", "dBm"), ("NTU", "/"), ("Cel", "C"), ("F", "Cel")}
    for one, other in dimensions:
        with pytest.raises(Exception, match="cannot become"):
            conversion(UNITS[one], UNITS[other])


RECORDS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "bn": st.sampled_from(["", "a", "dev:", 3]), "bt": st.sampled_from([T, T - 5.5, 0, 10**400, "x", True]),
            "bu": st.sampled_from(["Cel", "W", "nope"]), "bv": st.sampled_from([0, 1, 2.5]), "bs": st.sampled_from([0, 7]),
            "n": st.sampled_from(["a", "b", "", "dev:a", " ", None]), "u": st.sampled_from(["Cel", "K", "%RH", 1]),
            "v": st.sampled_from([0, -0.0, 1.5, 10**20, 10**400, 1e300, "1", None, True]),
            "vs": st.just("s"), "vb": st.booleans(),
            "s": st.sampled_from([0, 3.5]), "t": st.sampled_from([0, -1, 0.25, 10**12, 10**400, "now"]), "x_": st.just(1),
            "x": st.just([1]),
        },
    ),
    min_size=1,
    max_size=5,
)  # fmt: skip


@given(RECORDS)
@settings(max_examples=400, deadline=None)
def test_the_short_way_and_cbor_come_to_the_same_as_the_long_way_in_json(pack: list[dict[str, Any]]) -> None:
    plain = connection({"a": "degC", "b": "%"})
    long = decoded(plain, json.dumps(pack).encode())
    warm = connection({"a": "degC", "b": "%"})
    for teach in ("a", "b", "dev:a"):
        for unit in ("Cel", "K", "%RH", None):
            one = {"n": teach, "t": T, "v": 1} | ({"u": unit} if unit else {})
            decoded(warm, json.dumps([one]).encode())
            decoded(warm, in_cbor([one]))
    assert decoded(warm, json.dumps(pack).encode()) == long
    short = decoded(warm, in_cbor(pack))
    assert (short.channel_id, short.observed_us, short.value, short.flags) == (
        long.channel_id, long.observed_us, long.value, long.flags,
    )  # fmt: skip


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_no_bytes_raise_anything(payload: bytes) -> None:
    for head in (b"", b"[", b"\x81", b"\x9f\xa1"):
        out = decoded(connection({"a": "degC"}), head + payload)
        assert len(out.quarantined) + len(out.rejected) + len(out.channel_id) > 0


@pytest.mark.parametrize("label", ["bt", "t", "v", "bv", "s", "bs", "ut"])
def test_a_number_beyond_any_float_is_refused_where_the_name_is_known_too(label: str) -> None:
    of = connection({"a": "degC"})
    usual = {"n": "a", "u": "Cel", "t": T, "v": 1.5}
    assert decoded(of, json.dumps([usual]).encode()).value == [1.5]
    for pack in (json.dumps([usual | {label: 10**400}]).encode(), in_cbor([usual | {label: 10**400}])):
        out = decoded(of, pack)
        assert len(out.quarantined) + len(out.rejected) + len(out.channel_id) > 0


def test_records_without_base_fields_may_come_in_any_order() -> None:
    records = [{"n": "a", "t": T + place, "u": "K", "v": 300.0 + place} for place in range(3)]
    found = {
        tuple(sorted(zip(out.observed_us, out.value, strict=True)))
        for order in permutations(records)
        if (out := decoded(connection({"a": "degC"}), json.dumps(order).encode()))
    }
    assert len(found) == 1


def test_what_comes_often_goes_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the pace that is measured would be of packs that nobody sends."""
    of = connection({"a": "degC", "b": "%"}, select="dev:")
    pack = [{"bn": "dev:", "bt": T, "n": "a", "u": "Cel", "v": 1.5}, {"n": "b", "u": "%RH", "v": 40}]
    first = decoded(of, json.dumps(pack).encode())
    monkeypatch.setattr(senml.pack, "read", None)
    assert decoded(of, json.dumps(pack).encode()) == first
    assert decoded(of, json.dumps(pack, separators=(",", ":")).encode()) == first

"""Units: what is converted, and what is refused rather than guessed."""

from __future__ import annotations

import pytest

from core.units import SYMBOLS, UnitError, conversion, parse_quantity, same_dimension, seconds, shown_unit, unit_of


@pytest.mark.parametrize(
    ("source", "target", "value", "expected"),
    [
        ("degF", "degC", 212.0, 100.0),
        ("degF", "degC", 32.0, 0.0),
        ("cdegC", "degC", 2150.0, 21.5),
        ("mg/m^3", "ug/m^3", 0.035, 35.0),
        ("ms", "s", 250.0, 0.25),
        ("degE7", "deg", 375_657_000.0, 37.5657),
        ("mph", "km/h", 100.0, 160.9344),
        ("/", "%", 0.5, 50.0),
        ("kWh", "Wh", 1.5, 1500.0),
        ("W*s", "kWh", 3.6e6, 1.0),
        ("(ug/m^3)*h", "ug/m^3*s", 1.0, 3600.0),
        ("degC*h", "K*s", 2.0, 7200.0),
        ("degC/h", "degF/h", 5.0, 9.0),
        ("건/(1000 km)", "건/km", 1.0, 0.001),
        ("건/camera-day", "건/대·일", 3.0, 3.0),
        ("건/(100 device-hour)", "건/device-day", 1.0, 0.24),
        ("1/(1000 km)", "1/m", 1.0, 1e-6),
        ("시간", "분", 2.0, 120.0),
        ("bpm", "beat/second", 60.0, 1.0),
    ],
)
def test_conversions(source: str, target: str, value: float, expected: float) -> None:
    assert conversion(source, target)(value) == pytest.approx(expected, rel=1e-14, abs=1e-13)


def test_same_unit_changes_no_bit() -> None:
    assert conversion("degC", "degC")(21.123456789012345) == 21.123456789012345


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("s", "degC"), ("%p", "%"), ("ug/m^3", "ppm"), ("bpm", "Hz"), ("pH", "1"), ("건", "1"), ("건", "%"), ("점", "%"),
        ("점", "건"), ("건/km", "1/km"), ("건/device-day", "건/d"), ("대·일", "d"), ("dB", "dBm"), ("W*s", "W"),
    ],
)  # fmt: skip
def test_another_dimension_is_refused(source: str, target: str) -> None:
    with pytest.raises(UnitError, match="same dimension"):
        conversion(source, target)


UNKNOWN = [
    "foo", "Fx", "EL", "Cell", "h2", "EH", "µµ", "import", "c%", "건/(1000 foo)", "km//h", "(km", "km)", "1/(0 km)", "-1/km",
    "km h", "*", "2 %", "1000 km",
]  # fmt: skip


@pytest.mark.parametrize("symbol", UNKNOWN)
def test_a_unit_is_never_guessed(symbol: str) -> None:
    with pytest.raises(UnitError, match="Unknown unit"):
        unit_of(symbol)


def test_symbols_that_pint_alone_reads_wrongly() -> None:
    assert not same_dimension("pH", "Hz")
    assert same_dimension("%RH", "%")
    assert conversion("%RH", "1")(50.0) == 0.5


@pytest.mark.parametrize("symbol", sorted(SYMBOLS))
def test_every_symbol_of_the_table_is_a_unit(symbol: str) -> None:
    unit_of(symbol)


@pytest.mark.parametrize(
    ("unit", "shown"),
    [
        ("건/(1000 km)", "건/1,000 km"), ("건/(1 d)", "건/d"), ("1/(1000 km)", "/1,000 km"), ("(kW)*s", "kW·s"),
        ("건/device-day", "건/대·일"), ("건/camera-day", "건/카메라·일"), ("case", "건"), ("", ""), ("%p", "%p"),
        ("degC/h", "°C/h"),
    ],
)  # fmt: skip
def test_how_units_are_printed(unit: str, shown: str) -> None:
    assert shown_unit(unit) == shown


def test_a_unit_that_is_many_of_another_converts_exactly() -> None:
    """0.001 as a float is not a thousandth: a rate exactly on its bound must be so in the other unit."""
    for count in (1, 3, 7, 49, 1001):
        assert conversion("건/km", "건/(1000 km)")(count / 1000) == pytest.approx(count, rel=1e-15)
    assert unit_of("1/(1000 km)") == unit_of("1/(1,000 km)") != unit_of("1/km")


def test_durations_and_quantities() -> None:
    assert seconds("10 s") == 10
    assert seconds("0.5 h") == 1800
    assert seconds("30 d") == 2_592_000
    assert parse_quantity("1,000 km") == (1000.0, "km")
    assert shown_unit("ug/m^3") == "µg/m³"
    with pytest.raises(UnitError, match="no quantity"):
        parse_quantity("ten s")

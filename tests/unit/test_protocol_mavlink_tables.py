"""MAVLink's tables against the definitions that pymavlink ships, its mode maps, and the plan check that stands on them."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pymavlink  # type: ignore[import-untyped]
import pytest
from pymavlink.dialects.v20 import ardupilotmega  # type: ignore[import-untyped]

from core.units import conversion, unit_of
from devices.plan.problem import PlanProblems
from devices.plan.reader import read_plan
from ingest.protocols.mavlink import modes, vocabulary
from ingest.protocols.mavlink.dialect import NUMBERS, kind
from ingest.protocols.mavlink.invalid import IN_WORDS, STATED
from ingest.protocols.mavlink.units import UNITS
from tests.collecting import plan_bytes

DEFINITIONS = Path(pymavlink.__file__).parent / "dialects" / "v20"
NAMED = {
    "UINT8_MAX": 2**8 - 1, "UINT16_MAX": 2**16 - 1, "UINT32_MAX": 2**32 - 1, "INT8_MAX": 127, "INT16_MAX": 2**15 - 1,
    "INT32_MAX": 2**31 - 1, "MAV_LANDED_STATE_UNDEFINED": 0,
}  # fmt: skip


def invalid_of(name: str) -> dict[tuple[str, str], int]:
    """The ``invalid`` attributes of a dialect's file and of those that it includes."""
    root = ElementTree.parse(DEFINITIONS / name).getroot()
    found: dict[tuple[str, str], int] = {}
    for include in root.findall("include"):
        found |= invalid_of(include.text or "")
    for message in root.iter("message"):
        for field in message.findall("field"):
            said = (field.get("invalid") or "").strip("[]").rstrip(":")
            if said and said.lower() != "nan":
                value = (
                    NAMED[said]
                    if said in NAMED
                    else int(said, 0)
                    if re.fullmatch(r"-?(\d+|0x\w+)", said)
                    else float(said)
                )
                found[str(message.get("name")), str(field.get("name"))] = int(value)
    return found


def test_values_that_mean_none_are_those_of_the_definitions() -> None:
    ours = {(message, field): value for message, of in STATED.items() for field, value in of.items()}
    assert ours == invalid_of("ardupilotmega.xml")
    for message, fields in IN_WORDS.items():
        of = kind(NUMBERS[message])
        assert of is not None and set(fields) <= set(of.fields)


def test_every_unit_of_the_dialect_has_its_place() -> None:
    theirs = {unit for made in ardupilotmega.mavlink_map.values() for unit in made.fieldunits_by_name.values()}
    assert theirs == set(UNITS)
    for unit in UNITS.values():
        unit_of(unit)


@pytest.mark.parametrize(
    ("unit", "to", "factor"),
    [
        ("degE7", "deg", 1e-7), ("cdeg", "deg", 0.01), ("mm", "m", 1e-3), ("cm/s", "m/s", 0.01), ("mV", "V", 1e-3),
        ("cA", "A", 0.01), ("hJ", "J", 100), ("mAh", "A*h", 1e-3), ("d%", "%", 0.1), ("c%", "%", 0.01), ("m/s*5", "m/s", 0.2),
        ("deg/2", "deg", 2), ("dam", "m", 10), ("rpm", "1/min", 1), ("mG", "m/s2", 9.80665e-3), ("mgauss", "tesla", 1e-7),
        ("ddeg/s", "deg/s", 0.1), ("cs", "s", 0.01), ("hPa", "Pa", 100), ("mrad/s", "rad/s", 1e-3), ("KiB/s", "B/s", 1024),
    ],
)  # fmt: skip
def test_a_unit_is_so_many_of_another(unit: str, to: str, factor: float) -> None:
    assert conversion(UNITS[unit], to).scale == pytest.approx(factor, rel=1e-12)


def test_hundredths_of_a_degree_celsius_have_their_own_zero() -> None:
    assert conversion(UNITS["cdegC"], "degC")(2_150) == pytest.approx(21.5)


def test_every_word_stands_somewhere() -> None:
    for word in vocabulary.WORDS:
        assert vocabulary.place(word) is not None, word
    for wrong in (
        "VFR_HUD.nope",
        "NOPE.x",
        "BATTERY_STATUS.voltages",
        "BATTERY_STATUS.voltages[10]",
        "VFR_HUD[1].alt",
        "x",
        "",
    ):
        assert vocabulary.place(wrong) is None, wrong


def test_modes_are_named_as_pymavlink_names_them() -> None:
    # In a process of its own: that module reads the environment, and a file in the home folder.
    script = (
        "from pymavlink import mavutil as m\n"
        "print({t: dict(a) for t, a in m.AP_MAV_TYPE_MODE_MAP_DEFAULT.items()})\n"
        "print({(a, b): m.interpret_px4_mode(0, a << 16 | b << 24) for a in range(1, 9) for b in range(9)})\n"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60).stdout
    ardupilot, px4 = (eval(line) for line in said.splitlines()[-2:])
    same = other = 0
    for vehicle, names in ardupilot.items():
        for number, name in names.items():
            found = modes.mode(modes.ARDUPILOT, vehicle, 1, number)
            same, other = (same + 1, other) if found == name else (same, other + (not found.isdigit()))
    assert same > 250 and other < 40, "names that the dialect writes with an underscore more"
    for (main, sub), name in px4.items():
        if name != "UNKNOWN":
            assert modes.mode(modes.PX4, 2, 1, main << 16 | sub << 24) == name


@pytest.mark.parametrize(
    ("channel", "rule"),
    [
        ("altitude: {unit: degC, period: 1 s}", "stated-unit"),
        ("voltage: {unit: V, source_unit: V, period: 1 s}", "stated-source-unit"),
        ("pm25: {unit: ug/m^3, period: 1 s, source: VFR_HUD.airsped}", "source-unknown"),
        ("voltage: {unit: V, source_unit: mV, period: 1 s}", ""),
        ("flow: {unit: l/min, source_unit: l/h, period: 1 s, source: 'NAMED_VALUE_FLOAT[f].value'}", ""),
        ("own: {unit: degC, period: 1 s, source: a.path.in.json}", ""),
    ],
)
def test_a_plan_says_no_unit_but_the_protocols(channel: str, rule: str) -> None:
    slots = f"  s1:\n    device: {{serial: '1'}}\n    connection: sky\n    channels:\n      {channel}\n"
    slots += "      pm10: {unit: ug/m^3, period: 1 s}\n"
    plan = plan_bytes("p", connections="{sky: {protocol: mavlink}}", slots=slots).replace(
        b"channel: pm25", b"channel: pm10"
    )
    try:
        read_plan(plan)
        found = []
    except PlanProblems as problems:
        found = [one.code for one in problems.problems]
    assert found == ([rule] if rule else [])


@pytest.mark.parametrize(("protocol", "source"), [("mavlink", "VFR_HUD.airsped"), ("vda5050", "batteryState.charg")])
def test_a_source_that_a_protocol_does_not_have_is_told_in_words_that_fit_it(protocol: str, source: str) -> None:
    channels = f"{{pm25: {{unit: ug/m^3, period: 1 s, source: {source}}}}}"
    slots = f"  s1:\n    device: {{serial: '1'}}\n    connection: sky\n    channels: {channels}\n"
    with pytest.raises(PlanProblems) as told:
        read_plan(plan_bytes("p", connections=f"{{sky: {{protocol: {protocol}}}}}", slots=slots))
    (problem,) = [one for one in told.value.problems if one.code == "source-unknown"]
    assert f"{protocol} has no {source}" in str(problem) and "MESSAGE" not in str(problem)
    assert f"ingest/protocols/{protocol}/README.md" in str(problem)

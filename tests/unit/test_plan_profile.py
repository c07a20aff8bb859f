"""Device templates: what a slot takes of them, and what is told of those that cannot be taken."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from core.canonical import sha256
from devices.plan.diff import diff, refusals
from devices.plan.model import Plan
from devices.plan.problem import PlanProblems, Problem
from devices.plan.profile import UsedProfile
from devices.plan.profile_files import LARGEST_BYTES, shipped
from devices.plan.reader import PlanFile, read_plan, stored_plan
from devices.plan.schema import schema_text
from devices.plan.written import resolved
from devices.plan.yaml_tree import read_tree

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "docs" / "profile.schema.json"

HEAD = """\
pilot: p
title: t
kind: rnd
company: {id: c, name: c}
site: {id: s, name: s}
period: {start: 2026-03-01, end: 2027-03-01}
evaluation: {data_until: 2027-02-01, meeting: 2027-02-10}
product: {name: p}
kpis:
  warm: {name: n, measure: {statistic: {channel: temp, stat: mean}}, target: "<= 26 degC", weight: 100}
"""
ACME = """\
title: Acme CA-200
connection:
  time: {path: Time, format: iso, zone: Asia/Seoul}
  options: {pieces: data}
topics: ["acme/{serial}/up"]
channels:
  temp: {unit: degC, source: t.f, source_unit: degF, period: 10 s, range: [-40, 80], uncertainty: {absolute: 0.5 degC}}
  co2: {unit: ppm, source: gas.co2, period: 60 s}
  fan:
    kind: state
    states: [stopped, running, fault]
    source_states: {0: stopped, 1: running, ERR: fault}
    reporting: on_change
events:
  alarm: {numbered: true}
"""
SLOT = """\
slots:
  hall:
    profile: ./profiles/acme.yaml
    device: {serial: CA-0001}
"""
WRITTEN_OUT = """\
connections:
  hall: {time: {path: Time, format: iso, zone: Asia/Seoul}, options: {pieces: data}}
slots:
  hall:
    device: {serial: CA-0001}
    connection: hall
    topics: [acme/CA-0001/up]
    channels:
      temp: {unit: degC, source: t.f, source_unit: degF, period: 10 s, range: [-40, 80], uncertainty: {absolute: 0.5 degC}}
      co2: {unit: ppm, source: gas.co2, period: 60 s}
      fan: {kind: state, states: [stopped, running, fault], source_states: {0: stopped, 1: running, ERR: fault},
            reporting: on_change}
    events: {alarm: {numbered: true}}
"""


def read(folder: Path, rest: str, acme: str | bytes = ACME) -> PlanFile:
    """A plan that lies beside a template of a company's own."""
    (folder / "profiles").mkdir(exist_ok=True)
    (folder / "profiles" / "acme.yaml").write_bytes(acme if isinstance(acme, bytes) else acme.encode())
    (folder / "plan.yaml").write_text(HEAD + rest, encoding="utf-8")
    return read_plan(folder / "plan.yaml")


def problems(folder: Path, rest: str, acme: str | bytes = ACME) -> list[Problem]:
    with pytest.raises(PlanProblems) as caught:
        read(folder, rest, acme)
    return list(caught.value.problems)


def said(plan: Plan) -> dict[str, Any]:
    """What a plan says, but for where it took that from."""
    whole = plan.model_dump(mode="json", exclude_none=True)
    for part in (*whole["slots"].values(), *whole["connections"].values()):
        part.pop("profile", None)
        part.pop("without", None)
    return whole


def test_a_slot_with_a_template_is_what_it_would_be_written_out(tmp_path: Path) -> None:
    assert said(read(tmp_path, SLOT).plan) == said(read_plan((HEAD + WRITTEN_OUT).encode()).plan)


def test_the_template_is_kept_to_the_byte_and_the_plan_is_its_own_file(tmp_path: Path) -> None:
    file = read(tmp_path, SLOT)

    assert file.profiles == (UsedProfile(name="./profiles/acme.yaml", source=ACME.encode()),)
    assert file.profiles[0].sha256 == sha256(ACME.encode())
    assert file.sha256 == sha256((HEAD + SLOT).encode())
    assert file.plan.profiles == file.profiles


def test_a_stored_plan_asks_no_file(tmp_path: Path) -> None:
    file = read(tmp_path, SLOT)
    (tmp_path / "profiles" / "acme.yaml").unlink()

    again = stored_plan(file.source, file.profiles)
    assert said(again) == said(file.plan)
    assert again.profiles == file.profiles
    with pytest.raises(PlanProblems, match="not stored with this plan"):
        stored_plan(file.source)


def test_a_shipped_template_changed_since_does_not_alter_a_stored_plan() -> None:
    rest = SLOT.replace("./profiles/acme.yaml", "air-quality-node")
    source = (HEAD.replace("channel: temp", "channel: temperature") + rest).encode()
    then = UsedProfile(
        name="air-quality-node", source=b"title: t\nchannels: {temperature: {unit: degC, period: 7 s}}\n"
    )

    assert list(stored_plan(source, (then,)).slots["hall"].channels) == ["temperature"]
    assert len(read_plan(source).plan.slots["hall"].channels) == 6


def test_what_a_slot_says_itself_goes_before(tmp_path: Path) -> None:
    rest = SLOT + (
        "    topics: [site/hall]\n    without: [co2]\n    channels:\n"
        "      temp: {period: 30 s, uncertainty: {relative: 1 %, certificate: KTL-1}}\n"
        "      fan: {reporting: periodic, period: 5 s}\n      door: {kind: state, states: [open, shut], reporting: event}\n"
        "    events: {alarm: {name: 경보}}\n"
    )
    slot = read(tmp_path, rest).plan.slots["hall"]

    assert list(slot.channels) == ["temp", "fan", "door"]
    temp = slot.channels["temp"]
    assert (temp.period, temp.source, temp.source_unit) == ("30 s", "t.f", "degF")
    assert temp.uncertainty is not None
    assert (temp.uncertainty.absolute, temp.uncertainty.certificate) == (None, "KTL-1")
    assert (slot.channels["fan"].reporting, slot.channels["fan"].period) == ("periodic", "5 s")
    assert slot.topics == ("site/hall",)
    assert (slot.events["alarm"].name, slot.events["alarm"].numbered) == ("경보", True)


def test_a_field_of_the_template_is_taken_away_by_an_empty_one(tmp_path: Path) -> None:
    plan = read(tmp_path, SLOT + "    channels: {temp: {reporting: on_change, period: , range: }}\n").plan
    assert plan.slots["hall"].channels["temp"].period is None
    assert plan.slots["hall"].channels["temp"].range is None


def test_slots_share_a_connection_that_names_the_template(tmp_path: Path) -> None:
    rest = (
        "connections:\n  gw: {profile: ./profiles/acme.yaml, time: {zone: UTC}}\n" + SLOT + "    connection: gw\n"
        "  roof: {profile: ./profiles/acme.yaml, connection: gw, device: {serial: '0012'}}\n"
    )
    plan = read(tmp_path, rest).plan

    assert list(plan.connections) == ["gw"]
    assert (plan.connections["gw"].time.path, plan.connections["gw"].time.zone) == ("Time", "UTC")
    assert plan.connections["gw"].options == {"pieces": "data"}
    assert [slot.topics for slot in plan.slots.values()] == [("acme/CA-0001/up",), ("acme/0012/up",)]
    assert len(plan.profiles) == 1


def test_the_serial_number_selects_behind_a_gateway(tmp_path: Path) -> None:
    acme = 'title: t\nselect: {dev: "{serial}"}\nchannels: {temp: {unit: degC, period: 1 s}}\n'
    rest = (
        "connections: {gw: {topics: [gw/up]}}\nslots:\n"
        "  a: {profile: ./profiles/acme.yaml, connection: gw, device: {serial: 0012}}\n"
        "  b: {profile: ./profiles/acme.yaml, connection: gw, device: {serial: 0013}, select: {id: x}}\n"
    )
    slots = read(tmp_path, rest, acme).plan.slots
    assert (slots["a"].select, slots["b"].select) == ({"dev": "0012"}, {"id": "x"})


def test_an_alias_of_a_slot_with_a_template(tmp_path: Path) -> None:
    rest = SLOT.replace("  hall:\n", "  hall: &one\n") + "    topics: []\n  roof: *one\n"
    plan = read(tmp_path, rest).plan
    assert plan.slots["roof"].channels == plan.slots["hall"].channels
    assert list(plan.connections) == ["hall", "roof"]


BREACHES: list[tuple[tuple[str, str], tuple[str, str], str, str, str]] = [
    # Old and new text in the plan, and in the template; code, path, what stands at the place in the template (or its line)
    (("./profiles/acme.yaml", "acme-ca200"), ("", ""), "profile-unknown", "slots.hall.profile", ""),
    (("./profiles/acme.yaml", "air-quality-nod"), ("", ""), "profile-unknown", "slots.hall.profile", ""),
    (("./profiles/acme.yaml", "../acme.yaml"), ("", ""), "profile-path", "slots.hall.profile", ""),
    (("./profiles/acme.yaml", "profiles/../../acme.yaml"), ("", ""), "profile-path", "slots.hall.profile", ""),
    (("./profiles/acme.yaml", "/etc/acme.yaml"), ("", ""), "profile-path", "slots.hall.profile", ""),
    (("./profiles/acme.yaml", "C:/acme.yaml"), ("", ""), "profile-path", "slots.hall.profile", ""),
    (("./profiles/acme.yaml", "profiles\\acme.yaml"), ("", ""), "profile-path", "slots.hall.profile", ""),
    (("./profiles/acme.yaml", "./profiles/acme.txt"), ("", ""), "profile-path", "slots.hall.profile", ""),
    (("./profiles/acme.yaml", "./profiles/.yaml/.."), ("", ""), "profile-path", "slots.hall.profile", ""),
    (("./profiles/acme.yaml", "./profiles/acme2.yaml"), ("", ""), "profile-none", "slots.hall.profile", ""),
    (("./profiles/acme.yaml", "[a]"), ("", ""), "text", "slots.hall.profile", ""),
    (("{serial: CA-0001}", "{serial: a/b}"), ("", ""), "profile-serial", "slots.hall.device.serial", ""),
    (("CA-0001}", "CA-0001}\n    without: [co3]"), ("", ""), "without-unknown", "slots.hall.without[0]", ""),
    (("CA-0001}", "CA-0001}\n    without: [co2]\n    channels: {co2: {period: 1 s}}"), ("", ""), "without-given",
     "slots.hall.without[0]", ""),
    (("CA-0001}", "CA-0001}\n  b: {device: {serial: b}, without: [t]}"), ("", ""), "without-profile", "slots.b.without", ""),
    (("CA-0001}", "CA-0001}\n    channels: {temp: {unit: W}}"), ("", ""), "source-unit", "slots.hall.channels.temp.source_unit",
     "source_unit: degF"),
    (("CA-0001}", "CA-0001}\n    channels: {temp: }"), ("", ""), "mapping", "slots.hall.channels.temp", ""),
    (("CA-0001}", "CA-0001}\n    channels: {new: {unt: degC}}"), ("", ""), "unknown-key", "slots.hall.channels.new.unt", ""),
    (("CA-0001}", "CA-0001}\n    connection: gw\nconnections: {gw: {protocol: senml}}"), ("", ""), "profile-protocol",
     "slots.hall.profile", ""),
    (("CA-0001}", "CA-0001}\n    connection: gw\nconnections: {gw: {profile: ./profiles/acme.yaml}}"),
     (ACME[ACME.index("connection"):ACME.index("topics")], ""), "profile-connection", "connections.gw.profile", ""),
    (("CA-0001}", "CA-0001}\n  b: {device: {serial: b}}\nconnections: {hall: {}}"), ("", ""), "connection-own", "slots.hall", ""),
    # In the template
    (("", ""), ("title:", "titel:"), "unknown-key", "slots.hall.profile", "titel:"),
    (("", ""), ("unit: ppm", "unit: ppmm"), "unit", "slots.hall.channels.co2.unit", "unit: ppmm"),
    (("", ""), ("  co2: {unit: ppm", "  co2: {unt: ppm"), "unknown-key", "slots.hall.channels.co2.unt", "unt: ppm"),
    (("", ""), ("10 s, range: [-40", "10, range: [-40"), "duration", "slots.hall.channels.temp.period", "period: 10,"),
    (("", ""), ("zone: Asia/Seoul", "zone: Seoul"), "zone", "connections.hall.time.zone", "zone: Seoul"),
    (("", ""), ("{pieces: data}", "{piece: data}"), "protocol-options", "connections.hall.options.piece", "piece: data"),
    (("", ""), ("1: running", "1: runing"), "source-states", "slots.hall.channels.fan.source_states.1", "1: runing"),
    (("", ""), ("1: running", "1.0: running, 1.00: stopped"), "source-states-twice",
     "slots.hall.channels.fan.source_states.1.00", "1.00: stopped"),
    (("", ""), ("acme/{serial}/up", "#"), "topic-all", "slots.hall.topics[0]", "\"#\""),
    (("", ""), ("title: Acme CA-200", "title: Acme CA-200\nprofile: power-meter"), "profile-within", "slots.hall.profile",
     "profile: power-meter"),
    (("", ""), ("  time: {path", "  profile: power-meter\n  time: {path"), "profile-within", "slots.hall.profile",
     "profile: power-meter"),
    (("", ""), ("title: Acme CA-200", "title: [Acme"), "yaml-syntax", "slots.hall.profile", "2"),
    (("", ""), ("title: Acme CA-200", "title: !x Acme"), "yaml-tag", "slots.hall.profile", "1"),
    (("", ""), ("title: Acme CA-200", "title: a\ntitle: b"), "yaml-duplicate", "slots.hall.profile", "2"),
]  # fmt: skip


@pytest.mark.parametrize(("in_plan", "in_template", "code", "path", "place"), BREACHES)
def test_a_problem_is_told_once_with_both_places(
    tmp_path: Path, in_plan: tuple[str, str], in_template: tuple[str, str], code: str, path: str, place: str
) -> None:
    assert in_plan[0] in SLOT
    assert in_template[0] in ACME
    rest = SLOT.replace(*in_plan, 1) if in_plan[0] else SLOT
    acme = ACME.replace(*in_template, 1) if in_template[0] else ACME

    if place and not place.isdigit():
        before = acme[: acme.index(place)]
        place = f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
    found = [one for one in problems(tmp_path, rest, acme) if one.code == code]
    assert [(one.path, one.profile) for one in found] == [(path, place and f"./profiles/acme.yaml:{place}")]
    if place:
        lines = (HEAD + rest).splitlines()
        assert "profile: ./profiles/acme.yaml" in lines[found[0].line - 1]
        assert f"(./profiles/acme.yaml:{place})" in str(found[0])


def test_a_problem_of_a_template_that_several_slots_use_is_told_once(tmp_path: Path) -> None:
    rest = SLOT + "  roof: {profile: ./profiles/acme.yaml, device: {serial: b}}\n"
    found = problems(tmp_path, rest, ACME.replace("unit: ppm", "unit: ppmm"))
    assert [(one.code, one.path) for one in found] == [("unit", "slots.hall.channels.co2.unit")]


@pytest.mark.parametrize(
    ("acme", "code"),
    [
        (b"title: \xb9\xcc\xbc\xbc\xb8\xd5\xc1\xf6\n", "yaml-encoding"),  # CP949, as old Korean editors save
        (b"title: t\n# " + b"x" * LARGEST_BYTES, "profile-size"),
        (b"title: t\n", "profile-empty"),
        (b"", "yaml-mapping"),
        (b"- a\n", "yaml-mapping"),
        (b"a: &a [*a]\n", "yaml-alias"),
        (b"title: " + b"[" * 40, "yaml-depth"),
    ],
)
def test_a_template_that_is_none_is_told(tmp_path: Path, acme: bytes, code: str) -> None:
    assert code in [one.code for one in problems(tmp_path, SLOT, acme)]


def test_a_template_in_utf_8_with_a_byte_order_mark(tmp_path: Path) -> None:
    assert read(tmp_path, SLOT, b"\xef\xbb\xbf" + ACME.encode()).plan.slots["hall"].channels["co2"].unit == "ppm"


def test_a_link_out_of_the_folder_leads_nowhere(tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text(ACME, encoding="utf-8")
    home = tmp_path / "home"
    (home / "profiles").mkdir(parents=True)
    (home / "profiles" / "acme2.yaml").symlink_to(outside)
    (home / "profiles" / "acme3.yaml").symlink_to(home / "profiles" / "acme3.yaml")
    rest = SLOT.replace("acme.yaml", "acme2.yaml")
    assert [one.code for one in problems(home, rest) if "profile" in one.code] == ["profile-path"]
    rest = SLOT.replace("acme.yaml", "acme3.yaml")
    assert problems(home, rest)[0].code in ("profile-unreadable", "profile-none")
    (home / "profiles" / "acme4.yaml").mkdir()
    assert problems(home, SLOT.replace("acme.yaml", "acme4.yaml"))[0].code == "profile-none"


def test_without_a_folder_only_shipped_ones_are_found() -> None:
    with pytest.raises(PlanProblems) as caught:
        read_plan((HEAD + SLOT).encode())
    assert [one.code for one in caught.value.problems if "profile" in one.code] == ["profile-folder"]


def test_a_small_plan_does_not_become_a_huge_one(tmp_path: Path) -> None:
    channels = "".join(f"  c{number}: {{unit: W, period: 1 s}}\n" for number in range(1500))
    slots = "".join(
        f"  s{number}: {{profile: ./profiles/acme.yaml, device: {{serial: s{number}}}}}\n" for number in range(4000)
    )
    found = problems(tmp_path, f"slots:\n{slots}", f"title: t\nchannels:\n{channels}")
    assert [one.code for one in found] == ["yaml-nodes"]


def test_a_changed_template_is_a_change_of_the_plan(tmp_path: Path) -> None:
    before = read(tmp_path, SLOT).plan
    after = read(tmp_path, SLOT, ACME.replace("source: gas.co2", "source: co2")).plan
    assert [(one.path, one.effect) for one in diff(before, after)] == [
        ("slots.hall.channels.co2.source", "registry"),
        ("profiles../profiles/acme.yaml", "registry"),
    ]
    assert not refusals(before, after, datetime(2026, 2, 1, tzinfo=UTC))

    judged = read(tmp_path, SLOT, ACME.replace("10 s, range: [-40", "20 s, range: [-40")).plan
    found = refusals(before, judged, datetime(2026, 2, 1, tzinfo=UTC))
    assert {(one.code, one.way) for one in found} == {
        ("amendment-needed", ("slots", "hall", "channels", "temp", "period"))
    }
    other = read(tmp_path, SLOT, ACME.replace("unit: ppm,", "unit: '%',")).plan
    assert "unit-changed" in [one.code for one in refusals(before, other, datetime(2026, 2, 1, tzinfo=UTC))]


def test_writing_a_template_out_changes_nothing_that_counts(tmp_path: Path) -> None:
    before, after = read(tmp_path, SLOT).plan, read_plan((HEAD + WRITTEN_OUT).encode()).plan
    assert {one.path for one in diff(before, after)} == {"slots.hall.profile", "profiles../profiles/acme.yaml"}
    assert not [one for one in diff(before, after) if one.effect == "contract"]


def test_the_published_schema_is_current() -> None:
    again = "run `pilotbed plan schema --profile > docs/profile.schema.json`"
    assert PUBLISHED.read_text(encoding="utf-8") == schema_text(profile=True), again


@pytest.mark.parametrize("source", [ACME, *shipped()])
def test_templates_follow_the_schema(source: str) -> None:
    schema = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    if "\n" not in source:
        source = (ROOT / "devices" / "profiles" / f"{source}.yaml").read_text(encoding="utf-8")
    assert not list(Draft202012Validator(schema).iter_errors(resolved(read_tree(source.encode()).root)))
    wrong = resolved(read_tree(source.replace("channels:", "chanels:", 1).encode()).root)
    assert list(Draft202012Validator(schema).iter_errors(wrong))

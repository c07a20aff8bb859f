"""Reading a plan: what is written stays as written, and every problem is told at once with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import NotFound
from devices.plan.model import Plan
from devices.plan.problem import PlanProblems, Problem
from devices.plan.reader import keys_at, read_plan
from devices.plan.rules import RULES
from devices.plan.yaml_tree import NoTree, read_tree
from tests.refused import problems_of

PLANS = Path(__file__).parents[2] / "examples" / "plans"


def subway() -> str:
    return (PLANS / "subway-air.yaml").read_text(encoding="utf-8")


def replaced(text: str, *replacements: tuple[str, str]) -> str:
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def one(text: str) -> Problem:
    [problem] = problems_of(text)
    return problem


@pytest.mark.parametrize("path", sorted(PLANS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_example_plans_are_valid(path: Path) -> None:
    file = read_plan(path)
    assert file.source == path.read_bytes()
    assert len(file.sha256) == 64


TEN_ERRORS = """\
pilot: ten-errors
title: 열 가지 오류
kind: research                                        # 3: one-of
company: {id: c, name: c}
site: {id: s, name: s}
period: {start: 2026-03-01, end: 2027-03-01, timezone: Asia/Soul}    # 6: zone
evaluation: {data_until: 2027-13-01, meeting: 2027-02-10}            # 7: date
product: {name: p, trl: ten}                          # 8: whole
connections:
  gw: {protocol: jsn}                                 # 10: protocol
slots:
  a:
    connection: gw
    device: {serial: 0012}
    channels:
      t: {unit: degC, period: 10 s, source_unit: ppm}   # 16: source-unit
      u: {unit: degX, period: 10 s}                   # 17: unit
kpis:
  k:
    name: k
    measure: {statistic: {channel: tt, stat: mean}}   # 21: channel-unknown
    target: ">= 20 degC"
    weight: 50
  l:
    name: l
    measure: {statistic: {channel: t, stat: max}}
    target: "<= 30 W"                                 # 27: target-unit
    weight: 400                                       # 28: high
"""


def test_a_plan_with_ten_errors_lists_ten() -> None:
    wanted = [
        (int(number), code)
        for number, code in (line.split("# ")[1].split(": ") for line in TEN_ERRORS.splitlines() if "# " in line)
    ]
    assert len(wanted) == 10
    assert [(item.line, item.code) for item in problems_of(TEN_ERRORS)] == wanted
    assert [item.path for item in problems_of(TEN_ERRORS)] == [
        "kind",
        "period.timezone",
        "evaluation.data_until",
        "product.trl",
        "connections.gw.protocol",
        "slots.a.channels.t.source_unit",
        "slots.a.channels.u.unit",
        "kpis.k.measure.statistic.channel",
        "kpis.l.target",
        "kpis.l.weight",
    ]
    assert [item.value for item in problems_of(TEN_ERRORS)] == [
        "research", "Asia/Soul", "2027-13-01", "ten", "jsn", "ppm", "degX", "tt", "<= 30 W", "400",
    ]  # fmt: skip


def test_what_is_written_once_is_told_once() -> None:
    """The channels of three slots are one anchor: the problem stands where it is to be corrected."""
    text = replaced(subway(), ("unit: ppm,", "unit: pmm,"))
    problem = one(text)
    assert (problem.path, problem.value) == ("slots.platform-1.channels.co2.unit", "pmm")
    assert "pmm" in text.splitlines()[problem.line - 1]


def test_one_fault_is_one_problem() -> None:
    """A bad unit of a channel that a KPI is about hides nothing, and is not told twice."""
    text = replaced((PLANS / "office-temperature.yaml").read_text("utf-8"), ("unit: degC", "unit: degX"))
    problem = one(text)
    assert (problem.path, problem.value, problem.code) == ("slots.office.channels.temperature.unit", "degX", "unit")


def test_a_close_name_is_offered() -> None:
    text = replaced(subway(), ("slots: [platform-1, platform-2]", "slots: [platfrom-1, platform-2]"))
    problem = one(text)
    assert problem.code == "slot-unknown"
    assert "→ platform-1?" in problem.rule


def test_an_unknown_key_is_told_with_those_there_are() -> None:
    problem = one(replaced(subway(), ("    required: true", "    requird: true")))
    assert (problem.code, problem.path) == ("unknown-key", "kpis.pm25-limit.requird")
    assert "→ required?" in problem.rule
    assert "if_inconclusive" in problem.rule


def test_every_rule_is_told_in_korean_too() -> None:
    problem = one(replaced(subway(), ("timezone: Asia/Seoul", "timezone: Asia/Soul")))
    assert problem.rule == "a time zone is an IANA name, as in Asia/Seoul"
    assert problem.told("ko") == "시간대는 Asia/Seoul과 같은 IANA 이름입니다"


def test_both_languages_have_the_same_blanks() -> None:
    import string

    for code, sentences in RULES.items():
        blanks = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in sentences]
        assert blanks[0] == blanks[1], code


def test_scalars_stay_as_written() -> None:
    text = replaced(
        (PLANS / "office-temperature.yaml").read_text("utf-8"),
        ("device: {serial: OT-1}", "device: {serial: 0012, model: 1e3, firmware: 1.10}"),
        ("      temperature:\n", "      no:\n"),
        ("channel: temperature", "channel: no"),
        ("title: 사무실 냉난방 쾌적 온도 유지 실증", "title: 2026"),
        ("place: 사무실", "place: on"),
    )
    plan = read_plan(text.encode()).plan
    device = plan.slots["office"].device
    assert (device.serial, device.model, device.firmware) == ("0012", "1e3", "1.10")
    assert list(plan.slots["office"].channels) == ["no"]
    assert plan.title == "2026"
    assert plan.slots["office"].place == "on"
    assert type(device.serial) is str


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("required: true", "required: yes", "truth"),
        ("required: true", "required: 1", "truth"),
        ("required: true", 'required: "true"', "truth"),
        ("weight: 40", 'weight: "40"', "number"),
        ("weight: 40", "weight: .inf", "number"),
        ("weight: 40", "weight: 40 %", "number"),
        ("weight: 40", "weight: 1_0", "number"),
        ("trl: 7", "trl: 7.5", "whole"),
        ("trl: 7", "trl: 12", "high"),
        ("start: 2026-03-01", "start: 20260301", "date"),
        ("start: 2026-03-01", "start: 2026-3-1", "date"),
        ("start: 2026-03-01", "start: 2026-03-01T00:00:00", "date"),
        ("start: 2026-03-01", "start: null", "date"),
        ("title: 시청역 승강장 스마트 환기 실증", "title:", "text"),
        ("title: 시청역 승강장 스마트 환기 실증", 'title: ""', "not-empty"),
        ("title: 시청역 승강장 스마트 환기 실증", "title: [a]", "text"),
        ("functions: [초미세먼지 측정, 환기팬 자동 제어, 이산화탄소 감시]", "functions: 측정", "list"),
        ('device: {serial: "CA-0003", model: CA-200, firmware: 1.4.2}', "device: CA-0003", "mapping"),
        ("pilot: cityhall-air-2026", "pilot: 시청역", "name"),
        ("pilot: cityhall-air-2026", "pilot: a/b", "name"),
        ("  concourse:", "  Con course:", "name"),
        ("period: {start: 2026-03-01, end: 2027-03-01", "period: {start: 2027-03-01, end: 2026-03-01", "period-order"),
        ("location: [37.5657, 126.9769]", "location: [126.9769, 37.5657]", "latitude"),
        ("location: [37.5657, 126.9769]", "location: [37.5657]", "missing"),
        ('hours: "05:00-24:00"\n', 'hours: "24:00-05:00"\n', "hours"),
        ('hours: "05:00-24:00"\n', "hours: 5-24\n", "hours"),
        ("decision: estimate", "decision: guess", "one-of"),
        ("stat: mean", "stat: median", "stat"),
        ('value: "<= 35 ug/m^3"', 'value: "35 ug/m^3"', "target"),
        ('value: "<= 35 ug/m^3"', 'value: "<= 35 ug/m^4"', "unit"),
        ("relative: 5 %", "relative: five", "quantity"),
        ("period: 60 s\n", "period: 0 s\n", "duration"),
        ("period: 60 s\n", "period: 60\n", "duration"),
        ("period: 60 s\n", "period: 60 m\n", "duration"),
        ("period: 60 s\n", "reporting: on_change\n        period: 60 s\n", "period-reporting"),
        ("measure: {availability: {}}", "measure: {}", "measure-one"),
        ("measure: {availability: {}}", "measure: {availability: {}, capture: {}}", "measure-one"),
        ("measure: {availability: {}}", "measure: {uptime: {}}", "unknown-key"),
    ],
)
def test_a_value_of_the_wrong_kind(old: str, new: str, code: str) -> None:
    found = problems_of(replaced(subway(), (old, new)))
    assert code in {item.code for item in found}, [str(item) for item in found]
    assert all(item.line > 1 for item in found if item.code == code)


def test_a_kind_without_options_may_stand_alone() -> None:
    plan = read_plan(replaced(subway(), ("measure: {availability: {}}", "measure: {availability: }")).encode()).plan
    assert plan.kpis["availability"].measure.kind == "availability"
    assert plan.kpis["availability"].measure.availability is not None


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a: 1\nb:\n\t- c\n", "yaml-tab", 3),
        ("a: [1,\nb: 2\n", "yaml-syntax", 2),
        ("a: 1\n---\nb: 2\n", "yaml-documents", 2),
        ("%YAML 1.1\n---\na: no\n", "yaml-version", 2),
        ("- a\n- b\n", "yaml-mapping", 1),
        ("", "yaml-mapping", 1),
        ("just text", "yaml-mapping", 1),
        ("a: *b\n", "yaml-alias", 1),
        ("a: &a [*a]\n", "yaml-alias", 1),
        ("? [a, b]\n: c\n", "yaml-key", 1),
        ("a: 1\nb: \u0007\n", "yaml-sign", 2),
        ("a: " + "[" * 40 + "]" * 40, "yaml-depth", 1),
        ("a: " + "x" * 600_000, "yaml-size", 1),
    ],
)
def test_what_is_no_plan_at_all(text: str, code: str, line: int) -> None:
    [problem] = problems_of(text)
    assert (problem.code, problem.line) == (code, line)


def test_another_encoding_is_one_clear_line() -> None:
    [problem] = problems_of("a: 1\npilot: 시청역\n".encode("cp949"))
    assert (problem.code, problem.line) == ("yaml-encoding", 2)
    [problem] = problems_of(subway().encode("utf-16"))
    assert problem.code == "yaml-encoding"


def test_a_byte_order_mark_is_no_problem() -> None:
    assert read_plan(b"\xef\xbb\xbf" + subway().encode()).plan == read_plan(subway().encode()).plan


def test_a_billion_laughs() -> None:
    text = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(9)
    )
    [problem] = problems_of(text)
    assert problem.code == "yaml-nodes"


def test_a_duplicate_key_is_told_with_the_first_one() -> None:
    text = subway() + "title: 다른 제목\n"
    problem = one(text)
    assert problem.code == "yaml-duplicate"
    assert problem.line == len(text.splitlines())
    assert "line 4" in problem.rule


def test_tags_and_merge_keys_are_not_taken() -> None:
    assert {item.code for item in problems_of(replaced(subway(), ("title: 시청역", "title: !!str 시청역")))} == {
        "yaml-tag"
    }
    merged = replaced(subway(), ("    channels: *air\n", "    channels: {<<: *air}\n"))
    assert "yaml-merge" in {item.code for item in problems_of(merged)}


def test_a_line_is_found_for_what_is_not_there() -> None:
    file = read_plan(PLANS / "office-temperature.yaml")
    lines = file.source.decode().splitlines()
    assert lines[file.line_of(("kpis", "comfort", "target")) - 1].strip() == "target: 18..26 degC"
    assert lines[file.line_of(("kpis", "comfort", "scope")) - 1].strip() == "comfort:"
    assert lines[file.line_of(("evaluation", "meeting")) - 1].startswith("evaluation:")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"none\.yaml"):
        read_plan(tmp_path / "none.yaml")


def test_the_first_problem_is_the_message() -> None:
    with pytest.raises(
        PlanProblems, match=r"x\.yaml is not valid: line \d+: kpis\.pm25-limit\.weight: found 101"
    ) as caught:
        read_plan(replaced(subway(), ("weight: 40", "weight: 101")).encode(), name="x.yaml")
    assert caught.value.exit_code == 1
    assert "\n" not in str(caught.value)


def test_the_keys_of_a_part_are_known() -> None:
    share = ["slots", "hours", "days", "holidays", "where", "quality", "of", "while"]
    assert keys_at(("kpis", "x", "measure", "share")) == share
    assert keys_at(("slots", "a", "channels", "b", "uncertainty")) == ["relative", "absolute", "k", "certificate"]
    assert keys_at(()) == list(Plan.model_fields)


@given(st.text(max_size=60))
def test_no_text_takes_the_reader_down(text: str) -> None:
    try:
        read_plan(text.encode("utf-8", "surrogatepass"))
    except PlanProblems as told:
        assert told.problems


@given(st.lists(st.sampled_from(list("{}[],:&*!|>-?#%@`'\" \n\tab1.~<"))).map("".join))
def test_no_punctuation_takes_the_tree_down(text: str) -> None:
    try:
        read_tree(text.encode())
    except NoTree as none:
        assert none.problem.line >= 1

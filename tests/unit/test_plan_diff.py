"""What differs between two versions, what that needs, and what may not follow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from devices.plan.diff import diff, refusals
from devices.plan.model import Plan
from devices.plan.predicate import predicates, slots_in_effect
from devices.plan.reader import read_plan

PLAN = (Path(__file__).parents[1] / "plans" / "complete.yaml").read_text(encoding="utf-8")
BEFORE_START = datetime(2026, 2, 1, tzinfo=UTC)
RUNNING = datetime(2026, 4, 1, tzinfo=UTC)
# 1 June 2026 begins in Seoul.
FIRST_LOOK = datetime(2026, 5, 31, 15, tzinfo=UTC)
AGREED = ("kind: rnd\n", "kind: rnd\namendment: {parties: [a, b, c], reason: r, date: 2026-01-02}\n")


def plan(*replacements: tuple[str, str]) -> Plan:
    text = PLAN
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new, 1)
    return read_plan(text.encode()).plan


def codes(before: Plan, after: Plan, now: datetime) -> list[str]:
    return [item.code for item in refusals(before, after, now)]


def test_a_plan_does_not_differ_from_itself() -> None:
    assert diff(plan(), plan()) == []
    assert refusals(plan(), plan(), FIRST_LOOK + timedelta(days=1000)) == []


def test_a_comment_or_a_written_out_default_is_no_difference() -> None:
    bare = "measure: {statistic: {channel: t, stat: mean}}"
    written = plan((bare, f"decision: estimate, {bare}"), ("pilot: p\n", "pilot: p  # ours\n"))
    assert diff(plan(), written) == []


EFFECTS = [
    ("target: \">= 95 %\"", "target: \">= 90 %\"", "contract", "kpis.time.target"),
    ("weight: 20}\n  auto", "weight: 20, required: true}\n  auto", "contract", "kpis.time.required"),
    ("weight: 20}\n  auto", "weight: 20, scope: capability}\n  auto", "contract", "kpis.time.scope"),
    ("weight: 20}\n  auto", "weight: 20, completeness: 60}\n  auto", "contract", "kpis.time.completeness"),
    ("stat: p95", "stat: max", "contract", "kpis.power.measure.statistic.stat"),
    ("end: 2027-03-01", "end: 2027-04-01", "contract", "period.end"),
    ("data_until: 2027-02-01", "data_until: 2027-02-02", "contract", "evaluation.data_until"),
    ("mission: {numbered: true}", "mission: {}", "contract", "slots.a.events.mission.numbered"),
    ("company: {id: c,", "company: {id: cc,", "contract", "company.id"),
    ("retention: 365 d", "retention: 366 d", "contract", "retention"),
    ("source_unit: degF", "source_unit: K", "registry", "slots.a.channels.t.source_unit"),
    ('serial: "1"', 'serial: "9"', "registry", "slots.a.device.serial"),
    ("[tele/+/SENSOR]", "[tele/+/STATE]", "registry", "connections.gw.topics"),
    ("title: t", "title: u", "text", "title"),
    ("{name: n, measure: {share: {while: {channel: t,", "{name: m, measure: {share: {while: {channel: t,", "text",
     "kpis.time.name"),
    ("company: {id: c, name: c}", "company: {id: c, name: d}", "text", "company.name"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "effect", "path"), EFFECTS, ids=[item[3] for item in EFFECTS])
def test_the_effect_of_a_change(old: str, new: str, effect: str, path: str) -> None:
    changes = diff(plan(), plan((old, new)))
    assert [(change.path, change.effect) for change in changes if change.path == path] == [(path, effect)]
    refused = codes(plan(), plan((old, new)), BEFORE_START)
    assert ("amendment-needed" in refused) == (effect == "contract")
    if effect == "contract":
        assert codes(plan(), plan((old, new), AGREED), BEFORE_START) == []


def test_a_removed_kpi_needs_an_amendment() -> None:
    kpi = PLAN[PLAN.index("  ratio:") :]
    smaller = plan((kpi, ""), ("weight: 10}\n  capture", "weight: 20}\n  capture"))
    assert {change.path for change in diff(plan(), smaller)} == {"kpis.ratio", "kpis.power.weight"}
    assert codes(plan(), smaller, BEFORE_START) == ["amendment-needed"] * 2


def test_a_new_slot_changes_the_kpis_that_are_about_all_slots() -> None:
    more = plan(
        (
            '  d:\n    device: {serial: "4"}\n',
            '  d:\n    device: {serial: "4"}\n    channels: {t: {unit: degC, period: 10 s}}\n',
        )
    )
    contract = [change.path for change in diff(plan(), more) if change.effect == "contract"]
    assert contract == [
        "kpis.time.measure.share.slots",
        "kpis.mean.measure.statistic.slots",
        "kpis.spread.measure.statistic.slots",
        "kpis.capture.measure.capture.slots",
    ]


def test_an_amendment_covers_one_change() -> None:
    softer = plan(('target: ">= 95 %"', 'target: ">= 90 %"'), AGREED)
    softest = plan(('target: ">= 95 %"', 'target: ">= 80 %"'), AGREED)
    assert codes(plan(), softer, RUNNING) == []
    assert codes(softer, softest, RUNNING) == ["amendment-needed"]


def test_no_kpi_changes_once_it_was_judged() -> None:
    softer = plan(('target: ">= 95 %"', 'target: ">= 90 %"'), AGREED)
    assert codes(plan(), softer, FIRST_LOOK - timedelta(microseconds=1)) == []
    assert codes(plan(), softer, FIRST_LOOK) == ["window-seen"]


PAIR = (
    "product: {{name: p}}\ncalibrations:\n  - {{slot: a, channel: t, change: {day}, before: {{value: 20.4 degC, uncertainty:"
    " 0.2 degC}}, after: {{value: 20.1 degC, uncertainty: 0.2 degC}}, date: {day}, certificate: KTL-7}}\n"
)


def paired(*days: str) -> tuple[str, str]:
    first, *rest = (PAIR.format(day=day) for day in days)
    return "product: {name: p}\n", first + "".join(one[one.index("  - ") :] for one in rest)


def test_a_calibration_pair_comes_by_amendment_and_only_for_a_change_that_no_verdict_has_seen() -> None:
    may, july = "2026-05-02", "2026-07-02"
    assert codes(plan(), plan(paired(may)), RUNNING) == ["amendment-needed"]
    assert codes(plan(), plan(paired(may), AGREED), RUNNING) == []
    assert codes(plan(), plan(paired(may), AGREED), FIRST_LOOK) == ["window-seen"]
    assert codes(plan(), plan(paired(july), AGREED), FIRST_LOOK) == []
    assert codes(plan(paired(may)), plan(paired(may, july), AGREED), FIRST_LOOK) == []
    assert codes(plan(paired(may, july)), plan(paired(july), AGREED), FIRST_LOOK) == ["window-seen"]


def test_the_rules_of_exclusions_stand_once_something_was_judged_by_them() -> None:
    def ruled(text: str) -> tuple[str, str]:
        return "product: {name: p}\n", f"product: {{name: p}}\nexclusions: {{{text}}}\n"

    usual = "most: 2, ask_within: 5, holidays: []"
    assert diff(plan(), plan(ruled(usual))) == []
    for more in ("most: 3", "ask_within: 9", "reasons: {flood: 침수}"):
        assert codes(plan(), plan(ruled(more)), RUNNING) == ["amendment-needed"]
        assert codes(plan(), plan(ruled(more), AGREED), RUNNING) == []
        assert codes(plan(), plan(ruled(more), AGREED), FIRST_LOOK) == ["window-seen"]
    # A day that is declared a holiday meanwhile only says by when is asked.
    assert codes(plan(), plan(ruled("holidays: [2026-06-03]")), FIRST_LOOK) == ["amendment-needed"]
    assert codes(plan(), plan(ruled("holidays: [2026-06-03]"), AGREED), FIRST_LOOK) == []


def test_what_people_read_may_change_at_any_time() -> None:
    assert codes(plan(), plan(("title: t", "title: u"), ('serial: "1"', 'serial: "9"')), FIRST_LOOK) == []


def test_dates_to_come_may_move_by_amendment() -> None:
    longer = plan(("end: 2027-03-01", "end: 2027-06-01"), ("data_until: 2027-02-01", "data_until: 2027-05-01"),
                  ("meeting: 2027-02-10", "meeting: 2027-05-10"), AGREED)  # fmt: skip
    assert codes(plan(), longer, FIRST_LOOK) == []
    assert "date-seen" in codes(plan(), longer, datetime(2027, 3, 1, tzinfo=UTC))


def test_dates_that_are_past_stay() -> None:
    assert codes(plan(), plan(("[2026-06-01, ", "["), AGREED), FIRST_LOOK) == ["date-seen"]
    assert codes(plan(), plan(("[2026-06-01, ", "[2026-05-01, 2026-06-01, "), AGREED), RUNNING) == []
    assert codes(plan(), plan(("[2026-06-01, ", "[2026-03-15, 2026-06-01, "), AGREED), RUNNING) == ["date-seen"]


def test_the_start_moves_only_before_it() -> None:
    later = plan(("start: 2026-03-01", "start: 2026-03-10"), AGREED)
    assert codes(plan(), later, BEFORE_START) == []
    assert codes(plan(), later, RUNNING) == ["start-seen"]
    assert codes(plan(), plan(("end: 2027-03-01}", "end: 2027-03-01, timezone: UTC}"), AGREED), RUNNING) == [
        "start-seen"
    ]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("states: [AUTO, MANUAL]", "states: [MANUAL, AUTO]", "states-changed"),
        ("states: [AUTO, MANUAL]", "states: [AUTO]", "states-changed"),
        ("title: t", "title: t\nsimulated: true", "simulated-changed"),
        ("pilot: p\n", "pilot: q\n", "pilot-name"),
    ],
)
def test_what_never_changes(old: str, new: str, code: str) -> None:
    assert code in codes(plan(), plan((old, new), AGREED), BEFORE_START)


def test_a_state_may_be_added_at_the_end() -> None:
    assert codes(plan(), plan(("states: [AUTO, MANUAL]", "states: [AUTO, MANUAL, OFF]")), FIRST_LOOK) == []


def test_the_canonical_unit_never_changes() -> None:
    other = plan(
        ("t: {unit: degC, source: x.t, source_unit: degF, period: 10 s, max_hold: 30 s, uncertainty: {absolute: 0.5 degC}}",
         "t: {unit: K, source: x.t, source_unit: degF, period: 10 s, max_hold: 30 s}"),
        ("      t: {unit: degC, period: 10 s}", "      t: {unit: K, period: 10 s}"),
        ("<= 2 degC", "<= 2 K"),
        AGREED,
    )  # fmt: skip
    assert "unit-changed" in codes(plan(), other, BEFORE_START)


def test_conditions_are_numbers_in_canonical_units() -> None:
    found = predicates(plan(("20..26 degC", "< 86 degF")))
    assert set(found) == {"a", "b"}
    warm, auto = found["a"]
    assert (warm.channel, warm.low, warm.low_closed, warm.high_closed, warm.codes) == ("t", None, True, False, None)
    assert warm.high == pytest.approx(30, abs=1e-12)
    assert (auto.channel, auto.codes, auto.low, auto.high) == ("m", (0,), None, None)


def test_a_kpi_is_about_the_slots_that_have_what_it_measures() -> None:
    one = plan()
    effect = {name: slots_in_effect(one, kpi) for name, kpi in one.kpis.items()}
    assert effect["time"] == effect["mean"] == effect["capture"] == ("a", "b")
    assert effect["ratio"] == ("a",)

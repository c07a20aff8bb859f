"""Bad input, through the real store: of every measure kind a result or a stated reason, never an exception, never NaN.

Each case tells a site something odd and asks for the month and the final evaluation of a plan that has every kind, in both
scopes, under every rule and over every group that makes a difference.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from core.database import Connection
from core.window import micros
from devices.plan.measures import Measure
from devices.plan.reader import read_plan
from devices.registry import plan_source
from telemetry.batch import Flag
from tests.evaluated import Site
from tests.everything import FINAL, MONTH, heard, of, site_of_everything, steadily
from tests.kinds import ALL_UP, alarms, at, entry, missions, site_of


def test_every_kind_is_among_them(connection: Connection) -> None:
    """A new measure kind is to be added to the plan in tests/everything.py."""
    site_of_everything(connection)
    plan = read_plan(plan_source(connection, "hall")[0]).plan
    kinds = {part.measure.kind for kpi in plan.kpis.values() for part in kpi.parts}
    assert kinds == set(Measure.model_fields)
    assert {kpi.rule for kpi in plan.kpis.values()} == {"estimate", "confident", "guarded"}


# --- Little and odd


def nothing(made: Site) -> None:
    pass


def one_of_each(made: Site) -> None:
    heard(made, [(0, 1.0)])
    heard(made, [(0, 1.0)], "mode")
    missions(made, [1.0], ok=True)
    alarms(made, "a", 1, ok=True)
    made.happened("a", [(1, "", at("2025-03-05"), {"injured": 0})], kind="incident")


def constant(made: Site) -> None:
    heard(made, [(10 * i, 1.0) for i in range(600)])
    missions(made, [1.0] * 40, ok=True)
    alarms(made, "a", 40, ok=True)


def all_zero(made: Site) -> None:
    """Nothing was used and no way was gone: exposures of nothing."""
    heard(made, [(10 * i, 0.0) for i in range(600)])
    missions(made, [0.0] * 20, ok=False)
    made.happened("a", [(n, "", at("2025-03-11"), {}) for n in range(1, 4)], kind="incident")


def all_flagged(made: Site) -> None:
    every = Flag.ARRIVAL_TIME | Flag.RETAINED | Flag.QOS0 | Flag.LOADED | Flag.REPLAYED | Flag.REDECODED
    heard(made, [(10 * i, 1.0 + i % 3) for i in range(600)], flags=int(every))


def out_of_range(made: Site) -> None:
    """Every reading lies outside of what is physically possible (0 to 2 kW)."""
    heard(made, [(10 * i, -5.0 if i % 2 else 7.0) for i in range(600)])


def absurd(made: Site) -> None:
    heard(made, [(10, -5.0), (20, 1e140), (30, -1e140), (40, 5e-324)])


def never_ended(made: Site) -> None:
    missions(made, [None] * 12)


def ended_before(made: Site) -> None:
    missions(made, [-5.0] * 12, ok=True)


def never_begun(made: Site) -> None:
    rows = [(n, "end", at("2025-03-05") + timedelta(hours=n), {"ok": True}) for n in range(1, 13)]
    made.happened("a", rows)


def without_attributes(made: Site) -> None:
    missions(made, [1.0] * 5)
    alarms(made, "a", 5)
    made.happened("a", [(n, "", at("2025-03-05", f"{n:02}:00"), {}) for n in range(1, 6)], kind="incident")


def of_other_types(made: Site) -> None:
    for n, odd in enumerate((None, "yes", [], {"a": 1}, 10**400, -0.0), start=1):
        made.happened("a", [(n, "", at("2025-03-05", f"{n:02}:00"), {"injured": odd, "code": odd})], kind="incident")
        made.happened("a", [(n, "start", at("2025-03-05", f"{n:02}:00"), {}), (n, "end", at("2025-03-05", f"{n:02}:01"),
                            {"ok": odd})])  # fmt: skip


def undeclared_state(made: Site) -> None:
    heard(made, [(0, 1.0), (600, 7.0), (1200, -1.0), (1800, 0.5)], "mode")


def resets_and_wraps(made: Site) -> None:
    counter = np.arange(600.0) * 7 % 1000
    counter[300:] -= counter[300]
    heard(made, [(10 * i, value) for i, value in enumerate(counter.tolist())], "odometer", "pulses")


def backwards_numbers(made: Site) -> None:
    rows = [(n, "", at("2025-03-05") + timedelta(minutes=i), {}) for i, n in enumerate((5, 3, 900_000, 4, 2**53, 0))]
    made.happened("a", rows, kind="incident")


CASES: tuple[Callable[[Site], None], ...] = (
    nothing, one_of_each, constant, all_zero, all_flagged, out_of_range, absurd, never_ended, ended_before, never_begun,
    without_attributes, of_other_types, undeclared_state, resets_and_wraps, backwards_numbers,
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_every_kind_gives_a_result_or_a_reason(connection: Connection, case: Callable[[Site], None]) -> None:
    made = site_of_everything(connection, slots=("a", "b"))
    made.alive(*ALL_UP)
    made.linked("a", [(at("2025-02-28"), "online")])
    case(made)
    of(connection, MONTH, FINAL)


@pytest.mark.parametrize("case", [nothing, one_of_each, never_ended], ids=lambda case: case.__name__)
def test_so_it_does_where_the_platform_has_no_record_of_itself(
    connection: Connection, case: Callable[[Site], None]
) -> None:
    case(site_of_everything(connection, slots=("a", "b")))
    of(connection)


def test_without_a_reading_there_is_no_value_and_silence_is_the_companys(connection: Connection) -> None:
    site_of_everything(connection).alive(*ALL_UP)
    [final] = of(connection, FINAL)
    mean, share, ratio = (entry(final, name) for name in ("mean", "share", "ratio"))
    assert (mean["value"], mean["no_value"], mean["verdict"]) == (None, "no_data", "insufficient")
    assert mean["why"]["ko"].startswith("이 기간에 측정값이 없어")
    # Unfulfilled all the time, and nothing that is missing could change it.
    assert (share["value"], share["verdict"]) == (0, "not_met")
    assert (ratio["value"], ratio["verdict"]) == (None, "insufficient")


def test_a_rate_by_nothing_says_so_and_does_not_deny_the_events(connection: Connection) -> None:
    made = site_of_everything(connection)
    made.alive(*ALL_UP)
    all_zero(made)
    [final] = of(connection, FINAL)
    found = entry(final, "by-km")
    assert (found["value"], found["no_value"], found["n"]) == (None, "no_data", 3)
    assert "발생 건수를 나눌 기준(가동 시간·거리 등)이 없어" in found["why"]["ko"] and "표본수 3" in found["why"]["ko"]
    assert "no exposures (up time, a distance) to count the events by" in found["why"]["en"]


@pytest.mark.parametrize(
    ("numbers", "days", "verdict"),
    [
        (range(1, 21), (2, 30), "met"),  # ten before the silence, ten after it, none missing
        ([*range(1, 11), *range(12, 22)], (2, 30), "not_met"),  # one is missing, and failed: 20 of 21
        (range(1, 21), (2, 2), "insufficient"),  # nothing was heard of it any more
        (range(1, 21), (30, 30), "insufficient"),  # nothing was heard of it before
        ([*range(101, 111), *range(1, 11)], (2, 30), "insufficient"),  # it was reset meanwhile
    ],
    ids=["none missing", "one missing", "silent to the end", "silent from the start", "reset"],
)
def test_events_in_a_silence_are_known_only_between_two_numbers(
    connection: Connection, numbers: Any, days: tuple[int, int], verdict: str
) -> None:
    """The device is heard on the first and the last three days of March alone."""
    kpis = """
ratio: {name: 성공률, measure: {event_ratio: {event: mission, success: {ok: true}}}, target: "> 95.5 %"}
longest: {name: 최장, measure: {event_duration: {event: mission, stat: max}}, target: "<= 5 min"}
daily: {name: 하루, measure: {event_rate: {event: mission, per: 1 d}}, target: "<= 100 건/d"}
count: {name: 건수, measure: {count: {event: mission}}, target: "<= 100 건"}
"""
    made = site_of(connection, kpis, start="2025-03-01", until="2025-04-01", interim="", end="2025-04-02")
    made.alive(*ALL_UP)
    for first, after in ((date(2025, 3, 1), date(2025, 3, 4)), (date(2025, 3, 29), date(2025, 4, 1))):
        steadily(made, first, after)
    rows: list[tuple[int, str, datetime, dict[str, Any]]] = []
    for place, number in enumerate(numbers):
        began = at(f"2025-03-{days[place >= 10]:02}") + timedelta(minutes=10 * place)
        rows += [(number, "start", began, {}), (number, "end", began + timedelta(minutes=1), {"ok": True})]
    made.happened("a", rows)
    [final] = of(connection, FINAL)
    assert entry(final, "ratio")["completeness"] < 0.25
    assert [entry(final, name)["verdict"] for name in ("ratio", "longest")] == [verdict, verdict]
    # However many failed, that is no matter of how many there were.
    known = "insufficient" if verdict == "insufficient" else "met"
    assert [entry(final, name)["verdict"] for name in ("daily", "count")] == [known, known]


def test_a_state_that_nobody_declared_fulfils_nothing(connection: Connection) -> None:
    made = site_of_everything(connection, start="2025-03-01", until="2025-03-02", interim="", end="2025-03-03")
    made.alive(*ALL_UP)
    made.linked("a", [(at("2025-02-28"), "online")])
    told = [(at("2025-02-28"), 1.0), (at("2025-03-01", "12:00"), 7.0)]  # the channel has the codes 0 and 1
    made.heard("a", "mode", [micros(one) for one, _ in told], [code for _, code in told])
    [final] = of(connection, FINAL)
    assert entry(final, "auto")["value"] == 50.0


def test_a_duration_below_zero_and_one_without_an_end_last_for_ever(connection: Connection) -> None:
    made = site_of_everything(connection)
    made.alive(*ALL_UP)
    steadily(made, date(2025, 2, 28), date(2025, 4, 2))
    missions(made, [1.0] * 7 + [-5.0, None], ok=True)
    [month] = of(connection, MONTH)
    for name in ("lasted", "longest"):
        found = entry(month, name)
        assert (found["value"], found["no_value"]) == (None, "infinite")
        assert "종료가 시작보다 이른 기록 1건" in found["why"]["ko"] and "미종료 1건" in found["why"]["ko"]
        assert "1 that end before they start" in found["why"]["en"] and "1 never closed" in found["why"]["en"]
    # 7 of 9 are what 78 % are: the 90th percentile is one of the endless.
    assert entry(month, "lasted-p")["no_value"] == "infinite"

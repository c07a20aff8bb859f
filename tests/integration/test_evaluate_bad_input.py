"""Bad input, through the real store: of every measure kind a result or a stated reason, never an exception, never NaN.

Each case tells a site something odd and asks for the month and the final evaluation of a plan that has every kind, in both
scopes, under every rule and over every group that makes a difference.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from core.canonical import canonical_json
from core.database import Connection
from core.errors import PermanentError
from core.window import micros
from devices.plan.measures import Measure
from devices.plan.reader import read_plan
from devices.registry import apply_plan, plan_source
from kpi.evaluate import Result, evaluate
from telemetry.batch import Batch, Flag, Readings
from telemetry.commit import commit
from tests.evaluated import SEOUL, Site, hours
from tests.kinds import ALL_UP, alarms, at, entry, missions, site_of

CAPABLE = "scope: capability"
GUARDED = "decision: guarded"
EVERYTHING = f"""
mean: {{name: 평균, measure: {{statistic: {{channel: power, stat: mean}}}}, target: "<= 1 kW"}}
mean-c: {{name: 평균, measure: {{statistic: {{channel: power, stat: mean}}}}, target: "<= 1 kW", {CAPABLE}}}
mean-g: {{name: 평균, measure: {{statistic: {{channel: power, stat: mean}}}}, target: "<= 1 kW", {CAPABLE}, {GUARDED}}}
mean-m: {{name: 평균, measure: {{statistic: {{channel: power, stat: mean}}}}, target: "<= 1 kW", group: mean}}
std: {{name: 편차, measure: {{statistic: {{channel: power, stat: std}}}}, target: "<= 1 kW"}}
min: {{name: 최소, measure: {{statistic: {{channel: power, stat: min}}}}, target: ">= 0 kW"}}
max: {{name: 최대, measure: {{statistic: {{channel: power, stat: max}}}}, target: "<= 1 kW", {GUARDED}}}
sum: {{name: 합, measure: {{statistic: {{channel: valve, stat: sum}}}}, target: "<= 1 kW"}}
last: {{name: 마지막, measure: {{statistic: {{channel: odometer, stat: last}}}}, target: ">= 1 km", {GUARDED}}}
p95: {{name: 백분위, measure: {{statistic: {{channel: power, stat: p95}}}}, target: "<= 1 kW"}}
p95-c: {{name: 백분위, measure: {{statistic: {{channel: power, stat: p95}}}}, target: "<= 1 kW", {CAPABLE}, {GUARDED}}}
share: {{name: 비율, measure: {{share: {{while: {{channel: power, value: "<= 1 kW"}}}}}}, target: ">= 95 %"}}
share-c: {{name: 비율, measure: {{share: {{while: {{channel: power, value: "<= 1 kW"}}}}}}, target: ">= 95 %", {CAPABLE}}}
share-g: {{name: 비율, measure: {{share: {{while: {{channel: power, value: "0.5..1 kW"}}}}}}, target: ">= 95 %", {GUARDED}}}
auto: {{name: 자동, measure: {{share: {{while: {{channel: mode, in: [auto]}}}}}}, target: ">= 95 %"}}
capture: {{name: 획득률, measure: {{capture: {{}}}}, target: ">= 95 %"}}
capture-c: {{name: 획득률, measure: {{capture: {{channels: [power]}}}}, target: ">= 95 %", {CAPABLE}, group: worst}}
up: {{name: 가동률, measure: {{availability: {{}}}}, target: ">= 95 %"}}
up-w: {{name: 가동률, measure: {{availability: {{}}}}, target: ">= 95 %", {CAPABLE}, group: worst}}
up-m: {{name: 가동률, measure: {{availability: {{hours: "09:00-18:00", days: [mon]}}}}, target: ">= 95 %", group: mean}}
energy: {{name: 전력량, measure: {{integral: power}}, target: "<= 800 kWh"}}
energy-g: {{name: 전력량, measure: {{integral: power}}, target: "<= 800 kWh", {GUARDED}, group: sum}}
steps: {{name: 밸브, measure: {{integral: valve}}, target: "<= 800 kWh", {CAPABLE}}}
distance: {{name: 주행거리, measure: {{increase: odometer}}, target: ">= 100 km"}}
wrapped: {{name: 순환, measure: {{increase: {{channel: pulses, wrap: 1000}}}}, target: ">= 100", group: sum}}
ratio: {{name: 성공률, measure: {{event_ratio: {{event: mission, success: {{ok: true}}}}}}, target: ">= 95 %"}}
ratio-c: {{name: 성공률, measure: {{event_ratio: {{event: mission, success: {{ok: true}}}}}}, target: ">= 95 %", {CAPABLE}}}
ratio-d: {{name: 성공률, measure: {{event_ratio: {{event: alarm, success: {{ok: true}}, designed: true}}}}, target: ">= 95 %", {CAPABLE}, group: mean}}
count: {{name: 건수, measure: {{count: {{event: alarm}}}}, target: "<= 9 건"}}
count-i: {{name: 건수, measure: {{count: {{event: alarm, independent: true}}}}, target: "<= 9 건", {CAPABLE}}}
injured: {{name: 인명사고, measure: {{count: {{event: incident, where: {{injured: "> 0"}}}}}}, target: "== 0"}}
daily: {{name: 하루, measure: {{event_rate: {{event: alarm, per: 1 d}}}}, target: "<= 3 건/d", {CAPABLE}}}
cameras: {{name: 대일, measure: {{event_rate: {{event: alarm, per: 1 camera-day}}}}, target: "<= 3 건/camera-day"}}
by-km: {{name: 거리당, measure: {{event_rate: {{event: incident, per: {{increase: odometer}}}}}}, target: "<= 1 / (1000 km)", {CAPABLE}, {GUARDED}}}
by-kwh: {{name: 전력당, measure: {{event_rate: {{event: incident, per: {{integral: power}}}}}}, target: "<= 1 / (1000 kWh)"}}
lasted: {{name: 평균 대응, measure: {{event_duration: {{event: mission, stat: mean}}}}, target: "<= 5 min"}}
lasted-c: {{name: 평균 대응, measure: {{event_duration: {{event: mission, stat: mean}}}}, target: "<= 5 min", {CAPABLE}}}
longest: {{name: 최장 대응, measure: {{event_duration: {{event: mission, stat: max}}}}, target: "<= 5 min"}}
lasted-p: {{name: 대응 90백분위, measure: {{event_duration: {{event: mission, stat: p90, designed: true}}}}, target: "<= 5 min", {CAPABLE}}}
mtbf: {{name: 평균고장간격, measure: {{mtbf: {{event: incident}}}}, target: ">= 200 h"}}
mtbf-w: {{name: 평균고장간격, measure: {{mtbf: {{event: incident, where: {{code: [E1]}}, operating: whole}}}}, target: ">= 200 h", {GUARDED}}}
safety:
    name: 안전
    all:
      - {{name: 충돌, measure: {{event_rate: {{event: incident, per: {{increase: odometer}}}}}}, target: "1000 km당 1건 이하"}}
      - {{name: 인명사고, measure: {{count: {{event: incident, where: {{injured: "> 0"}}}}}}, target: "0건 일치"}}
"""  # noqa: E501 - plan text

MONTH: dict[str, Any] = {"month": "2025-03"}
INTERIM: dict[str, Any] = {"at": date(2025, 6, 1)}
FINAL: dict[str, Any] = {"final": True}
ANSWERS = {"on_track", "watch", "at_risk", "insufficient", "met", "not_met", "inconclusive"}
REASONS_FOR_NONE = {"no_data", "no_failures", "infinite"}
_BROKEN = re.compile(r"\bnan\b|\binf\b|\bNone\b|[{}]", re.IGNORECASE)


def of(connection: Connection, *questions: dict[str, Any]) -> list[Result]:
    """What is answered to the questions (all three if left out), each of which must be fit to be shown."""
    results = [evaluate(connection, "hall", **question) for question in questions or (MONTH, INTERIM, FINAL)]
    for result in results:
        fit(result)
    return results


def fit(result: Result) -> None:
    """A number or the reason why there is none, and a sentence in both languages, of every KPI and of all together."""
    document = json.loads(canonical_json(result.document))
    assert all(map(math.isfinite, numbers(document)))
    for one in entries(document):
        assert one["value"] is not None or one["no_value"] in REASONS_FOR_NONE, one["id"]
        assert one.get("status", one.get("verdict")) in ANSWERS
        for language in ("ko", "en"):
            assert len(one["why"][language]) > 10 and not _BROKEN.search(one["why"][language]), one["why"]
        low, high = (one["interval"] or {}).get("low"), (one["interval"] or {}).get("high")
        if None not in (low, high, one["value"]):
            room = 1e-9 * (1 + abs(one["value"]))
            assert low - room <= one["value"] <= high + room, one
    if "overall" in document:
        assert not _BROKEN.search(document["overall"]["why"]["ko"] + document["overall"]["why"]["en"])


def entries(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for kpi in document["kpis"]:
        yield kpi
        for part in kpi.get("parts", ()):
            yield {"id": f"{kpi['id']}.{part['name']}", **part}


def numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [one for item in value.values() for one in numbers(item)]
    if isinstance(value, list):
        return [one for item in value for one in numbers(item)]
    return [value] if isinstance(value, float) else []


def heard(made: Site, told: list[tuple[int, float]], *channels: str, flags: int = 0) -> None:
    """Minutes since the 10th of March, 00:00, with their values, on several channels of the slot a."""
    for channel in channels or ("power", "valve", "odometer", "pulses"):
        instants = [micros(at("2025-03-10") + timedelta(minutes=minute)) for minute, _ in told]
        key, n = made.channels["a", channel], len(told)
        readings = Readings(
            channel_id=[key] * n, observed_us=instants, value=[value for _, value in told], flags=[flags] * n
        )
        commit(made.connection, Batch(readings=readings))


def steadily(made: Site, first: date, after: date, zone: ZoneInfo = SEOUL) -> int:
    """Every ten minutes 1 kW, and a kilometre an hour.

    :returns: how many readings of each.
    """
    at_us = hours(first, after, zone, step_h=1 / 6)
    made.heard("a", "power", at_us, np.ones(len(at_us)))
    made.heard("a", "valve", at_us[:1], np.ones(1))
    for counter in ("odometer", "pulses"):
        made.heard("a", counter, at_us, np.arange(len(at_us)) / 6.0)
    made.heard("a", "mode", at_us[:1], np.ones(1))
    return len(at_us)


def test_every_kind_is_among_them(connection: Connection) -> None:
    """A new measure kind is to be added to the plan above."""
    site_of(connection, EVERYTHING)
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
    made = site_of(connection, EVERYTHING, slots=("a", "b"))
    made.alive(*ALL_UP)
    made.linked("a", [(at("2025-02-28"), "online")])
    case(made)
    of(connection, MONTH, FINAL)


@pytest.mark.parametrize("case", [nothing, one_of_each, never_ended], ids=lambda case: case.__name__)
def test_so_it_does_where_the_platform_has_no_record_of_itself(
    connection: Connection, case: Callable[[Site], None]
) -> None:
    case(site_of(connection, EVERYTHING, slots=("a", "b")))
    of(connection)


def test_without_a_reading_there_is_no_value_and_silence_is_the_companys(connection: Connection) -> None:
    site_of(connection, EVERYTHING).alive(*ALL_UP)
    [final] = of(connection, FINAL)
    mean, share, ratio = (entry(final, name) for name in ("mean", "share", "ratio"))
    assert (mean["value"], mean["no_value"], mean["verdict"]) == (None, "no_data", "insufficient")
    assert mean["why"]["ko"].startswith("이 기간에 측정값이 없어")
    # Unfulfilled all the time, and nothing that is missing could change it.
    assert (share["value"], share["verdict"]) == (0, "not_met")
    assert (ratio["value"], ratio["verdict"]) == (None, "insufficient")


def test_a_rate_by_nothing_says_so_and_does_not_deny_the_events(connection: Connection) -> None:
    made = site_of(connection, EVERYTHING)
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
    made = site_of(connection, EVERYTHING, start="2025-03-01", until="2025-03-02", interim="", end="2025-03-03")
    made.alive(*ALL_UP)
    made.linked("a", [(at("2025-02-28"), "online")])
    told = [(at("2025-02-28"), 1.0), (at("2025-03-01", "12:00"), 7.0)]  # the channel has the codes 0 and 1
    made.heard("a", "mode", [micros(one) for one, _ in told], [code for _, code in told])
    [final] = of(connection, FINAL)
    assert entry(final, "auto")["value"] == 50.0


def test_a_duration_below_zero_and_one_without_an_end_last_for_ever(connection: Connection) -> None:
    made = site_of(connection, EVERYTHING)
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


# --- Exactly on the bound

ON_THE_BOUND: dict[str, tuple[str, str, str]] = {
    "mean": ("{statistic: {channel: power, stat: mean}}", "<", "1 kW"),
    "std": ("{statistic: {channel: power, stat: std}}", "<", "0 W"),
    "min": ("{statistic: {channel: power, stat: min}}", ">", "1000 W"),
    "max": ("{statistic: {channel: power, stat: max}}", "<", "1 kW"),
    "sum": ("{statistic: {channel: power, stat: sum}}", ">", "144 kW"),
    "last": ("{statistic: {channel: odometer, stat: last}}", ">", "143 km"),
    "p95": ("{statistic: {channel: power, stat: p95}}", "<", "1 kW"),
    "share": ('{share: {while: {channel: power, value: "<= 1 kW"}}}', ">", "100 %"),
    "half": ('{share: {while: {channel: odometer, value: "< 72 km"}}}', "<", "50 %"),
    "capture": ("{capture: {channels: [power]}}", ">", "100 %"),
    "up": ("{availability: {}}", ">", "100 %"),
    "energy": ("{integral: power}", "<", "24 kWh"),
    "distance": ("{increase: odometer}", ">", "143 km"),
    "metres": ("{increase: odometer}", "<", "143000 m"),
    "ratio": ("{event_ratio: {event: alarm, success: {ok: true}}}", ">", "95 %"),
    "count": ("{count: {event: alarm}}", "<", "20 건"),
    "daily": ("{event_rate: {event: alarm, per: 1 d}}", "<", "20 건/d"),
    "hourly": ("{event_rate: {event: alarm, per: 1 device-day}}", ">", "20 건/device-day"),
    "by-kwh": ("{event_rate: {event: alarm, per: {integral: power}}}", "<", "20 / (24 kWh)"),
    "lasted": ("{event_duration: {event: mission, stat: mean}}", "<", "90 s"),
    "longest": ("{event_duration: {event: mission, stat: max}}", "<", "2 min"),
    "lasted-p": ("{event_duration: {event: mission, stat: p50}}", "<", "60 s"),
}


def test_a_value_exactly_on_its_bound_meets_at_least_and_at_most_and_misses_more_and_less(
    connection: Connection,
) -> None:
    lines = []
    for name, (measure, sign, end) in ON_THE_BOUND.items():
        impossible = measure.startswith(("{share", "{capture", "{availability")) and end == "100 %"
        for suffix, written in (("closed", f"{sign}= {end}"), ("open", f"{sign} {end}"), ("exact", f"== {end}")):
            if not (impossible and suffix == "open"):  # more than all is refused when the plan is read
                lines.append(f'{name}-{suffix}: {{name: n, measure: {measure}, target: "{written}"}}')
    made = site_of(connection, "\n".join(lines), start="2025-03-10", until="2025-03-11", interim="", end="2025-03-12")
    made.alive(*ALL_UP)
    every = [10 * i for i in range(144)]
    heard(made, [(minute, 1.0) for minute in [*every, 1440]], "power")
    heard(made, [(minute, float(i)) for i, minute in enumerate(every)], "odometer")
    rows = [(n, "", at("2025-03-10", f"{n:02}:30"), {"ok": n != 7}) for n in range(20)]
    made.happened("a", rows, kind="alarm")
    for n, lasted in enumerate((1, 2), start=1):
        began = at("2025-03-10", f"{n:02}:00")
        made.happened("a", [(n, "start", began, {}), (n, "end", began + timedelta(minutes=lasted), {})])
    [final] = of(connection, FINAL)
    answers = {kpi["id"]: kpi["verdict"] for kpi in final.document["kpis"]}
    wrong = {
        name: (
            answer,
            entry(final, name)["value"],
            entry(final, name)["target"]["text"],
            entry(final, name)["why"]["en"],
        )
        for name, answer in answers.items()
        if answer != ("not_met" if name.endswith("open") else "met")
    }
    assert wrong == {}


# --- Time


@pytest.mark.parametrize(
    ("zone", "month", "length_h"),
    [
        ("America/New_York", "2025-03", 743), ("America/New_York", "2025-11", 721),
        ("Europe/London", "2025-03", 743), ("Europe/London", "2025-10", 745),
        ("Australia/Lord_Howe", "2025-04", 720.5), ("Australia/Lord_Howe", "2025-10", 743.5),
        ("Asia/Seoul", "2024-02", 696),
    ],
    ids=lambda given: str(given),
)  # fmt: skip
def test_days_are_those_of_the_zone(connection: Connection, zone: str, month: str, length_h: float) -> None:
    first = date.fromisoformat(f"{month}-01")
    after = (first + timedelta(days=32)).replace(day=1)
    night = 'night: {name: 야간, measure: {integral: {channel: power, hours: "00:00-06:00"}}, target: "<= 700 MJ"}'
    made = site_of(
        connection, f"{EVERYTHING}{night}\n", zone=zone, start=str(first), until=str(after), interim="",
        end=str(after + timedelta(days=1)), now=datetime(2024, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    made.alive(datetime(2024, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
    place = ZoneInfo(zone)
    steadily(made, first - timedelta(days=1), after + timedelta(days=1), place)
    made.happened("a", [(n, "", at(f"{month}-09", f"{n:02}:30", place), {"ok": True}) for n in range(3)], "alarm")
    asked_month, final = of(connection, {"month": month}, FINAL)
    days = (after - first).days
    nights_h = 6 * days + (length_h - 24 * days)  # the change of the clock lies in the night
    for result in (asked_month, final):
        assert entry(result, "energy")["value"] == pytest.approx(length_h)
        assert entry(result, "distance")["value"] == pytest.approx(length_h)
        assert entry(result, "night")["value"] == pytest.approx(3.6 * nights_h)
        assert entry(result, "cameras")["value"] == pytest.approx(3 / (length_h / 24))
        assert entry(result, "up")["value"] == entry(result, "share")["value"] == 100.0


def test_a_channel_that_starts_in_the_middle_of_a_month(connection: Connection) -> None:
    made = site_of(connection, EVERYTHING)
    made.alive(*ALL_UP)
    steadily(made, date(2025, 3, 16), date(2025, 4, 2))
    [month] = of(connection, MONTH)
    energy = entry(month, "energy")
    assert energy["value"] == pytest.approx(16 * 24)
    assert energy["completeness"] == pytest.approx(16 / 31, abs=1e-3)
    assert energy["status"] == "insufficient"
    assert energy["facts"]["company_s"] == pytest.approx(15 * 86_400)


def test_a_device_that_came_after_an_evaluation_date_owes_nothing_there(connection: Connection) -> None:
    slot = """
  {name}:
    device: {{serial: "1", installed: 2025-08-01}}
    channels:
      power: {{unit: kW, period: 10 min, range: [0, 2]}}
    events:
      alarm: {{}}
"""
    kpis = "\n".join(
        line for line in EVERYTHING.splitlines()
        if not re.search("valve|odometer|pulses|mode|mission|incident|safety|충돌|all:|name: 안전", line)
    )  # fmt: skip
    made = site_of(connection, kpis, slot=slot)
    made.alive(*ALL_UP)
    month, interim, final = of(connection)
    for name in ("up", "share", "mean"):
        assert entry(interim, name)["value"] is None, "no time is required, so there is nothing to judge"
        assert (entry(interim, name)["verdict"], entry(month, name)["status"]) == ("insufficient", "insufficient")
    assert entry(final, "up")["value"] == 0.0


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({"month": "2025-02"}, "no month of pilot hall: it runs from 2025-03 to 2025-11"),
        ({"at": date(2025, 2, 1)}, "gives verdicts at 2025-06-01, 2025-11-01 only"),
        ({"at": date(2025, 6, 1), "as_of": datetime(2025, 2, 1, tzinfo=UTC)}, "was not over"),
        ({"month": "2025-03", "as_of": datetime(2025, 2, 1, tzinfo=UTC)}, "had not begun at"),
        ({"final": True, "as_of": datetime(2025, 2, 1, tzinfo=UTC)}, "Until then its months show a status"),
        ({"final": True, "as_of": datetime(2025, 12, 1)}, "has no zone"),  # noqa: DTZ001 - the very point
        ({"final": True, "as_of": datetime(2999, 1, 1, tzinfo=UTC)}, "lies in the future"),
        ({}, "give one of the three"),
    ],
)
def test_what_cannot_be_asked_is_told(connection: Connection, question: dict[str, Any], said: str) -> None:
    site_of(connection, EVERYTHING)
    with pytest.raises(PermanentError, match=said):
        evaluate(connection, "hall", **question)


def test_a_slot_that_was_withdrawn(connection: Connection) -> None:
    """By amendment, in April: what it had told stays, and is no part of what is judged."""
    made = site_of(connection, EVERYTHING, slots=("a", "b"))
    made.alive(*ALL_UP)
    steadily(made, date(2025, 3, 1), date(2025, 4, 2))
    made.heard("b", "power", hours(date(2025, 3, 1), date(2025, 4, 1)), np.full(31 * 24, 2.0))
    before = evaluate(connection, "hall", **MONTH, as_of=datetime(2025, 4, 2, tzinfo=UTC))
    text = plan_source(connection, "hall")[0].decode()
    start, end = text.index("\n  b:\n"), text.index("\nkpis:")
    amended = text[:start] + text[end:] + "\namendment: {parties: [S, C, T], reason: 철거, date: 2025-04-10}\n"
    apply_plan(connection, read_plan(amended.encode()), who="cli:test", now=datetime(2025, 4, 10, tzinfo=UTC))
    month, _ = of(connection, MONTH, FINAL)
    assert [row["slot"] for row in entry(month, "mean")["slots"]] == ["a"]
    assert entry(month, "mean")["value"] == 1.0
    assert [row["slot"] for row in entry(before, "mean")["slots"]] == ["a", "b"]
    assert evaluate(connection, "hall", **MONTH, as_of=before.as_of).document == before.document

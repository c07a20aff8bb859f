"""A plan that has every measure kind, what it hears, and what every answer to it must be fit for.

In both scopes, under every rule and over every group that makes a difference.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from core.canonical import canonical_json
from core.database import Connection
from core.window import micros
from kpi.change_words import REFUSALS
from kpi.evaluate import Result, evaluate
from telemetry.batch import Batch, Readings
from telemetry.commit import commit
from tests.evaluated import SEOUL, Site, hours
from tests.kinds import SLOT, at, site_of

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
frames: {{name: 전달률, measure: {{sequence: {{channel: pulses, wrap: 1000}}}}, target: ">= 95 %"}}
frames-c: {{name: 전달률, measure: {{sequence: {{channel: pulses, wrap: 1000}}}}, target: ">= 95 %", {CAPABLE}}}
empty-by: {{name: 예측, measure: {{forecast: {{channel: power, until: 0 kW, stat: left}}}}, target: ">= 3 d"}}
late: {{name: 지연, measure: {{statistic: {{of: delay, stat: p95}}}}, target: "<= 5 s"}}
auto-km: {{name: 자동 거리, measure: {{share: {{of: {{increase: odometer}}, while: {{channel: mode, in: [auto]}}}}}}, target: ">= 50 %"}}
busy: {{name: 운전 중 평균, measure: {{statistic: {{channel: power, stat: mean, where: {{channel: mode, in: [auto]}}}}}}, target: "<= 1 kW"}}
sound: {{name: 정상 평균, measure: {{statistic: {{channel: power, stat: mean, quality: fail}}}}, target: "<= 1 kW"}}
seen: {{name: 감지율, measure: {{detection: {{alerts: alarm, within: 10 s, truth: {{labels: seen, by: site}}, stat: recall}}}}, target: ">= 90 %"}}
seen-f: {{name: F1, measure: {{detection: {{alerts: alarm, within: 10 s, truth: {{labels: seen, by: site}}, stat: f1, designed: true}}}}, target: ">= 0.9"}}
unseen: {{name: 놓친 것, measure: {{count: {{match: seen, outcome: missed}}}}, target: "== 0"}}
seen-in: {{name: 경보 시간, measure: {{event_duration: {{match: seen, stat: p95}}}}, target: "<= 5 s"}}
beside: {{name: 오차, measure: {{agreement: {{channel: power, reference: {{slot: ref-a, channel: power}}, average: 1 h, stat: mae}}}}, target: "<= 1 kW"}}
beside-r: {{name: 결정계수, measure: {{agreement: {{channel: power, reference: {{slot: ref-a, channel: power}}, within: 5 min, stat: r2}}}}, target: ">= 0.8", {CAPABLE}}}
grown: {{name: 변화, measure: {{change: {{of: {{statistic: {{channel: power, stat: mean}}}}, baseline: {{value: 1 kW, source: 고지서}}}}}}, target: "<= 20 %"}}
grown-w: {{name: 변화, measure: {{change: {{of: {{integral: power}}, baseline: {{value: 20 kWh/d, source: 고지서}}}}}}, target: "<= 20 %", {CAPABLE}}}
told: {{name: 만족도, measure: {{manual: {{of: told, stat: mean}}}}, target: ">= 4 점", {CAPABLE}}}
safety:
    name: 안전
    all:
      - {{name: 충돌, measure: {{event_rate: {{event: incident, per: {{increase: odometer}}}}}}, target: "1000 km당 1건 이하"}}
      - {{name: 인명사고, measure: {{count: {{event: incident, where: {{injured: "> 0"}}}}}}, target: "0건 일치"}}
"""  # noqa: E501 - plan text

MORE = """
manual:
  told: {name: 만족도, kind: sample, unit: 점, range: [1, 5]}
"""
"""What that plan declares besides."""
BESIDE = (
    SLOT
    + """
  ref-{name}:
    owner: site
    device: {{serial: "ref-{name}"}}
    channels: {{power: {{unit: kW, period: 10 min, range: [0, 2]}}}}
"""
)
"""Each slot with a reference of the site's beside it."""


def site_of_everything(connection: Connection, **given: Any) -> Site:
    """The pilot ``hall`` with that plan."""
    return site_of(connection, given.pop("kpis", EVERYTHING), more=MORE, slot=BESIDE, **given)


MONTH: dict[str, Any] = {"month": "2025-03"}
INTERIM: dict[str, Any] = {"at": date(2025, 6, 1)}
FINAL: dict[str, Any] = {"final": True}
ANSWERS = {"on_track", "watch", "at_risk", "insufficient", "met", "not_met", "inconclusive"}
REASONS_FOR_NONE = {"no_data", "no_failures", "infinite", *REFUSALS}
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

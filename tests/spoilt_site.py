"""A pilot whose readings the quality tests find fault with, of every measure kind that may leave them out: for several tests."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np

from core.database import Connection
from core.window import Window
from kpi.records.exclusions import add_exclusion
from kpi.records.outages import add_outage
from telemetry.findings import Found, record
from telemetry.quality.judge import judge_all
from tests.evaluated import SEOUL, Site, hours, made_site

SLOT = """
  {name}:
    device: {{serial: "{name}-1"}}
    channels:
      temp: {{unit: degC, period: 10 min, range: [-40, 60]}}
      power: {{unit: W, period: 10 min, quality: {{spike: ["100 W", "500 W"]}}}}
      meter: {{unit: kWh, kind: counter, period: 10 min, quality: {{rate: "1 kWh/s", stuck: [3 h, 9 h]}}}}
      mode: {{kind: state, states: [idle, auto], reporting: on_change}}
"""
WARM = 'share: {while: {channel: temp, value: ">= 18 degC"}'
DAYTIME = 'hours: "08:00-20:00"'
KPIS = f"""
mean: {{name: n, measure: {{statistic: {{channel: temp, stat: mean, quality: suspect}}}}, target: "<= 30 degC"}}
plain: {{name: n, measure: {{statistic: {{channel: temp, stat: mean}}}}, target: "<= 30 degC"}}
p95: {{name: n, measure: {{statistic: {{channel: temp, stat: p95, quality: fail}}}}, target: "<= 30 degC"}}
last: {{name: n, measure: {{statistic: {{channel: temp, stat: last, {DAYTIME}, quality: fail}}}}, target: "<= 30 degC"}}
warm: {{name: n, measure: {{{WARM}, quality: {{leave_out: [spike, range]}}}}}}, target: ">= 9 %"}}
often: {{name: n, scope: capability, measure: {{{WARM}, quality: suspect, days: [mon, tue, fri]}}}}, target: ">= 9 %"}}
auto: {{name: n, measure: {{share: {{while: {{channel: mode, in: [auto]}}, quality: fail}}}}, target: ">= 9 %"}}
cap: {{name: n, measure: {{capture: {{quality: fail}}}}, target: ">= 9 %"}}
energy: {{name: n, group: sum, measure: {{integral: {{channel: power, quality: suspect}}}}, target: ">= 1 kWh"}}
worst: {{name: n, group: worst, measure: {{integral: {{channel: power, quality: fail, {DAYTIME}}}}}, target: ">= 1 kWh"}}
used: {{name: n, group: worst, measure: {{increase: {{channel: meter, quality: suspect}}}}, target: ">= 1 kWh"}}
both:
    name: n
    all:
      - {{measure: {{statistic: {{channel: temp, stat: max, quality: fail}}}}, target: "<= 60 degC"}}
      - {{measure: {{availability: {{}}}}, target: ">= 5 %"}}
"""


def made(connection: Connection) -> Site:
    """Two months of two slots, judged, with silence, an outage of the platform's own, one agreed, and an exclusion."""
    site = made_site(connection, KPIS, slots=("a", "b"), slot=SLOT)
    down = datetime(2025, 3, 20, 5, tzinfo=SEOUL)
    site.alive(datetime(2025, 3, 2, tzinfo=SEOUL), down)
    site.alive(down + timedelta(hours=9), datetime(2025, 12, 1, tzinfo=SEOUL))
    rng = np.random.default_rng(11)
    at = hours(date(2025, 3, 1), date(2025, 5, 1), step_h=1 / 6)
    at = at + rng.integers(0, 9_000_000, len(at))
    kept = np.ones(len(at), dtype=np.bool_)
    kept[rng.integers(0, len(at), 60)] = False
    kept[4000:4050] = False
    for slot in ("a", "b"):
        temp = np.round(20 + rng.normal(0, 1, len(at)), 2)
        temp[rng.integers(1, len(at) - 1, 30)] += rng.choice([-70.0, 8.0, 70.0], 30)
        temp[2700:2900] = temp[2700]  # over the outage of the platform: heard afterwards
        temp[5000:5100] = 99.0
        power = np.round(400 + rng.normal(0, 10, len(at)), 1)
        power[rng.integers(1, len(at) - 1, 20)] += 2_000
        meter = np.cumsum(rng.uniform(0, 0.1, len(at)))
        meter[3000:] += 9_000
        meter[4500:4600] = meter[4500]
        meter[6000:] -= meter[6000]
        for name, values in (("temp", temp), ("power", power), ("meter", meter)):
            site.heard(slot, name, at[kept], values[kept])
        changes = at[::50]
        site.heard(slot, "mode", changes, rng.choice([0.0, 1.0, 1.0, 7.0], len(changes)))
    start = datetime(2025, 4, 5, tzinfo=SEOUL)
    add_outage(
        connection, "hall", start=start, end=start + timedelta(hours=6), cause="site-power", agreed_by="S, C",
        note="정전", slots=["b", "a"], who="cli:test",
    )  # fmt: skip
    add_exclusion(
        connection, "hall", slot="b", start=start - timedelta(days=9), end=start - timedelta(days=9, hours=-5),
        reason="construction", asked_on=(start - timedelta(days=9)).date(), asked_by="C", agreed_site="S", agreed_team="T",
        note="공사", who="cli:test",
    )  # fmt: skip
    site.summarised()
    judge_all(connection)
    return site


def faulted(site: Site) -> None:
    """Twenty days of one channel are found to be wrong, and what was found there before is superseded."""
    scope = site.slots["a"], site.channels["a", "temp"]
    start = datetime(2025, 3, 9, tzinfo=SEOUL)
    whole = Window(start=start, end=start + timedelta(days=20))
    late = Found(slot_id=scope[0], channel_id=scope[1], window=whole, value=1.0, unit="degC", flag=4)
    record(site.connection, kind="range", scopes=[scope], window=whole, found=[late])

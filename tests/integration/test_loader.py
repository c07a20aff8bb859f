"""Simulated history: written once, counted, and only where the plan says that it is simulated."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from core.database import Connection
from core.errors import PermanentError
from core.window import micros
from devices.plan.reader import read_plan
from devices.registry import apply_plan
from pilotbed.loader import load_history
from simulators.demo import DEMO_SCENARIOS, plan_text
from simulators.site import Site
from telemetry.load import load_readings, record_alive
from telemetry.platform_record import platform_alive
from telemetry.rows import Columns
from tests.registered import register


def test_history_is_what_the_scenario_says_and_goes_on_where_it_ended(connection: Connection) -> None:
    file = read_plan(plan_text("demo-robot").encode())
    apply_plan(connection, file, who="test")
    plan, scenario = file.plan, Site(DEMO_SCENARIOS["demo-robot"])
    middle, end = plan.window.start + timedelta(days=2, hours=7), plan.window.start + timedelta(days=4)
    seen: list[float] = []
    first = load_history(connection, plan, scenario, middle, seen.append)
    again = load_history(connection, plan, scenario, middle, seen.append)
    rest = load_history(connection, plan, scenario, end, seen.append)
    assert again.readings == 0
    assert (min(seen), max(seen)) == (0.0, 1.0)
    expected = sum(len(scenario.readings(plan, slot, plan.window.start, end)) for slot in plan.slots)
    events = sum(len(scenario.events(plan, slot, plan.window.start, end)) for slot in plan.slots)
    row = connection.execute("SELECT count(*) AS n, bit_and(flags) AS flags FROM reading").fetchone()
    assert row == {"n": expected, "flags": 8}
    assert first.readings + rest.readings == expected
    counted = connection.execute("SELECT sum(decoded) AS d, sum(stored) AS s FROM intake_slot").fetchone()
    assert counted == {"d": expected + events, "s": expected + events}
    [alive] = platform_alive(connection, "demo-robot", plan.window)
    assert (alive.start, alive.end) == (plan.window.start, end)


def test_a_pilot_that_is_not_simulated_takes_no_history(connection: Connection) -> None:
    registered = register(connection)
    at = np.array([micros(read_plan(plan_text("demo-air").encode()).plan.window.start)])
    one = Columns(
        channel_id=np.array([registered.channel_ids["a"]], dtype=np.int32),
        observed_us=at,
        value=np.array([1.0]),
        flags=np.zeros(1, dtype=np.int16),
    )
    with pytest.raises(PermanentError, match="not marked simulated"):
        load_readings(connection, "p1", one, at)
    with pytest.raises(PermanentError, match="not marked simulated"):
        record_alive(connection, "p1", read_plan(plan_text("demo-air").encode()).plan.window)
    assert connection.execute("SELECT FROM reading").fetchall() == []

"""``summary.n_good``: readings of the hour in no finding that says they cannot be."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from core.window import HOUR_US, micros
from telemetry.channels import ChannelInfo
from telemetry.findings import FAIL
from telemetry.quality.intervals import left_out
from telemetry.quality.judge import pending
from telemetry.raw import readings
from telemetry.summarise import mark_pilot, summarise_all
from tests.integration.test_quality_run import ALL, MINUTE_US, START, at, judge, one_channel, spoilt, store


def counts(connection: Connection, channel_id: int) -> dict[int, tuple[int, int]]:
    rows = connection.execute("SELECT hour, n, n_good FROM summary WHERE channel_id = %s ORDER BY hour", [channel_id])
    return {micros(row["hour"]): (row["n"], row["n_good"]) for row in rows}


def due(connection: Connection, channel: ChannelInfo) -> dict[int, tuple[int, int]]:
    """The same, reading by reading."""
    found = left_out(connection, channel, ALL, ("stuck", "range", "spike", "rate"), least=FAIL)
    observed, _ = readings(connection, channel, ALL, None)
    bad: NDArray[np.bool_] = np.zeros(len(observed), dtype=np.bool_)
    for one in (window for windows in found.values() for window in windows):
        bad |= (observed >= one.start_us) & (observed < one.end_us)
    hour = observed // HOUR_US * HOUR_US
    return {int(us): (int((hour == us).sum()), int((~bad & (hour == us)).sum())) for us in np.unique(hour)}


def test_it_counts_the_readings_in_no_finding_that_fails(connection: Connection) -> None:
    channel_id, channel = one_channel(connection)
    observed, value = spoilt()
    half = len(value) // 2
    store(connection, channel_id, observed[:half], value[:half])
    summarise_all(connection)
    assert all(n == good for n, good in counts(connection, channel_id).values())
    judge(connection)
    assert counts(connection, channel_id) == due(connection, channel)
    store(connection, channel_id, observed[half:], value[half:])
    judge(connection)
    found = counts(connection, channel_id)
    assert found == due(connection, channel)
    assert sum(n - good for n, good in found.values()) > 500
    assert pending(connection) == 0  # counting calls for no judgement


def test_it_follows_late_data_and_a_summary_made_anew(connection: Connection) -> None:
    channel_id, channel = one_channel(connection)
    observed = micros(START) + np.arange(1200) * MINUTE_US
    value = np.where(np.arange(1200) < 300, 20 + np.arange(1200) % 7 / 5, 21.0)  # it rests from the fifth hour on
    store(connection, channel_id, observed[:540], value[:540])
    judge(connection)
    assert all(n == good for n, good in counts(connection, channel_id).values())  # suspect for now
    store(connection, channel_id, observed[540:], value[540:])
    judge(connection)
    found = counts(connection, channel_id)
    assert found == due(connection, channel)
    assert found[micros(at(6))] == (60, 0)  # an hour that was not judged again: the rest failed only later
    store(connection, channel_id, np.array([micros(START + timedelta(hours=10)) + 5_000_000]), np.array([25.0]))
    judge(connection)
    assert counts(connection, channel_id) == due(connection, channel)
    mark_pilot(connection, channel.pilot)
    judge(connection)
    assert counts(connection, channel_id) == due(connection, channel)

"""What one life of a process says of itself: all of its work, nothing else, in few rows."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from telemetry.platform_record import ROW_EVERY_S, Entry, Ledger, Span

STEP_S = 1.0


def union_s(spans: list[Span]) -> float:
    total, reached = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def lived(at_work: list[bool], away: list[bool]) -> tuple[list[Entry], list[Span]]:
    """Look every second; while the database is away nothing is written.

    :returns: the rows, and when the process really was at work, as far as looking every second can tell.
    """
    ledger, rows, worked = Ledger(0.0), [], list[Span]()
    since: float | None = None
    for second, (works, gone) in enumerate(zip(at_work, away, strict=True), start=1):
        now = second * STEP_S
        if not works:
            since = None
        elif since is None:
            since = now - STEP_S / 2
        if since is not None:
            worked.append((max(since, now - STEP_S), now))
        ledger.look(since, now)
        if ledger.due and not gone:
            rows.append(ledger.entry())
            ledger.written()
    if ledger.open:
        rows.append(ledger.entry(ends=True))
    return rows, worked


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(1, 400)), min_size=1, max_size=12))
def test_the_rows_say_all_of_the_work_and_nothing_else(stretches: list[tuple[bool, bool, int]]) -> None:
    at_work = [works for works, _, seconds in stretches for _ in range(seconds)]
    away = [gone for _, gone, seconds in stretches for _ in range(seconds)]
    rows, worked = lived(at_work, away)
    said = [span for row in rows for span in row.heard]
    assert abs(union_s(said) - union_s(worked)) < 1e-6
    assert abs(union_s([*said, *worked]) - union_s(worked)) < 1e-6
    for before, after in pairwise(rows):
        assert before.span[1] == after.span[0]
    for row in rows:
        assert all(row.span[0] <= start <= end <= row.span[1] for start, end in row.heard)
    assert not rows or not rows[-1].goes_on or not at_work[-1]


def test_a_day_of_work_is_some_three_hundred_rows_and_one_of_flapping_twice_as_many() -> None:
    day = int(86_400 / STEP_S)
    steady, _ = lived([True] * day, [False] * day)
    assert len(steady) <= 86_400 / ROW_EVERY_S + 2
    flapping, _ = lived([second % 20 < 10 for second in range(day)], [False] * day)
    assert len(flapping) <= 2 * (86_400 / ROW_EVERY_S) + 2


def test_a_loss_is_said_at_once_and_a_process_that_never_worked_says_nothing() -> None:
    rows, _ = lived([True] * 100 + [False] * 10, [False] * 110)
    assert [(row.span[1], row.goes_on) for row in rows] == [(1.0, True), (101.0, False)]
    assert lived([False] * 1000, [False] * 1000) == ([], [])


def test_a_stretch_without_the_database_is_one_row_when_it_is_back() -> None:
    rows, _ = lived([True] * 2000, [False] * 100 + [True] * 1500 + [False] * 400)
    assert [row.span for row in rows][:2] == [(0.0, 1.0), (1.0, 1601.0)]
    assert rows[1].heard == ((1.0, 1601.0),)


def test_a_clock_set_back_claims_nothing_twice() -> None:
    ledger = Ledger(1000.0)
    ledger.look(1000.0, 1100.0)
    ledger.written()
    ledger.look(1000.0, 500.0)
    assert not ledger.due and ledger.entry().heard == ()
    ledger.look(1000.0, 1500.0)
    assert ledger.entry() == Entry(span=(1100.0, 1500.0), heard=((1100.0, 1500.0),), goes_on=True)

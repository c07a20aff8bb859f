"""The picture of a day's account: bars whose parts add up, are seen however small, and flow into the next."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.window import Window
from dashboards.access import VisiblePilot
from dashboards.account import Bar, bars, days_of
from dashboards.memo import Memo
from telemetry.account import Account, ConnectionDay, Numbers, SlotDay

START = datetime(2026, 3, 1, 15, tzinfo=UTC)
counts = st.integers(0, 10**9)


def connection(**given: Any) -> ConnectionDay:
    known: dict[str, Any] = {
        "connection": "c", "withdrawn": False, "delivered": 0, "committed": 0, "quarantined": 0, "redelivered": 0,
        "payload_bytes": 0, "last_received": None, "quarantined_by_reason": {}, "numbers": (), "denied": {},
    }  # fmt: skip
    return ConnectionDay(**(known | given))


def numbers(distinct: int, missing: int) -> Numbers:
    return Numbers(
        boot="", first=1, last=distinct + missing, sent=distinct + missing, distinct=distinct, missing=missing, given_up=0,
        repeated=0, missing_ranges=(), last_received=START,
    )  # fmt: skip


def slot(**given: Any) -> SlotDay:
    known: dict[str, Any] = {
        "slot": "s", "place": "", "connection": "c", "expected": 0, "decoded": 0, "stored": 0, "duplicate": 0, "conflict": 0,
        "rejected": 0, "rejected_by_reason": {}, "last_received": None, "timing": None,
    }  # fmt: skip
    return SlotDay(**(known | given))


def account(connections: tuple[ConnectionDay, ...], slots: tuple[SlotDay, ...]) -> Account:
    return Account(
        pilot="p", zone="Asia/Seoul", day=date(2026, 3, 2), window=Window(start=START, end=START + timedelta(days=1)),
        at=START, simulated=False, connections=connections, slots=slots, nobody={}, denied_unattributed={}, delay=None,
    )  # fmt: skip


def by_name(found: list[Bar]) -> dict[str, Bar]:
    return {bar.name.split("(")[0]: bar for bar in found}


@given(counts, counts, counts, counts, counts, counts, counts)
def test_parts_add_up_stay_inside_and_none_that_is_there_is_invisible(
    committed: int, held: int, stored: int, duplicate: int, conflict: int, rejected: int, expected: int
) -> None:
    decoded = stored + duplicate + conflict + rejected
    found = bars(
        account(
            (connection(delivered=committed + held, committed=committed, quarantined=held),),
            (
                slot(
                    expected=expected,
                    decoded=decoded,
                    stored=stored,
                    duplicate=duplicate,
                    conflict=conflict,
                    rejected=rejected,
                ),
            ),
        )
    )
    assert [bar.n for bar in found] == [committed + held, decoded]
    for bar in found:
        assert sum(part.n for part in bar.parts) == bar.n
        x = 0.0
        for part in bar.parts:
            assert part.x == pytest.approx(x, abs=0.01)
            assert (part.width >= 0.85) if part.n else part.width == 0
            x += part.width
        assert x <= 100.01
        if bar.outline is not None:
            assert 0 < bar.outline <= 100


def test_what_was_expected_is_on_the_scale_of_what_was_decoded() -> None:
    one = by_name(bars(account((connection(),), (slot(expected=8640, decoded=4320, stored=4320),))))["해석한 값"]
    assert (one.outline, one.parts[0].width, one.expected) == (100.0, 50.0, 8640)
    more = by_name(bars(account((connection(),), (slot(expected=50, decoded=100, stored=100),))))["해석한 값"]
    assert (more.outline, more.parts[0].width) == (50.0, 100.0)
    none = by_name(bars(account((connection(),), (slot(decoded=10, stored=10),))))["해석한 값"]
    assert none.outline is None


def test_numbers_flow_into_the_messages_only_where_every_sender_counts() -> None:
    counting = connection(delivered=90, committed=90, numbers=(numbers(90, 10),))
    found = bars(account((counting, connection()), (slot(decoded=90, stored=90),)))
    assert [bar.n for bar in found] == [100, 90, 90] and all(bar.flow for bar in found[:2]) and not found[2].flow
    assert found[0].flow == "0,0 90,0 100,10 0,10"
    mixed = bars(account((counting, connection(delivered=5, committed=5)), (slot(),)))
    assert [bar.n for bar in mixed] == [100, 95, 0] and not mixed[0].flow and not mixed[1].flow
    assert len(bars(account((connection(delivered=5, committed=5),), ()))) == 2, "who does not count shows no numbers"


PILOT = VisiblePilot(
    pilot_id=1, name="air", title="air", kind="rnd", company="c", company_name="C", site="s", site_name="S",
    zone="Asia/Seoul", start_at=datetime.now(UTC) - timedelta(days=10), end_at=datetime.now(UTC) + timedelta(days=10),
    simulated=False, plan_version=1, plan_sha256="0" * 64,
)  # fmt: skip


@pytest.mark.parametrize("asked", ["", "yesterday", "2026-13-40", "0001-01-01", "9999-12-31", "2026-02-30'"])
def test_a_day_that_is_none_is_today(asked: str) -> None:
    days = days_of(PILOT, asked)
    assert days.day == days.last == PILOT.today() and days.after is None
    assert days.before == PILOT.today() - timedelta(days=1)


def test_one_can_walk_from_the_first_day_to_today() -> None:
    first = days_of(PILOT, f"{PILOT.today(PILOT.start_at)}")
    assert first.day == first.first and first.before is None and first.after == first.day + timedelta(days=1)


def test_a_kept_value_is_found_without_being_made() -> None:
    now = [0.0]
    memo: Memo[str] = Memo(span_s=10, clock=lambda: now[0])
    assert memo.kept("a") is None
    memo.get("a", lambda: "1")
    assert memo.kept("a") == "1"
    now[0] = 10.5
    assert memo.kept("a") is None and memo.kept("a", span_s=60) == "1"

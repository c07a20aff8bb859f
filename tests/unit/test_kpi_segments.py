"""What a slot was measured with, one device after the other; and to whom silence is charged where several are in question."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.window import Window
from devices.registry.queries import DeviceRow
from kpi.charges import PlatformRecord, charge
from kpi.measures.availability import LinkChange, states
from kpi.segments import segments_of
from kpi.stretches import Stretches, intersection, joined, total_us, union

MAY = Window(start=datetime(2026, 5, 1, tzinfo=UTC), end=datetime(2026, 6, 1, tzinfo=UTC))


def day(number: int) -> datetime:
    return datetime(2026, 5, number, tzinfo=UTC)


def row(serial: str, since: datetime, until: datetime | None, *, slot: str = "a", **given: Any) -> DeviceRow:
    usual: dict[str, Any] = {"model": "m", "firmware": "1"}
    return DeviceRow(
        slot=slot, place="", connection="c", protocol="json", username="u", serial=serial, installed_at=since,
        removed_at=until, issued_at=since, withdrawn_at=None, slot_withdrawn_at=None, **(usual | given),
    )  # fmt: skip


def test_a_swap_a_model_and_a_firmware_begin_a_segment() -> None:
    rows = [
        row("1", datetime(2026, 3, 1, tzinfo=UTC), day(5)),
        row("2", day(6), day(10)),
        row("2", day(10), day(15), model="n"),
        row("2", day(15), day(20), model="n", firmware="2"),
        row("2", day(21), None, model="n", firmware="2"),
        row("9", day(2), None, slot="b"),
    ]
    found = segments_of(rows, "a", MAY)
    assert [(one.window.start, one.window.end, one.cause) for one in found] == [
        (MAY.start, day(5), None),
        (day(6), day(10), "device"),
        (day(10), day(15), "model"),
        (day(15), day(20), "firmware"),
        (day(21), MAY.end, "installed_again"),
    ]
    assert (found[3].serial, found[3].model, found[3].firmware) == ("2", "n", "2")


def test_segments_outside_of_the_window_or_without_length_are_none() -> None:
    rows = [
        row("1", datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)),
        row("2", day(3), day(3)),
        row("3", day(3), None),
    ]
    [found] = segments_of(rows, "a", MAY)
    assert (found.serial, found.cause, found.window) == ("3", "device", Window(start=day(3), end=MAY.end))
    assert segments_of([], "a", MAY) == []


# --- Charges

spans = st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 200)), max_size=5).map(
    lambda pairs: joined((start, start + length) for start, length in pairs)
)


@given(spans, spans, spans, spans, spans, st.one_of(st.none(), st.integers(0, 900)))
def test_every_gap_is_charged_once_and_only_once(
    gaps: Stretches, alive: Stretches, agreed: Stretches, site: Stretches, swapped: Stretches, since: int | None
) -> None:
    known = alive if since is None else intersection(alive, ((since, 1000),))
    record = PlatformRecord(
        alive=() if since is None else known, since_us=since, until_us=1000, agreed=agreed, site=site
    )
    asked = intersection(gaps, ((0, 1000),))
    found = charge(asked, record, swapped)
    parts = (found.company, found.platform, found.site, found.nobody)
    assert union(*parts) == asked
    assert sum(map(total_us, parts)) == total_us(asked)
    assert intersection(asked, swapped) == intersection(found.company, swapped)
    assert not intersection(found.nobody, site) and not intersection(found.nobody, agreed)
    assert total_us(found.site) <= total_us(intersection(asked, site))


@given(spans, spans, spans, spans, spans, st.lists(st.tuples(st.integers(0, 1000), st.booleans()), max_size=6))
def test_what_a_slot_was_adds_up_to_the_required_time(
    standing: Stretches, alive: Stretches, agreed: Stretches, site: Stretches, swapped: Stretches,
    link: list[tuple[int, bool]],
) -> None:  # fmt: skip
    known = intersection(alive, ((50, 1000),))
    record = PlatformRecord(alive=known, since_us=50, until_us=1000, agreed=agreed, site=site)
    changes = [LinkChange(at_us=at, online=online) for at, online in sorted(dict(link).items())]
    required = ((0, 1000),)
    found = states(required, intersection(standing, required), changes, record, swapped)
    parts = (found.up, found.down, found.left_out, found.unknown)
    assert union(*parts) == required
    assert sum(map(total_us, parts)) == 1000
    assert intersection(found.site, found.left_out) == found.site
    assert not intersection(found.up, swapped)


@pytest.mark.parametrize(("until", "up"), [(60, 0), (40, 0)])
def test_a_link_is_not_proven_while_the_site_is_down(until: int, up: int) -> None:
    record = PlatformRecord(alive=((0, 100),), since_us=0, until_us=100, site=((0, until),))
    found = states(((0, until),), (), [LinkChange(at_us=0, online=True)], record)
    assert total_us(found.up) == up and found.left_out == found.site == ((0, until),)

"""MAVLink: what holds of every byte stream, however it is cut, damaged, or delivered again. The sender is pymavlink."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as dialect  # type: ignore[import-untyped]

from ingest.memory import Memory
from ingest.message import Decoded, Message
from ingest.protocols.mavlink.frames import MOST_REST, frames
from ingest.protocols.mavlink.remembered import MOST_SENDERS, MOST_STREAMS
from ingest.recalled import looking_back
from tests.mavlinking import AT_S, CHANNELS, TOPIC, Ground, Vehicle, connection

US = AT_S * 1_000_000


def stream(version: int = 2) -> list[bytes]:
    """A short flight's frames."""
    v = Vehicle(version=version, seq=250)
    found = [v.system_time(US, 10_000), v.beat(), v.extended_sys_state(0, 1), v.beat(armed=True)]
    for n in range(12):
        found += [v.position(10_100 + 200 * n, 37.5 + n * 1e-4, 127.0, float(n)), v.vfr_hud(1, 2.5 + n, 90, 50, 1, 0)]
        found += [v.sys_status(0, 0, 0, 100, 12_600 - n, 150, 90 - n, 0, 0, 0, 0, 0, 0)]
    return [*found, v.extended_sys_state(0, 2), v.mission_item_reached(1), v.statustext(1, b"low"), v.beat()]


def said(out: Decoded) -> tuple[Any, ...]:
    """All that counts of what was decoded."""
    return out.channel_id, out.observed_us, out.value, out.flags, out.events, out.link_states, out.sequences


def whole(data: bytes) -> tuple[Any, ...]:
    return said(Ground().hear(data))


@given(st.lists(st.integers(1, 1_200), max_size=40), st.sampled_from([1, 2]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_cut_of_the_bytes_into_payloads_says_the_same(cuts: list[int], version: int, dirty: bool) -> None:
    pieces = stream(version)
    if dirty:
        pieces[5:5] = [b"\xfe\x09garbage\xfd\x00"]
        pieces[9] = pieces[9][:-1] + bytes([pieces[9][-1] ^ 1])
    data = b"".join(pieces)
    at = sorted({cut for cut in cuts if cut < len(data)})
    parts = [data[start:end] for start, end in zip([0, *at], [*at, len(data)], strict=True)]
    assert said(Ground().hear(*parts)) == whole(data)


@given(st.lists(st.integers(0, 38), max_size=3))
@settings(max_examples=30, deadline=None)
def test_batches_may_end_anywhere(ends: list[int]) -> None:
    payloads = stream()
    ground, total = Ground(), Decoded()
    for start, end in zip([0, *sorted(ends)], [*sorted(ends), len(payloads)], strict=True):
        out = ground.hear(*payloads[start:end])
        for name in ("channel_id", "observed_us", "value", "flags", "events", "link_states", "sequences"):
            getattr(total, name).extend(getattr(out, name))
    assert said(total) == said(Ground().hear(*payloads))


@given(st.binary(max_size=600), st.lists(st.integers(0, 600), max_size=4))
@settings(max_examples=300, deadline=None)
def test_no_bytes_raise_and_little_is_kept(data: bytes, cuts: list[int]) -> None:
    ground = Ground()
    for cut in [*cuts, 600]:
        ground.hear(data[:cut] or b"\xfd")
    assert len(frames(data).rest) <= MOST_REST


@given(st.integers(0, 2**32), st.integers(1, 30))
@settings(max_examples=100, deadline=None)
def test_damage_costs_no_frame_beside_the_damaged_ones(seed: int, hits: int) -> None:
    rng = random.Random(seed)
    pieces = stream()
    damaged = {rng.randrange(len(pieces)) for _ in range(hits)}
    for place in damaged:
        broken = bytearray(pieces[place])
        broken[rng.randrange(3, len(broken))] ^= 1 << rng.randrange(8)
        pieces[place] = bytes(broken)
    data = b"".join(pieces) + Vehicle(3).beat()
    found = frames(data)
    sound = {(one[4], one[-2:]) for place, one in enumerate(pieces) if place not in damaged}
    assert {(frame.seq, frame.sum) for frame in found.frames if frame.payload is not None} >= sound
    assert sum(end - start for start, end, _ in found.unreadable) <= sum(len(pieces[place]) for place in damaged)


def test_what_is_decoded_is_what_pymavlink_decodes() -> None:
    rng = random.Random(7)
    v, parser = Vehicle(), dialect.MAVLink(None)
    from ingest.protocols.mavlink.dialect import kind
    from ingest.protocols.mavlink.takers import text

    compared = 0
    for number, made in dialect.mavlink_map.items():
        of = kind(number)
        assert of is not None
        for _ in range(3):
            blank = made(*(_some(rng, made, at) for at in range(len(made.fieldnames))))
            packed = v.pack(blank)
            (theirs,) = parser.parse_buffer(packed)
            (frame,) = frames(packed).frames
            assert frame.payload is not None
            values = of.read(frame.payload)
            for name in made.fieldnames:
                field, their = of.fields[name], getattr(theirs, name)
                if field.is_text:
                    assert text(values[field.place]) == str(their).split("\0")[0]
                else:
                    ours = values[field.place : field.place + max(field.length, 1)]
                    assert list(ours) == (list(their) if field.length else [their]), (of.name, name)
                compared += 1
    assert compared > 5_000


def _some(rng: random.Random, made: Any, at: int) -> Any:
    kind_of, length = made.fieldtypes[at], made.array_lengths[made.orders[at]]
    if kind_of == "char":
        return "".join(rng.choice("abc") for _ in range(min(length, 5))).encode()

    def one() -> Any:
        if kind_of in ("float", "double"):
            return rng.randrange(-100, 100) / 4
        bits = int("".join(filter(str.isdigit, kind_of)))
        return rng.randrange(2**bits) if kind_of.startswith("u") else rng.randrange(-(2 ** (bits - 1)), 2 ** (bits - 1))

    return [one() for _ in range(length)] if length else one()


# Numbers


@given(st.lists(st.sampled_from(["send", "lose", "again", "swap"]), max_size=400), st.integers(0, 255))
@settings(max_examples=150, deadline=None)
def test_sent_is_distinct_delivered_and_missing(story: list[str], seq: int) -> None:
    v, ground, sent = Vehicle(seq=seq), Ground(), 0
    payloads: list[bytes] = []
    for what in ["send", *story, "send"]:
        made = v.position(10_000 + 20 * sent, 37.5, 127.0, sent / 10)
        sent += 1
        if what == "swap" and len(payloads) > 1:
            payloads.insert(-1, made)
        elif what != "lose" or not payloads:
            payloads.append(made)
        if what == "again" and len(payloads) > 3:
            payloads.append(payloads[-3])
    if _longest_loss(story) > 150:
        return
    out = ground.hear(*payloads)
    numbers = [number for _, _, number in out.sequences]
    assert len({boot for _, boot, _ in out.sequences}) == 1
    assert max(numbers) == sent
    assert set(numbers) <= set(range(1, sent + 1))
    assert len(set(numbers)) == len(set(payloads))
    assert len(numbers) == len(payloads), "a repeated frame is counted as one"
    assert len(out.value) == len(set(payloads)) * 4, "and read once"


def _longest_loss(story: list[str]) -> int:
    longest = run = 0
    for what in story:
        run = run + 1 if what == "lose" else 0
        longest = max(longest, run)
    return longest


def test_a_silence_after_which_numbers_do_not_go_on_begins_a_numbering() -> None:
    v, ground = Vehicle(), Ground()
    ground.hear(v.beat(), v.beat())
    ground.now_us += 60_000_000
    (_, boot, number), *_ = ground.hear(v.beat()).sequences
    assert (boot[-2:], number) == (".1", 3), "nothing was lost"
    v.mav.seq = 99
    ground.now_us += 60_000_000
    (_, boot, number), *_ = ground.hear(v.beat()).sequences
    assert (boot[-2:], number) == (".2", 1)


# Delivered again


def test_what_was_read_before_a_collector_ended_says_nothing_again() -> None:
    payloads = stream()
    ground = Ground()
    first = ground.hear(*payloads)
    again = ground.hear(*payloads, redelivered=True)
    assert first.value and not again.accepted() and not again.sequences and not again.rejected
    v = Vehicle(seq=(250 + len(payloads)) % 256)
    new = ground.hear(v.position(20_000, 37.5, 127.0, 1.0), redelivered=True)
    assert new.value and new.sequences[0][2] == len(payloads) + 1, "one that was not read before is read"


def test_thousands_of_messages_delivered_again_double_nothing() -> None:
    v, ground = Vehicle(), Ground()
    payloads = [v.sys_status(0, 0, 0, n % 1_000, 12_000, 1, 50, 0, 0, 0, 0, 0, 0) for n in range(5_000)]
    first = ground.hear(*payloads)
    assert len(first.value) == 15_000
    assert not ground.hear(*payloads[500:], redelivered=True).accepted()


# Links


def test_a_link_is_lost_when_no_heartbeat_comes_and_found_with_the_next() -> None:
    v, ground = Vehicle(), Ground()
    assert [one.state for one in ground.hear(v.beat()).link_states] == ["online"]
    assert not ground.pass_time(1).link_states
    assert not ground.hear(v.beat()).link_states
    assert not ground.pass_time(4.9).link_states
    assert not ground.hear(v.position(9_000, 37.5, 127.0, 1.0)).link_states
    (lost,) = ground.pass_time(0.2).link_states
    assert (lost.state, lost.at_us) == ("offline", ground.now_us - 100_000)
    assert not ground.pass_time(60).link_states
    assert [one.state for one in ground.hear(v.beat()).link_states] == ["online"]


def test_a_collector_that_was_away_does_not_lose_the_link_for_the_vehicle() -> None:
    ground = Ground()
    ground.hear(Vehicle().beat())
    restarted = Ground()
    restarted.memory, restarted.now_us = ground.memory, ground.now_us + 3_600_000_000
    assert not restarted.pass_time(0).link_states
    assert not restarted.pass_time(4).link_states
    assert [one.state for one in restarted.pass_time(2).link_states] == ["offline"]


def test_silence_counts_from_when_we_listen_again() -> None:
    ground = Ground()
    ground.hear(Vehicle().beat())
    assert not ground.pass_time(1).link_states
    begun_us = ground.now_us + 600_000_000
    assert not ground.pass_time(604.9, since_us=begun_us).link_states
    (lost,) = ground.pass_time(0.2, since_us=begun_us).link_states
    assert (lost.state, lost.at_us) == ("offline", begun_us + 5_000_000)


def test_heartbeats_of_cameras_and_ground_stations_are_no_vehicles() -> None:
    ground = Ground(select={})
    assert not ground.hear(Vehicle(1, 100).heartbeat(30, 8, 0, 0, 4), Vehicle(255, 190).beat()).accepted()
    assert ground.hear(Vehicle(4).beat()).link_states


# Times


def test_receipt_is_the_time_until_the_vehicle_knows_its_own() -> None:
    v, ground = Vehicle(), Ground()
    first = ground.hear(v.position(50_000, 37.5, 127.0, 1.0))
    assert set(first.observed_us) == {US} and set(first.flags) == {1}
    ground.now_us += 900_000  # on its way for so long: the start stays where it was
    late = ground.hear(v.position(50_500, 37.5, 127.0, 1.0))
    assert set(late.observed_us) == {US + 500_000}
    ground.hear(v.system_time(US + 700_000, 51_000))
    own = ground.hear(v.position(51_100, 37.5, 127.0, 1.0))
    assert set(own.observed_us) == {US + 800_000} and set(own.flags) == {0}


def test_a_clock_that_steps_is_followed_and_one_that_wanders_is_not() -> None:
    v, ground = Vehicle(), Ground()
    ground.hear(v.system_time(US, 10_000), v.system_time(US + 1_000_040, 11_000))
    assert set(ground.hear(v.position(11_500, 37.5, 127.0, 1.0)).observed_us) == {US + 1_500_000}
    ground.hear(v.system_time(US - 30_000_000, 12_000))
    assert set(ground.hear(v.position(12_500, 37.5, 127.0, 1.0)).observed_us) == {US - 29_500_000}


@given(st.lists(st.integers(1, 900), min_size=2, max_size=60), st.lists(st.booleans(), min_size=60, max_size=60))
@settings(max_examples=100, deadline=None)
def test_frames_of_different_times_never_share_an_instant_though_they_are_received_at_once(
    steps: list[int], pauses: list[bool]
) -> None:
    v, ground, boot_ms, at = Vehicle(), Ground(), 10_000, []
    for step, pause in zip(steps, pauses, strict=False):
        boot_ms += step
        ground.now_us += step * 1_000 if pause else 0
        at += sorted(set(ground.hear(v.position(boot_ms, 37.5, 127.0, 1.0)).observed_us))
        assert at[-1] <= ground.now_us + 2_000_000
    assert len(set(at)) == len(steps)


def test_frames_without_a_time_of_their_own_never_share_one() -> None:
    v, ground = Vehicle(), Ground()
    payloads = [v.sys_status(0, 0, 0, 0, 12_000 + n, -1, -1, 0, 0, 0, 0, 0, 0) for n in range(50)]
    out = ground.hear(v.system_time(US, 10_000), b"".join(payloads))
    assert len(set(out.observed_us)) == 50


def test_without_a_clock_by_the_plan_all_times_are_arrivals() -> None:
    out = Ground(clock=False).hear(
        Vehicle().system_time(US - 5_000_000, 10_000), Vehicle(seq=1).position(9, 37.5, 127, 1)
    )
    assert set(out.observed_us) == {US} and set(out.flags) == {1} and out.arrivals == [0, 1, 2, 3]


# The past


def test_messages_of_the_past_get_the_times_that_they_had_and_change_nothing() -> None:
    v, ground = Vehicle(), Ground()
    payloads = [v.system_time(US, 10_000), v.position(10_500, 37.5, 127.0, 1.0), v.beat(armed=True)]
    first = ground.hear(*payloads)
    restarted = Vehicle(seq=77)
    ground.now_us += 600_000_000
    ground.hear(restarted.system_time(US + 600_000_000, 2_000), restarted.position(3_000, 37.5, 127.0, 1.0))
    memory = looking_back(ground.memory)
    out = Decoded(memory=memory)
    decoder = ground.connection.decoder(TOPIC)
    assert decoder is not None
    for payload in payloads:
        decoder.decode(Message(topic=TOPIC, payload=payload, received_us=US), out)
    assert (out.value, out.observed_us[:4]) == (first.value[:4] + first.value[4:], first.observed_us[:4])
    assert not out.events and not out.link_states and not out.sequences


# Hostile


def test_senders_and_topics_are_bounded() -> None:
    ground = Ground(topics=["fleet/#"], select={})
    for place in range(MOST_STREAMS + 20):
        ground.hear(Vehicle().beat()[:9], topic=f"fleet/{place}")
    out = ground.hear(Vehicle().beat(), topic="fleet/beyond")
    assert [one.reason for one in out.quarantined] == ["not_of_protocol"]
    ground = Ground(topics=["fleet/#"], select={})
    data = b"".join(Vehicle(system, component).beat() for system in range(1, 101) for component in (1, 2, 3))
    assert len({boot for _, boot, _ in ground.hear(data).sequences}) == MOST_SENDERS


@pytest.mark.parametrize(
    "unit", [b"\xfd", b"\xfe", b"\xfd\xff\x00", b"\xfe\xff", b"\xfd\x00\x00\x00\x00\x01\x01\x00\x00\x00"]
)
def test_a_quarter_megabyte_of_magic_bytes_is_read_in_bounded_time(unit: bytes) -> None:
    import time

    begun = time.process_time()
    out = Ground().hear(unit * (262_144 // len(unit)))
    assert time.process_time() - begun < 5
    assert not out.accepted() and (out.quarantined or out.rejected)


def test_a_value_of_another_quantity_than_its_channel_is_refused() -> None:
    out = Ground(channels={"voltage": {"unit": "degC", "period": "1 s"}}).hear(
        Vehicle().sys_status(0, 0, 0, 0, 12_000, -1, -1, 0, 0, 0, 0, 0, 0)
    )
    assert [one.reason for one in out.quarantined] == ["other_unit"]


def test_decoding_twice_with_one_connection_is_the_same() -> None:
    made = connection(CHANNELS)
    payloads = stream()
    outs = []
    for _ in range(2):
        ground = Ground(made)
        ground.memory = Memory()
        outs.append(said(ground.hear(*payloads)))
    assert outs[0] == outs[1]

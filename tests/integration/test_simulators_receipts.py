"""A sender that keeps its messages until their receipt, over the real broker."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from pilotbed.stack.mosquitto import Mosquitto
from simulators.login import Login, SubscriptionRefused
from simulators.receipts.keeping import Patience
from simulators.receipts.sender import NotReceipted, Receipts, Sender
from simulators.receipts.shelf import KeepFile
from tests.receipting import let_in, receipting, within

pytestmark = pytest.mark.timeout(90)
QUICK = Patience(missing_s=0.5, silent_s=1.0, longest_s=4.0)


def sender(login: Login, pilot: str, receipts: Receipts | None = None, **given: object) -> Sender:
    settings = receipts or Receipts(patience=QUICK)
    return Sender(login, settings, name=f"{pilot}/c", slot_topic=f"pilots/{pilot}/s1", **given)  # type: ignore[arg-type]


def said(number: int) -> bytes:
    return b'{"values":{"n":%d}}' % number


def test_what_the_platform_loses_is_sent_again_until_it_has_all(broker: Mosquitto, pilot: str) -> None:
    topic = f"pilots/{pilot}/s1/readings"
    with (
        receipting(broker, pilot, "s1", loses=lambda _boot, seq, before: before < seq % 4) as platform,
        sender(let_in(broker, pilot, "s1"), pilot) as one,
    ):
        for number in range(400):
            one.publish(topic, said(number))
        one.flush(patience_s=20)
    assert (one.sent, one.acknowledged) == (400, 400)
    assert (one.counts.receipted, one.counts.kept, one.counts.former) == (400, 0, 0)
    assert one.counts.resent >= 600  # 0, 1, 2, 3 losses each
    assert [found["values"]["n"] for found in platform.documents("readings")] == list(range(400))
    assert {number[0] for number in platform.stored} != {""}
    assert platform.differing == []


def test_the_last_messages_alone_can_be_the_lost_ones(broker: Mosquitto, pilot: str) -> None:
    topic = f"pilots/{pilot}/s1/readings"
    with (
        receipting(broker, pilot, "s1", loses=lambda _boot, seq, before: seq > 5 and before == 0) as platform,
        sender(let_in(broker, pilot, "s1"), pilot) as one,
    ):
        for number in range(10):
            one.publish(topic, said(number))
        one.flush(patience_s=20)
    assert len(platform.stored) == 10


def test_one_numbering_runs_over_all_slots_and_topics(broker: Mosquitto, pilot: str) -> None:
    with (
        receipting(broker, pilot, "s1", "s2") as platform,
        sender(
            let_in(broker, pilot, "s1", "s2"),
            pilot,
            greetings=lambda: [(f"pilots/{pilot}/s1/status", b'{"state":"online"}')],
        ) as one,
    ):
        for topic in ("s1/readings", "s2/events", "s2/readings"):
            one.publish(f"pilots/{pilot}/{topic}", said(0))
        one.flush(patience_s=10)
    (boot,) = {of for of, _ in platform.stored}
    topics = [platform.stored[boot, seq][0].removeprefix(f"pilots/{pilot}/") for seq in range(1, 5)]
    assert topics == ["s1/status", "s1/readings", "s2/events", "s2/readings"]


def test_without_receipts_it_keeps_so_many_and_waits_and_says_so(broker: Mosquitto, pilot: str) -> None:
    topic, log = f"pilots/{pilot}/s1/readings", list[str]()
    receipts = Receipts(limit=20, patience=QUICK, say=log.append)
    with (
        receipting(broker, pilot, "s1") as platform,
        sender(let_in(broker, pilot, "s1"), pilot, receipts, patience_s=3.0) as one,
    ):
        platform.silent = True
        for number in range(20):
            one.publish(topic, said(number))
        assert one.full
        with pytest.raises(NotReceipted, match=r"20 messages of .* are kept, in memory only"):
            one.publish(topic, said(20))
        assert (one.sent, one.counts.kept, one.counts.receipted) == (20, 20, 0)
        # The newest alone asks, at growing intervals.
        assert {number[1] for number, came in platform.came.items() if came > 1} == {20}
        assert one.counts.resent <= 3
        assert len(log) == 1
        assert "keeps 20 messages without a receipt, as many as it may" in log[0]
        platform.silent = False
        one.publish(topic, said(20))
        one.flush(patience_s=10)
    assert len(log) == 2
    assert "goes on" in log[1]
    assert [found["values"]["n"] for found in platform.documents("readings")] == list(range(21))


def test_what_is_kept_outlives_the_sender_under_its_old_numbers(broker: Mosquitto, pilot: str, tmp_path: Path) -> None:
    topic, login, lost = f"pilots/{pilot}/s1/readings", let_in(broker, pilot, "s1"), True

    def loses(_boot: str, seq: int, _before: int) -> bool:
        return lost and seq in (3, 4, 10)

    with receipting(broker, pilot, "s1", loses=loses) as platform:
        with KeepFile(tmp_path / "kept") as file:
            first = sender(login, pilot, Receipts(patience=QUICK, file=file))
            first.connect()
            for number in range(10):
                first.publish(topic, said(number))
            first.wait(1.0)
            first.abandon()
            assert first.counts.kept >= 3
        lost = False
        with KeepFile(tmp_path / "kept") as file, sender(login, pilot, Receipts(patience=QUICK, file=file)) as second:
            second.publish(topic, said(10))
            second.flush(patience_s=10)
            assert second.counts.former == first.counts.kept
            assert second.counts.receipted == first.counts.kept + 1
            assert file.shelf(f"{pilot}/c").former() == []
    assert sorted(found["values"]["n"] for found in platform.documents("readings")) == list(range(11))
    assert sorted(seq for _, seq in platform.stored) == [1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert platform.differing == []


def test_a_broker_that_is_killed_loses_nothing_of_a_sender_with_receipts(own_broker: Mosquitto, pilot: str) -> None:
    topic = f"pilots/{pilot}/s1/readings"
    login, ended = let_in(own_broker, pilot, "s1"), threading.Event()
    with receipting(own_broker, pilot, "s1") as platform, sender(login, pilot, patience_s=None) as one:

        def send() -> None:
            number = 0
            while not ended.is_set():
                one.publish(topic, said(number))
                number += 1
                time.sleep(0.001)
            one.flush(patience_s=30)

        sending = threading.Thread(target=send, daemon=True)
        sending.start()
        for _ in range(3):
            time.sleep(0.5)
            platform.leave()
            time.sleep(0.4)
            own_broker.kill()
            own_broker.start()
            platform.come_back()
            assert within(20, lambda count=one.counts.receipted: one.counts.receipted > count)  # type: ignore[misc]
        ended.set()
        sending.join(60)
        assert not sending.is_alive()
        assert one.counts.kept == 0
        assert one.counts.resent > 10  # the broker did lose some, which it had acknowledged
        assert one.counts.receipted == one.sent == len(platform.stored)
    assert [found["values"]["n"] for found in platform.documents("readings")] == list(range(one.sent))


def test_a_credential_that_may_not_hear_is_one_clear_error(broker: Mosquitto, pilot: str) -> None:
    login = let_in(broker, pilot, "s1")
    other = Sender(login, Receipts(), name="x", slot_topic=f"pilots/{pilot}/s2")
    with pytest.raises(SubscriptionRefused, match=f"does not let '{login.username}' hear 'pilots/{pilot}/s2/receipt'"):
        other.connect()
        other.wait(5.0)
    other.abandon()

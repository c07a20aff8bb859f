"""What a sender keeps until its receipt: under any order of losses, duplicates, late and reordered receipts."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.errors import EnvironmentProblem
from simulators.encoding.native import numbered
from simulators.receipts.keeping import Keeping, Number, Patience
from simulators.receipts.receipt import Receipt, read_receipt
from simulators.receipts.shelf import KeepFile, Message

PATIENCE = Patience(missing_s=3.0, silent_s=10.0, longest_s=40.0)


MOST_TOLD = 2


def receipt_of(boot: str, stored: Iterable[Number], through: int | None = None) -> Receipt | None:
    """What a platform says that has these messages: a simple model, number by number, that tells of the newest holes only."""
    have = {seq for of, seq in stored if of == boot and (through is None or seq <= through)}
    if not have:
        return None
    missing = [(seq, seq) for seq in range(1, max(have) + 1) if seq not in have]
    told = missing[-MOST_TOLD:]
    first = 1 if told == missing else missing[-MOST_TOLD - 1][1] + 1
    return Receipt(boot=boot, first=first, through=max(have), missing=tuple(told))


class Sending(RuleBasedStateMachine):
    """One sender over several lives, a network that loses and repeats and reorders, and a platform."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.lives = 1
        self.keeping: Keeping[str] = Keeping("1", limit=12, patience=PATIENCE)
        self.sent: dict[Number, str] = {}
        self.wire: list[Number] = []
        self.stored: set[Number] = set()
        self.receipts: list[Receipt] = []
        self.covered: set[Number] = set()

    @rule()
    def send(self) -> None:
        assert self.keeping.full == (len(self.keeping) >= 12)
        if not self.keeping.full:
            number = self.keeping.next_number
            self.sent[number] = f"message {number}"
            self.keeping.keep(self.sent[number], self.now)
            self.wire.append(number)

    @precondition(lambda self: self.wire)
    @rule(data=st.data(), fate=st.sampled_from(["arrives", "arrives twice", "is lost"]))
    def message(self, data: st.DataObject, fate: str) -> None:
        place = data.draw(st.integers(0, len(self.wire) - 1))
        number = self.wire[place] if fate == "arrives twice" else self.wire.pop(place)
        if fate != "is lost":
            self.stored.add(number)

    @rule()
    def broker_is_killed(self) -> None:
        self.wire.clear()
        self.receipts.clear()
        self.keeping.ask_soon(self.now)

    @precondition(lambda self: self.stored)
    @rule(data=st.data(), through=st.none() | st.integers(1, 20))
    def platform_receipts(self, data: st.DataObject, through: int | None) -> None:
        boot = data.draw(st.sampled_from(sorted({number.boot for number in self.stored})))
        receipt = receipt_of(boot, self.stored, through)
        if receipt is not None:
            self.receipts.append(receipt)

    @precondition(lambda self: self.receipts)
    @rule(data=st.data(), fate=st.sampled_from(["arrives", "arrives and comes again", "is lost"]))
    def receipt(self, data: st.DataObject, fate: str) -> None:
        place = data.draw(st.integers(0, len(self.receipts) - 1))
        receipt = self.receipts[place]
        if fate != "arrives and comes again":
            self.receipts.pop(place)
        if fate != "is lost":
            self.hear(receipt)

    @rule(seconds=st.sampled_from([0.5, 4.0, 30.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.send_again()

    @rule()
    def restart(self) -> None:
        former = sorted((number, self.sent[number]) for number in self.keeping)
        self.lives += 1
        self.keeping = Keeping(str(self.lives), limit=12, patience=PATIENCE, former=former)

    def hear(self, receipt: Receipt) -> None:
        known = {number for number in self.sent if number.boot == receipt.boot and receipt.covers(number.seq)}
        assert set(self.keeping.take(receipt, self.now)) == known - self.covered
        self.covered |= known

    def send_again(self) -> None:
        for number in self.keeping.due(self.now):
            assert self.keeping.again(number, self.now) == self.sent[number]
            self.wire.append(number)

    @invariant()
    def kept_is_what_is_not_covered(self) -> None:
        kept = list(self.keeping)
        assert set(kept) == set(self.sent) - self.covered
        assert len(kept) == len(self.keeping)
        assert self.covered <= self.stored

    def teardown(self) -> None:
        """Nothing is lost from now on: everything comes to be covered, though receipts come after arrivals only."""
        for _ in range(200):
            arrived, self.wire = self.wire, []
            self.stored.update(arrived)
            for boot in {number.boot for number in arrived}:
                receipt = receipt_of(boot, self.stored)
                assert receipt is not None
                self.hear(receipt)
            if not len(self.keeping):
                break
            self.now += 5.0
            self.send_again()
        assert set(self.sent) == self.covered
        assert list(self.keeping) == []


TestSending = Sending.TestCase
TestSending.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def filled(count: int, now: float = 0.0) -> Keeping[str]:
    keeping: Keeping[str] = Keeping("b", limit=1000)
    for seq in range(1, count + 1):
        keeping.keep(f"m{seq}", now)
    return keeping


def repeated(keeping: Keeping[str], start: int, end: int, step: int = 1) -> list[tuple[int, int]]:
    """At which second which number was sent again."""
    found = []
    for now in range(start, end, step):
        for number in keeping.due(now):
            keeping.again(number, now)
            found.append((now, number.seq))
    return found


def test_in_silence_the_newest_message_alone_is_sent_again_ever_more_rarely() -> None:
    found = repeated(filled(500), 0, 3600)
    assert found[:5] == [(10, 500), (30, 500), (70, 500), (150, 500), (310, 500)]
    assert {seq for _, seq in found} == {500}
    assert len(found) <= 16


def test_what_is_missing_is_sent_again_after_some_seconds_and_then_ever_more_rarely() -> None:
    keeping = filled(10)
    keeping.take(Receipt(boot="b", first=1, through=10, missing=((4, 5),)), now=1.0)
    assert repeated(keeping, 1, 60) == [(4, 4), (4, 5), (10, 4), (10, 5), (22, 4), (22, 5), (46, 4), (46, 5)]


def test_what_a_late_collector_commits_in_between_is_not_sent_again() -> None:
    keeping = filled(10)
    keeping.take(Receipt(boot="b", first=1, through=10, missing=((4, 5),)), now=1.0)
    assert keeping.due(3.9) == []
    keeping.take(Receipt(boot="b", first=1, through=10), now=3.9)
    assert (len(keeping), repeated(keeping, 4, 1000)) == (0, [])


def test_an_answer_to_the_newest_shows_the_lost_ones() -> None:
    keeping = filled(5)
    assert repeated(keeping, 0, 11) == [(10, 5)]
    keeping.take(Receipt(boot="b", first=1, through=5, missing=((1, 4),)), now=11.0)
    assert repeated(keeping, 11, 15) == [(14, 1), (14, 2), (14, 3), (14, 4)]


def test_a_new_connection_asks_soon() -> None:
    keeping = filled(3)
    assert repeated(keeping, 0, 400)[-1] == (310, 3)
    keeping.ask_soon(400.0)
    assert repeated(keeping, 400, 410) == [(403, 3), (409, 3)]


def test_a_receipt_of_older_messages_ends_the_growing_intervals() -> None:
    keeping = filled(3)
    assert repeated(keeping, 0, 100) == [(10, 3), (30, 3), (70, 3)]
    keeping.take(Receipt(boot="b", first=1, through=2), now=100.0)
    assert repeated(keeping, 100, 130) == [(100, 3), (120, 3)]


def test_numbers_of_which_a_receipt_does_not_speak_stay_and_are_sent_again_rarely() -> None:
    keeping = filled(6)
    covered = keeping.take(Receipt(boot="b", first=4, through=6, missing=((5, 5),)), now=0.0)
    assert covered == [Number("b", 4), Number("b", 6)]
    assert [seq for at, seq in repeated(keeping, 0, 299)] == [5] * 6
    assert {seq for _, seq in repeated(keeping, 299, 302)} == {1, 2, 3}
    assert keeping.take(Receipt(boot="b", first=1, through=6, missing=((1, 2),)), now=310.0) == [
        Number("b", 3),
        Number("b", 5),
    ]
    assert repeated(keeping, 310, 315) == [(313, 1), (313, 2)]


def test_a_receipt_of_another_numbering_covers_nothing() -> None:
    keeping = filled(4)
    for boot in ("a", "", None):
        assert keeping.take(Receipt(boot=boot, first=1, through=9), now=0.0) == []
    assert len(keeping) == 4


@given(
    first=st.integers(0, 6), through=st.integers(0, 20), missing=st.sets(st.integers(0, 20)), seq=st.integers(-1, 22)
)
def test_a_receipt_covers_what_it_says_number_by_number(first: int, through: int, missing: set[int], seq: int) -> None:
    receipt = Receipt(
        boot="b", first=first, through=through, missing=tuple((number, number) for number in sorted(missing))
    )
    assert receipt.covers(seq) == (first <= seq <= through and seq not in missing)


def test_a_receipt_is_read() -> None:
    text = '{"boot": "7", "first": 1, "through": 9, "missing": [[2, 3], [5, 5]], "stored": 6, "at": "2026-03-01T00:00:00Z"}'
    assert read_receipt(text.encode()) == Receipt(boot="7", first=1, through=9, missing=((2, 3), (5, 5)))
    assert read_receipt(b'{"boot":null,"first":4,"through":9,"missing":[]}').boot is None


@pytest.mark.parametrize(
    "changed",
    [
        {"first": "1"}, {"first": None}, {"through": 1.0}, {"through": True}, {"missing": None}, {"missing": [[1]]},
        {"missing": [[3, 2]]}, {"missing": [[5, 6], [1, 2]]}, {"missing": [[1, 8], [3, 4]]}, {"missing": ["12"]}, {"boot": 7},
    ],
)  # fmt: skip
def test_half_a_receipt_is_none(changed: dict[str, object]) -> None:
    whole: dict[str, object] = {"boot": "b", "first": 1, "through": 9, "missing": []}
    assert read_receipt(json.dumps(whole).encode()).covers(9)
    with pytest.raises(ValueError, match=r"."):
        read_receipt(json.dumps(whole | changed).encode())


@given(payload=st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_anything_else_is_no_receipt(payload: bytes) -> None:
    with contextlib.suppress(ValueError):
        read_receipt(payload)
        raise AssertionError(payload)


def test_a_message_carries_its_number() -> None:
    assert json.loads(numbered(b'{"ts":1,"values":{"a":2.5}}', "b", 3)) == {
        "seq": 3,
        "boot": "b",
        "ts": 1,
        "values": {"a": 2.5},
    }


def test_what_is_on_a_shelf_outlives_its_sender(tmp_path: Path) -> None:
    file = tmp_path / "kept.db"
    messages = {
        Number(boot, seq): Message(topic=f"t{seq}", payload=b"\x00" * seq) for boot in "ba" for seq in (1, 2, 10)
    }
    with KeepFile(file) as opened:
        shelf, other = opened.shelf("p/c1"), opened.shelf("p/c2")
        for number, message in messages.items():
            shelf.put(number, message)
        other.put(Number("a", 1), Message(topic="other", payload=b"x"))
        shelf.drop([Number("a", 2), Number("b", 1)])
        del messages[Number("a", 2)], messages[Number("b", 1)]
    with KeepFile(file) as opened:
        assert opened.shelf("p/c1").former() == sorted(messages.items())
        assert [number for number, _ in opened.shelf("p/c2").former()] == [Number("a", 1)]


def test_a_file_is_one_process_own(tmp_path: Path) -> None:
    with (
        KeepFile(tmp_path / "kept.db"),
        pytest.raises(EnvironmentProblem, match=r"kept\.db cannot keep messages .*locked"),
    ):
        KeepFile(tmp_path / "kept.db")
    (tmp_path / "other").write_text("no database, and long enough to be seen as none " * 10)
    for path in (tmp_path / "other", tmp_path / "no" / "folder.db"):
        with pytest.raises(EnvironmentProblem, match=r"cannot keep messages"):
            KeepFile(path)

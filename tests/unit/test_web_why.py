"""Why is my data not here? The whole decision table, the order of its rules, and its words."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.why import Cause, Code, Denial, Facts, Trouble, cause_of
from dashboards.why_words import GONE, TOLD, told
from dashboards.wording import Wording
from devices import journal
from ingest.reasons import REASONS

NOW = datetime(2026, 6, 15, 3, 0, tzinfo=UTC)
SEOUL = ZoneInfo("Asia/Seoul")


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def facts(**given: Any) -> Facts:
    return Facts(now=NOW, silence_s=900.0, **given)


def denied(minutes: float, topic: str = "t", n: int = 3) -> Denial:
    return Denial(last_at=ago(minutes), n=n, topic=topic)


CONNECTED = {"connected_at": ago(600)}
HEARD = {**CONNECTED, "message_at": ago(1)}
ARRIVING = {**HEARD, "heard_at": ago(1), "stored_at": ago(1)}
OLD = {**CONNECTED, "message_at": ago(120), "heard_at": ago(120), "stored_at": ago(120)}
"""It came until two hours ago."""

TABLE: list[tuple[str, Facts, Code]] = [
    ("the credential is withdrawn, whatever else", facts(withdrawn_at=ago(5), **ARRIVING), "withdrawn"),
    ("nobody was ever seen under this name", facts(), "never_connected"),
    ("nobody reads the broker's log: nothing can be said of it", facts(broker_read=False), "never_heard"),
    ("never seen, but somebody was not let in just now", facts(stranger=denied(3, "")), "not_let_in_unattributed"),
    ("never seen; somebody was not let in long ago", facts(stranger=denied(90, "")), "never_connected"),
    ("it went away, and somebody is not let in since", facts(stranger=denied(3, ""), gone_at=ago(100), **OLD),
     "not_let_in_unattributed"),
    ("somebody was not let in before it went away", facts(stranger=denied(30, ""), **{**OLD, "gone_at": ago(20)}), "gone"),
    ("its password was renewed, and it has not come since", facts(issued_at=ago(110), gone_at=ago(110), gone_why="cut_off",
                                                                  **OLD), "secret_renewed"),
    ("its password was renewed, and it came with the new one", facts(issued_at=ago(700), **ARRIVING), "arriving"),
    ("its password was renewed while nobody read the broker's log", facts(issued_at=ago(110), gone_at=ago(110), **HEARD),
     "nothing_for_slot"),
    ("never seen under its name, but somebody sends on its topics", facts(denied_unattributed=denied(3)), "denied_unattributed"),
    ("a stranger does not matter to who is connected", facts(stranger=denied(3, ""), **ARRIVING), "arriving"),
    ("a wrong password, never let in", facts(not_let_in=denied(2, "")), "not_let_in"),
    ("a wrong password since it last was there", facts(not_let_in=denied(2, ""), gone_at=ago(100), **OLD), "not_let_in"),
    ("a wrong password, and let in since", facts(not_let_in=denied(700, ""), **CONNECTED), "connected_silent"),
    ("a wrong password of another, while it is connected", facts(not_let_in=denied(2, ""), **OLD), "connected_silent"),
    ("connected, and all it sends goes to a topic not its own", facts(denied=denied(1), **CONNECTED), "denied_topic"),
    ("it came until it changed its topic", facts(denied=denied(1), **OLD), "denied_topic"),
    ("denied before the last value: not why none came since", facts(denied=denied(200), **OLD), "connected_silent"),
    ("denied, and messages went on coming", facts(denied=denied(30), quarantined=Trouble(at=ago(1), reason="not_json"),
                                                 **HEARD), "all_quarantined"),
    ("larger than the broker takes", facts(too_large=denied(1, ""), **CONNECTED), "too_large"),
    ("denied on its topics, of nobody known", facts(denied_unattributed=denied(1), **CONNECTED), "denied_unattributed"),
    ("its own denial is told before nobody's", facts(denied_unattributed=denied(1), denied=denied(2), **CONNECTED),
     "denied_topic"),
    ("our collector stands still", facts(platform_away_since=ago(20), **OLD), "platform_away"),
    ("our collector stands still, its last value is fresh", facts(platform_away_since=ago(2), **ARRIVING), "arriving"),
    ("a wrong password is not our collector's fault", facts(platform_away_since=ago(20), not_let_in=denied(2, "")),
     "not_let_in"),
    ("connected, and never sent anything", facts(**CONNECTED), "connected_silent"),
    ("connected, and sends nothing any more", facts(**OLD), "connected_silent"),
    ("it went away", facts(gone_at=ago(100), gone_why="timed_out", **OLD), "gone"),
    ("it went away and came back, and sends nothing", facts(**{**OLD, "connected_at": ago(50)}, gone_at=ago(100)),
     "connected_silent"),
    ("silent, and nobody reads the broker's log", facts(broker_read=False, message_at=ago(120), stored_at=ago(120)), "silent"),
    ("loaded, never heard", facts(stored_at=ago(3000)), "silent"),
    ("every message is set aside", facts(quarantined=Trouble(at=ago(1), reason="not_json"), **HEARD), "all_quarantined"),
    ("set aside since its program was changed", facts(quarantined=Trouble(at=ago(1), reason="bad_shape"), message_at=ago(1),
                                                     heard_at=ago(120), stored_at=ago(120), **CONNECTED), "all_quarantined"),
    ("set aside once, its values refused since", facts(quarantined=Trouble(at=ago(60), reason="not_json"),
                                                      rejected=Trouble(at=ago(1), reason="in_future"), heard_at=ago(1),
                                                      **HEARD), "all_rejected"),
    ("every value is refused", facts(rejected=Trouble(at=ago(1), reason="in_future"), heard_at=ago(1), **HEARD),
     "all_rejected"),
    ("messages come, none for this slot", facts(**HEARD), "nothing_for_slot"),
    ("the same values again and again", facts(message_at=ago(1), heard_at=ago(1), stored_at=ago(120), **CONNECTED),
     "nothing_for_slot"),
    ("its clock is wrong", facts(clock_off_s=-90.0, **ARRIVING), "clock"),
    ("a clock says nothing of what does not come", facts(clock_off_s=90.0, **OLD), "connected_silent"),
    ("it arrives, some is refused", facts(rejected=Trouble(at=ago(2), reason="no_value"), **ARRIVING), "arriving_partly"),
    ("it arrives, something else is denied", facts(denied=denied(2), **ARRIVING), "arriving_partly"),
    ("it arrives; what was refused was long ago", facts(rejected=Trouble(at=ago(200), reason="no_value"), **ARRIVING),
     "arriving"),
    ("it arrives", facts(**ARRIVING), "arriving"),
    ("it arrives, though it has gone since", facts(gone_at=ago(0.5), gone_why="left", **ARRIVING), "arriving"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "known", "code"), TABLE, ids=[case for case, _, _ in TABLE])
def test_the_most_probable_cause(case: str, known: Facts, code: Code) -> None:
    assert cause_of(known).code == code


def test_every_cause_is_in_the_table() -> None:
    assert {code for _, _, code in TABLE} == set(get_args(Code)) == set(TOLD)


# Each rule with facts that make it hold alone; put together, the first one is the answer.
ORDER: list[tuple[Code, dict[str, Any]]] = [
    ("withdrawn", {"withdrawn_at": ago(5)}),
    ("not_let_in", {"not_let_in": denied(2, "")}),
    ("secret_renewed", {"issued_at": ago(95)}),
    ("denied_topic", {"denied": denied(2)}),
    ("too_large", {"too_large": denied(2, "")}),
    ("platform_away", {"platform_away_since": ago(30)}),
    ("gone", {"gone_at": ago(90), "gone_why": "closed"}),
]


@pytest.mark.parametrize(("first", "second"), [(a, b) for a, b in product(range(len(ORDER)), repeat=2) if a < b])
def test_the_rules_are_asked_in_their_order(first: int, second: int) -> None:
    old = {"connected_at": ago(600), "gone_at": ago(90), "message_at": ago(120), "stored_at": ago(120)}
    known = facts(**{**old, **ORDER[second][1], **ORDER[first][1]})
    assert cause_of(known).code == ORDER[first][0]


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_cause_is_told_with_a_next_step(language: str) -> None:
    words = Wording(language=language)
    for case, known, code in TABLE:
        answer = told(cause_of(known), words, SEOUL, REASONS)
        assert answer.code == code and answer.sentence and "%(" not in answer.sentence + answer.step, case
        assert answer.step or code == "arriving", case
        assert bool(re.search("[가-힣]", answer.sentence + answer.step)) == (language == "ko"), (case, answer)
        assert answer.mark and answer.tone in ("good", "watch", "bad", "open", "none")


def test_a_sentence_names_the_time_the_count_the_topic_and_the_reason() -> None:
    words = Wording(language="ko")
    topic = told(cause_of(facts(denied=denied(1, "pilots/a/b", 1234), **CONNECTED)), words, SEOUL, REASONS)
    assert "pilots/a/b" in topic.sentence and "1,234회" in topic.sentence and "6. 15.(월) 11:59" in topic.sentence
    assert "성공으로 응답" in topic.sentence
    held = told(cause_of(facts(quarantined=Trouble(at=ago(1), reason="not_json"), **HEARD)), words, SEOUL, REASONS)
    assert "JSON 형식이 아님" in held.sentence and REASONS["not_json"].step_ko in held.step and "보관되어" in held.step
    empty = told(cause_of(facts(quarantined=Trouble(at=ago(1), reason="empty"), **HEARD)), words, SEOUL, REASONS)
    assert "고치면 다시 처리" not in empty.step
    gone = told(cause_of(facts(gone_at=ago(100), gone_why="taken_over", **OLD)), words, SEOUL, REASONS)
    assert GONE["taken_over"] in gone.sentence
    fast = told(Cause(code="clock", values={"off_s": -90.0}), words, SEOUL, REASONS)
    slow = told(Cause(code="clock", values={"off_s": 90.0}), words, SEOUL, REASONS)
    assert "시계가 1분 30초 빠름" in fast.sentence and "1분 30초 느리거나" in slow.sentence


def test_every_word_of_the_journal_for_going_has_ours() -> None:
    assert set(get_args(journal.Why)) == set(GONE)


instants = st.none() | st.integers(0, 5000).map(lambda minutes: ago(minutes))
denials = st.none() | st.builds(Denial, last_at=instants.filter(bool), n=st.integers(1, 9), topic=st.just("t"))
troubles = st.none() | st.builds(Trouble, at=instants.filter(bool), reason=st.sampled_from(sorted(REASONS)))
anything = st.builds(
    Facts, now=st.just(NOW), silence_s=st.floats(60, 90_000), withdrawn_at=instants, issued_at=instants,
    broker_read=st.booleans(),
    connected_at=instants, gone_at=instants, gone_why=st.sampled_from([*GONE, ""]), not_let_in=denials, stranger=denials,
    denied=denials, denied_unattributed=denials, too_large=denials, platform_away_since=instants, message_at=instants,
    heard_at=instants, stored_at=instants, quarantined=troubles, rejected=troubles, clock_off_s=st.none() | st.floats(-1e6, 1e6),
)  # fmt: skip


@given(anything)
def test_whatever_is_known_there_is_one_answer_that_can_be_told(known: Facts) -> None:
    cause = cause_of(known)
    for language in ("ko", "en"):
        answer = told(cause, Wording(language=language), SEOUL, REASONS)
        assert answer.sentence and "%(" not in answer.sentence
    assert (answer.tone == "good") == (cause.code == "arriving")
    if cause.code in ("arriving", "arriving_partly", "clock"):
        assert known.arriving and known.withdrawn_at is None
    # Nobody is told that values arrive where none has come for longer than silence is called silence.
    silent = replace(known, stored_at=None)
    assert cause_of(silent).code not in ("arriving", "arriving_partly")

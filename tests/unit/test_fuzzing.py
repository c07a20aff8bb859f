"""Recorded messages, damaged: no crash, and each ends as exactly one thing. ``python -m tests.fuzzing`` runs more of them."""

from __future__ import annotations

from collections import Counter

from ingest.reasons import REASONS
from tests.fuzzing.__main__ import run


def test_every_damaged_message_is_accounted_for() -> None:
    outcome, _ = run(30_000, seed=20_260_601)
    assert outcome.messages == outcome.ends.total() == 30_000
    assert set(outcome.ends) == {
        "taken", "taken in part", "rejected", "quarantined", "withdrawn", "remembered", "released"
    }  # fmt: skip
    assert min(outcome.ends[end] for end in ("taken", "rejected", "quarantined")) > 500, (
        "the damage is neither all nor none"
    )
    assert outcome.items["numbers"] > 1_000
    # Everything that a decoder can find fault with was found: the damage reaches every corner.
    rare = {"bad_quality", "not_a_single_value", "inflated_too_large", "too_many"}  # in one recorded message each
    assert set(REASONS) - set(outcome.reasons) <= {"refused_by_store", "decoder_failed", "after_pilot"} | rare


def test_the_same_seed_damages_in_the_same_way() -> None:
    first, second = run(600, seed=7), run(600, seed=7)
    assert (first[0].ends, first[0].reasons) == (second[0].ends, second[0].reasons) != (Counter(), Counter())

"""The closed list of reasons."""

from __future__ import annotations

import re

import pytest

from ingest import reasons
from ingest.reasons import REASONS


def test_every_constant_is_in_the_list_and_nothing_else() -> None:
    named = {value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str)}
    assert named == set(REASONS)


@pytest.mark.parametrize("code", REASONS)
def test_each_says_in_both_languages_what_it_is_and_what_to_do(code: str) -> None:
    reason = REASONS[code]
    for text in (reason.ko, reason.step_ko):
        assert re.search(r"[가-힣]", text) and text.endswith(".")
    for text in (reason.en, reason.step_en):
        assert re.search(r"[A-Za-z]", text) and not re.search(r"[가-힣]", text) and text.endswith(".")

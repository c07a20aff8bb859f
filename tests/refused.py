"""Plans that are refused: what is told of each."""

from __future__ import annotations

import pytest

from devices.plan.problem import PlanProblems, Problem
from devices.plan.reader import read_plan


def problems_of(text: str | bytes, *replacements: tuple[str, str]) -> list[Problem]:
    """What is told of a plan that is not taken.

    :param replacements: each (old, new) is made once before it is read; ``old`` must be there.
    """
    for old, new in replacements:
        assert isinstance(text, str) and old in text, old
        text = text.replace(old, new, 1)
    with pytest.raises(PlanProblems) as caught:
        read_plan(text if isinstance(text, bytes) else text.encode())
    return list(caught.value.problems)

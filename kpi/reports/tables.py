"""Tables of an annex as ready texts: their columns, their rows, what stands instead of none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from core.language import N_
from kpi.reports.words import Words

_MOST_ROWS: Final = 40


def columns(
    *names: str, wide: Sequence[int] | Mapping[int, float] = (), right: Sequence[int] = ()
) -> list[dict[str, Any]]:
    """The columns of a table.

    :param wide: those that share what is left of the width, equally or by weights.
    :param right: those of numbers.
    """
    weights = wide if isinstance(wide, Mapping) else dict.fromkeys(wide, 1.0)
    return [
        {"name": name, "wide": weights.get(place, 0.0), "right": place in right} for place, name in enumerate(names)
    ]


def table(
    heading: str, names: list[dict[str, Any]], rows: list[list[Any]], words: Words, notes: Sequence[str] = ()
) -> dict[str, Any]:
    """A table, or what stands instead of one without rows; a long one is cut, and says so.

    A cell is a text, or a state as :meth:`Words.state` gives it.
    """
    notes = list(notes)
    if len(rows) > _MOST_ROWS:
        notes.insert(0, words.say(N_("처음 %(shown)d건만 실음. 모두 %(n)d건."), shown=_MOST_ROWS, n=len(rows)))
    return {
        "heading": heading,
        "columns": names,
        "rows": rows[:_MOST_ROWS],
        "none": words.say(N_("없음")),
        "notes": notes,
    }

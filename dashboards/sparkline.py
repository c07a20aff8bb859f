"""A small line without axes: how a value went. A hole in the values is a hole in the line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_MARGIN: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparkline:
    """Points ready for SVG, and the same in words."""

    runs: tuple[str, ...]
    last: tuple[float, float] | None
    target: float | None
    said: str


def sparkline(
    values: Sequence[float | None], target: float | None, said: str, *, width: int = 88, height: int = 26
) -> Sparkline:
    """Values at equal distances, scaled together with the target.

    >>> sparkline([1.0, None, 2.0, 3.0], 2.0, "", width=38, height=18).runs
    ('4.0,14.0', '24.0,9.0 34.0,4.0')
    """
    known = [value for value in values if value is not None]
    ends = known + ([] if target is None else [target])
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    room = high - low or 1.0

    def y(value: float) -> float:
        return round(height - _MARGIN - (value - low) / room * (height - 2 * _MARGIN), 1)

    step = (width - 2 * _MARGIN) / max(1, len(values) - 1)
    runs: list[list[tuple[float, float]]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((round(_MARGIN + index * step, 1), y(value)))
    drawn = [run for run in runs if run]
    return Sparkline(
        runs=tuple(" ".join(f"{x},{at}" for x, at in run) for run in drawn),
        last=drawn[-1][-1] if drawn else None,
        target=None if target is None else y(target),
        said=said,
    )

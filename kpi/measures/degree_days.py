"""Energy and weather: a day's energy by how far its temperature lay below one base and above another. Pure.

Model: y = b₀ + b_h·max(base_h − T, 0) + b_c·max(T − base_c, 0), by ordinary least squares on the baseline's days; a term whose
coefficient is not positive is no heating or cooling and is left out, the best adjusted R² is taken. Base temperatures that are
not given are searched in steps of half a degree. How sure the prediction is comes from residuals that hang together within a
week (cluster-robust covariance), for hot weeks are hot day after day.

:source: CalTRACK 2.0, section 3 (daily methods: candidate models, coefficients that must not be negative, adjusted R²); ASHRAE
   Guideline 14-2014, 4.3.2.1 (CV(RMSE) of a whole-building baseline: 25 % where 12 to 60 months are compared); IPMVP, Uncertainty
   Assessment (2019) (R² 0.75 as a rule of thumb); Liang and Zeger, Biometrika 73 (1986) 13.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_HEATING = np.arange(5.0, 25.01, 0.5)
_COOLING = np.arange(10.0, 30.01, 0.5)
_LEAST_DAYS = 5
"""Days that must lie beyond a base for its term to be known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DegreeDayModel:
    """A fitted model; a base that is None has no term."""

    heating: float | None
    cooling: float | None
    coefficients: tuple[float, ...]
    """The base load, then by a degree below ``heating``, then by a degree above ``cooling``."""
    covariance: tuple[tuple[float, ...], ...]
    n: int
    weeks: int
    cv_rmse: float
    r2: float

    def predicted(self, temperature: Floats) -> Floats:
        """A day's energy at a mean temperature, in °C."""
        return np.asarray(self._design(temperature) @ np.array(self.coefficients), dtype=np.float64)

    def variance_of_mean(self, temperature: Floats) -> float:
        """How far the mean of the predictions may be off, by the coefficients' own uncertainty."""
        mean = self._design(temperature).mean(axis=0)
        return float(mean @ np.array(self.covariance) @ mean)

    @property
    def freedom(self) -> int:
        return max(self.weeks - len(self.coefficients), 1)

    def _design(self, temperature: Floats) -> Floats:
        return _design(temperature, self.heating, self.cooling)


def fitted(
    temperature: Floats, energy: Floats, weeks: Sequence[object], bases: tuple[float | None, float | None] | None
) -> DegreeDayModel | None:
    """The model of a baseline's days; None where there are too few of them, or no energy.

    :param temperature: the mean of each day, in °C.
    :param weeks: to which week each day belongs.
    :param bases: of heating and cooling, in °C; None: searched.

    A building that takes 10 kWh a day, and 2 more for each degree below 18 °C:

    >>> outside = np.array([-5.0, 0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0] * 10)
    >>> found = fitted(outside, 10 + 2 * np.maximum(18 - outside, 0), [i // 7 for i in range(80)], (18.0, 24.0))
    >>> [round(c, 9) for c in found.coefficients], found.cooling, round(found.r2, 9)
    ([10.0, 2.0], None, 1.0)
    """
    if len(energy) < 4 * _LEAST_DAYS or float(energy.mean()) == 0:
        return None
    candidates = _given(temperature, bases) if bases is not None else _searched(temperature, energy)
    best: tuple[float, float | None, float | None] | None = None
    for heating, cooling in candidates:
        adjusted = _adjusted(temperature, energy, heating, cooling)
        if adjusted is not None and (best is None or adjusted > best[0] + 1e-12):
            best = adjusted, heating, cooling
    assert best is not None  # the mean alone always fits
    return _model(temperature, energy, weeks, best[1], best[2])


Bases = tuple[float | None, float | None]


def _given(temperature: Floats, bases: Bases) -> list[Bases]:
    heating, cooling = bases
    found: list[Bases] = [(None, None)]
    if heating is not None and (temperature < heating).sum() >= _LEAST_DAYS:
        found.append((heating, None))
    if cooling is not None and (temperature > cooling).sum() >= _LEAST_DAYS:
        found += [(one, cooling) for one, _ in list(found)]
    return found


def _searched(temperature: Floats, energy: Floats) -> list[Bases]:
    """The best of each kind of model."""
    heating = [base for base in _HEATING.tolist() if (temperature < base).sum() >= _LEAST_DAYS]
    cooling = [base for base in _COOLING.tolist() if (temperature > base).sum() >= _LEAST_DAYS]
    kinds: list[list[Bases]] = [
        [(base, None) for base in heating],
        [(None, base) for base in cooling],
        [(low, high) for low in heating for high in cooling if low <= high],
    ]
    found: list[Bases] = [(None, None)]
    for kind in kinds:
        scored = [(score, bases) for bases in kind if (score := _adjusted(temperature, energy, *bases)) is not None]
        if scored:
            found.append(max(scored, key=lambda one: one[0])[1])
    return found


def _design(temperature: Floats, heating: float | None, cooling: float | None) -> Floats:
    columns = [np.ones(len(temperature))]
    if heating is not None:
        columns.append(np.maximum(heating - temperature, 0.0))
    if cooling is not None:
        columns.append(np.maximum(temperature - cooling, 0.0))
    return np.stack(columns, axis=1)


def _solved(temperature: Floats, energy: Floats, bases: Bases) -> tuple[Floats, Floats, float]:
    """Coefficients, residuals, and R²."""
    design = _design(temperature, *bases)
    coefficients = np.asarray(np.linalg.lstsq(design, energy, rcond=None)[0], dtype=np.float64)
    rest = energy - design @ coefficients
    whole = float(((energy - energy.mean()) ** 2).sum())
    return coefficients, rest, 1.0 - float(rest @ rest) / whole if whole > 0 else 0.0


def _adjusted(temperature: Floats, energy: Floats, heating: float | None, cooling: float | None) -> float | None:
    """The adjusted R² of a model; None where a term of it would cool below its base, or heat above it."""
    coefficients, _, r2 = _solved(temperature, energy, (heating, cooling))
    if (coefficients[1:] <= 0).any():
        return None
    n, terms = len(energy), len(coefficients)
    return 1.0 - (1.0 - r2) * (n - 1) / (n - terms)


def _model(
    temperature: Floats, energy: Floats, weeks: Sequence[object], heating: float | None, cooling: float | None
) -> DegreeDayModel:
    coefficients, rest, r2 = _solved(temperature, energy, (heating, cooling))
    design = _design(temperature, heating, cooling)
    n, terms = design.shape
    inverse = np.linalg.pinv(design.T @ design)
    sums: dict[object, Floats] = {}
    for week, row, residual in zip(weeks, design, rest, strict=True):
        sums[week] = sums.get(week, np.zeros(terms)) + row * residual
    several = len(sums)
    middle = sum((np.outer(one, one) for one in sums.values()), np.zeros((terms, terms)))
    scale = several / max(several - 1, 1) * (n - 1) / (n - terms)
    covariance = scale * inverse @ middle @ inverse
    return DegreeDayModel(
        heating=heating,
        cooling=cooling,
        coefficients=tuple(coefficients.tolist()),
        covariance=tuple(tuple(row) for row in covariance.tolist()),
        n=n,
        weeks=several,
        cv_rmse=math.sqrt(float(rest @ rest) / (n - terms)) / float(energy.mean()),
        r2=r2,
    )

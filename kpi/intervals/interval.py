"""The record of an interval."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Two one-sided bounds of a value, each missed with probability ``alpha`` at most.

    The two together are an interval of confidence 1 − 2·alpha.
    """

    low: float
    high: float
    alpha: float
    method: str
    """``clopper_pearson``, ``effective_sample``, ``weekly_means``, ``weekly_shares``, ``poisson``, ``dispersed``,
    ``chi_square``, ``student_t``, ``weekly_gamma``, ``weekly_jackknife``, ``weekly_drift``,
    ``trials_t``, ``trials_gamma``, ``fisher_z`` or ``mover``."""
    size: float
    """What it rests on: trials, effective trials, events, weeks, or slots."""

"""Confidence intervals: what chance alone may have done. Each bound is one-sided at ``alpha``."""

from __future__ import annotations

from kpi.intervals.binomial import clopper_pearson, wilson
from kpi.intervals.blocks import MIN_BLOCKS, Block, mean_interval, share_interval
from kpi.intervals.clusters import Effective, effective_sample
from kpi.intervals.dispersion import Dispersion, clustered_mean, dispersion
from kpi.intervals.interval import Interval
from kpi.intervals.poisson import poisson_mean

__all__ = [
    "MIN_BLOCKS",
    "Block",
    "Dispersion",
    "Effective",
    "Interval",
    "clopper_pearson",
    "clustered_mean",
    "dispersion",
    "effective_sample",
    "mean_interval",
    "poisson_mean",
    "share_interval",
    "wilson",
]

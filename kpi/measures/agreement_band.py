"""How far a reference that is off by its expanded uncertainty moves what pairs with it come to.

What an agreement measures is the channel's own deviation, so its own uncertainty has no part in it; the reference's has. Its
error is systematic: it may point the same way in every pair, and is never divided by √n. So what moves least favourably is taken
pair by pair: by U(r) each difference, by x/r · U(r)/r each relative error (to the first order, as JCGM 100:2008, 5.1.2). r² is
the same whatever factor or offset a reference is off by. A drift is off by both of its ends, in quadrature.
"""

from __future__ import annotations

import math

import numpy as np

from core.units import conversion
from devices.plan.agreement_measures import Agreement
from devices.plan.instrument import Widest
from kpi.measurement import Floats, Pairs


def agreement_band(of: Agreement, unit: str, pairs: Pairs | None, band: Widest) -> float:
    """In the unit of the value.

    :param unit: the channel's, in which the pairs are.

    >>> from devices.plan.instrument import Band
    >>> from kpi.measures.pairs import made_part, together
    >>> pairs = together([made_part([22.0, 36.0], [20.0, 40.0])])
    >>> by = lambda stat: Agreement.model_validate(
    ...     {"channel": "x", "reference": {"slot": "r", "channel": "x"}, "average": "1 h", "stat": stat})
    >>> ten = Widest(bands=(Band(absolute=0.0, relative=0.1, unit="ug/m^3"),))
    >>> [round(agreement_band(by(stat), "ug/m^3", pairs, ten), 3) for stat in ("bias", "mae", "p95", "relative_error", "r2")]
    [3.0, 3.0, 4.0, 10.0, 0.0]
    """
    if pairs is None or not len(pairs.reference) or of.stat == "r2":
        return 0.0
    each = uncertainties(pairs.reference, unit, band)
    if of.in_percent:
        moved = _relative(pairs, each)
        return moved * math.sqrt(2) if of.stat == "drift" else moved
    if of.stat == "rmse":
        return math.sqrt(_mean(each**2, pairs))
    if of.stat.startswith("p"):
        return float(each.max())
    return _mean(each, pairs) * (math.sqrt(2) if of.stat == "drift" else 1.0)


def uncertainties(values: Floats, unit: str, band: Widest) -> Floats:
    """The expanded uncertainty of each value, in ``unit``: the widest of the bands."""
    found = np.zeros(len(values))
    for one in band.bands:
        there, back = conversion(unit, one.unit), conversion(one.unit, unit)
        told = values * there.scale + there.offset if unit != one.unit else values
        found = np.maximum(found, (one.absolute + one.relative * np.abs(told)) * abs(back.scale))
    return found


def _relative(pairs: Pairs, each: Floats) -> float:
    share = each / np.abs(pairs.reference)
    return 100 * _mean(np.abs(pairs.channel / pairs.reference) * share, pairs)


def _mean(values: Floats, pairs: Pairs) -> float:
    return math.fsum((values * pairs.weight).tolist()) / math.fsum(pairs.weight.tolist())

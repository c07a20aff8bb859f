"""All that looks at how readings come and where they lead: frame numbers, delays, forecasts, shares of an exposure."""

from __future__ import annotations

from kpi.inputs.gather_delay import DelayGatherer
from kpi.inputs.gather_exposure import ExposureGatherer
from kpi.inputs.gather_forecast import ForecastGatherer
from kpi.inputs.gather_sequence import SequenceGatherer


class ReadingsGatherer(SequenceGatherer, DelayGatherer, ForecastGatherer, ExposureGatherer):
    """One method for each of them."""

"""Charts as pure functions: records in, one Vega-Lite specification out, drawn alike on pages and in documents."""

from kpi.charts.records import Band, Line, Series, Step, Trend, TrendPoint
from kpi.charts.render import embed_options, font_files, svg
from kpi.charts.series import channel_series
from kpi.charts.trend import trend

__all__ = [
    "Band",
    "Line",
    "Series",
    "Step",
    "Trend",
    "TrendPoint",
    "channel_series",
    "embed_options",
    "font_files",
    "svg",
    "trend",
]

"""Planning help: what a plan's targets, decisions and samples mean before anything is measured. Pure; needs the plan alone.

For each KPI the chance of *met*, *open* and *not met* for a product somewhat better than, at, and somewhat worse than its target,
by the same code that decides later: summed exactly where the sample is a number of independent events, else from seeded
simulations. And warnings where a target cannot be shown at all, or an instrument's uncertainty swallows what is to be shown.
"""

from __future__ import annotations

from kpi.planning.outlook import Caution, Chances, Level, Outlook, Planning, cautions, planning
from kpi.planning.texts import assumptions, plain, told, warnings

__all__ = [
    "Caution",
    "Chances",
    "Level",
    "Outlook",
    "Planning",
    "assumptions",
    "cautions",
    "plain",
    "planning",
    "told",
    "warnings",
]

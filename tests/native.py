"""The demo's sites as they would speak in native JSON: what the tests of the native encoder and of the commands send."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from simulators.demo import DAYS_BEHIND, moved

_PLANS = Path(__file__).parent / "plans"


def native_plan(site: str, today: date) -> str:
    """The plan file of ``native-air`` or ``native-robot``, begun as long ago as the demo's."""
    text = (_PLANS / f"native-{site}.yaml").read_text(encoding="utf-8")
    return moved(text, today - timedelta(days=DAYS_BEHIND))

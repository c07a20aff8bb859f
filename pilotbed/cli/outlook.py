"""What ``pilotbed plan check`` says of a valid plan: the chances of its KPIs, and what it should be warned of."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from core.language import with_unit
from core.numbers import printed

if TYPE_CHECKING:  # imported where they are needed, so that --help is there at once
    from devices.plan.model import Plan
    from kpi.planning import Chances, Outlook, Planning

_HEADS = {
    "ko": ("지표", "목표", "판정규칙", "표본", "조금 나으면", "목표와 같으면", "조금 못하면"),
    "en": ("KPI", "target", "decision", "sample", "somewhat better", "at the target", "somewhat worse"),
}
_LEGEND = {
    "ko": "가능성: 달성 / 유보 / 미달성 (%)",
    "en": "chances: met / open / not met (%)",
}


def looked_at(plan: Plan, language: str) -> Planning:
    """The planning help of a plan, with a progress bar where somebody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    from kpi.planning import planning

    label = "판정 가능성 계산" if language == "ko" else "reckoning the chances"
    bar = Progress(
        TextColumn(label), BarColumn(), TextColumn("{task.description}"), console=Console(stderr=True), transient=True
    )
    if not sys.stderr.isatty():
        return planning(plan)
    with bar:
        task = bar.add_task("", total=len(plan.kpis))
        return planning(plan, lambda name: bar.update(task, advance=1, description=name))


def unreckoned(plan: Plan) -> Planning:
    """What a plan as a whole should be warned of, without the chances of its KPIs."""
    from kpi.planning import Planning, cautions

    return Planning(outlooks=(), warnings=cautions(plan))


def plain(found: Planning) -> dict[str, Any]:
    """As JSON: the chances of each KPI, and every warning once more in one list."""
    from kpi.planning import plain as of
    from kpi.planning import warnings

    return {"warnings": warnings(found), "planning": of(found)}


def show(found: Planning, language: str) -> None:
    """Print the chances, what they take for granted, and the warnings."""
    from kpi.planning import assumptions, told
    from pilotbed.cli.tables import columns
    from pilotbed.cli.tables import show as show_tables

    if found.outlooks:
        table = columns(*_HEADS[language])
        for one in found.outlooks:
            table.add_row(*_row(one, language))
        show_tables(table)
        print(_LEGEND[language])
    for one in found.outlooks:
        if one.assumed:
            print(f"· {_name(one)}: {'가정' if language == 'ko' else 'assuming'} {assumptions(one, language)}")
    mark = "주의" if language == "ko" else "warning"
    for one in found.outlooks:
        for caution in one.warnings:
            print(f"{mark}: {_name(one)}: {told(caution, language, one)}")
    for caution in found.warnings:
        print(f"{mark}: {told(caution, language)}")


def _name(one: Outlook) -> str:
    return one.id if one.part is None else f"{one.id}[{one.part}]"


def _row(one: Outlook, language: str) -> list[str]:
    levels = {level.name: level for level in one.levels}
    sample = "–" if one.n is None else printed(round(one.n), "건")
    if one.n is not None and ("hours_alike" in one.assumed or one.asked.kpi.measure.kind == "mtbf"):
        sample = with_unit(sample, "h", language)
    cells = []
    for name in ("better", "at", "worse"):
        level = levels.get(name)
        if level is None:
            cells.append("–")
            continue
        value = with_unit(printed(level.value, one.unit), one.unit, language)
        cells.append(f"{value}: {_shares(level.chances)}")
    decision = f"{one.asked.kpi.scope}, {one.asked.kpi.rule}"
    return [_name(one), one.asked.target.shown(language), decision, sample, *cells]


def _shares(chances: Chances) -> str:
    return " / ".join(f"{100 * share:.0f}" for share in (chances.met, chances.open, chances.not_met))

"""The gallery as a page: each example's KPI as the plan has it, what its site sent, the answer, and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from core.database import Connection
from core.files import write_whole
from core.language import STATES, with_unit
from core.numbers import printed, printed_interval
from core.window import months
from devices.plan.target import parse_bounds
from kpi.charts import svg, trend
from kpi.evaluate import evaluate
from kpi.reports.annex_view import trend_record
from kpi.reports.gather import opinion_data
from kpi.reports.words import Numbers, Words
from kpi.results import newest, store
from pilotbed.gallery.run import WHO, Ran

_HEAD: Final = """# KPI 사례집 · The gallery

카탈로그의 지표마다 계획서 하나와, 현장이 보낸 모의 자료, 손으로 계산한 답이 있습니다.
`pilotbed gallery`가 모두 다시 판정해 답과 견줍니다.

One plan for each KPI of the catalogue, with what its site sent (simulated) and the answer as it was worked out by hand.
`pilotbed gallery` judges all of them again and compares; `pilotbed gallery 13 16` only some; `-o DIR` writes this page.
The plans are in `examples/plans/catalogue/`, what the sites sent in `simulators/gallery/`.
"""


def write_page(pictured: Sequence[tuple[Ran, bytes]], folder: Path) -> Path:
    """Write ``gallery.md`` and its pictures.

    :param pictured: each with its picture as SVG.
    :returns: the page.
    """
    parts = [_HEAD]
    for ran, picture in pictured:
        name = f"pictures/gallery/{ran.example.name}.svg"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_whole(folder / name, picture)
        parts.append(section(ran, name))
    page = folder / "gallery.md"
    write_whole(page, "\n".join(parts).encode())
    return page


def section(ran: Ran, picture: str) -> str:
    """One example, from its number to its picture."""
    text = ran.example.path.read_text(encoding="utf-8")
    answer, plan = ran.example.answer, ran.example.plan.plan
    said = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# ")]
    number, _, _ = ran.example.name.partition("-")
    kpi = plan.kpis[answer.kpi]
    state = STATES[ran.entry["verdict"]]
    return "\n".join(
        [
            f"## {int(number)}. {kpi.name} · {ran.example.name.partition('-')[2].replace('-', ' ')}",
            *(f"{line}  " for line in said),
            "",
            "```yaml",
            *_kpis(text),
            "```",
            f"**{_result(ran)}: {state.mark} {state.word('ko')} · {state.word('en').lower()}** — {answer.ko} · {answer.en}  ",
            ran.entry["why"]["ko"],
            "",
            f"![{kpi.name}]({picture})",
            f"[{ran.example.path.name}](../examples/plans/catalogue/{ran.example.path.name})",
            "",
        ]
    )


def _kpis(text: str) -> list[str]:
    """The KPIs as they stand in the file."""
    lines = text.splitlines()
    first = lines.index("kpis:")
    rest = [place for place, line in enumerate(lines) if place > first and line and line[0] not in " #"]
    return lines[first : rest[0] if rest else len(lines)]


def _result(ran: Ran) -> str:
    entry = ran.entry
    if entry["value"] is None:
        return "값 없음 · no value"
    target = parse_bounds(entry["target"]["text"])
    shown = with_unit(printed(entry["value"], entry["unit"], target.to(entry["unit"])), entry["unit"], "ko")
    interval = entry["interval"] or {}
    if interval.get("low") is None or interval.get("high") is None or interval["low"] == interval["high"]:
        return shown
    return f"{shown} ({printed_interval(interval['low'], interval['high'], entry['unit'])})"


def picture(connection: Connection, ran: Ran) -> bytes:
    """The KPI from month to month against its target, as an opinion has it.

    The months are judged for it, up to the end of what the final evaluation is about.
    """
    plan = ran.example.plan.plan
    months_over = list(months(plan.period.start, plan.evaluation.data_until))
    for month in months_over:
        store(connection, evaluate(connection, plan.pilot, month=month), who=WHO)
    last = newest(connection, plan.pilot, "month", months_over[-1])
    assert last is not None
    kpi = next(one for one in opinion_data(connection, last).kpis if one.id == ran.example.answer.kpi)
    numbers = Numbers.of(kpi, Words(language="ko", zone=ZoneInfo(plan.period.timezone)))
    title = f"{kpi.name}: {_result(ran)}, {STATES[ran.entry['verdict']].word('ko')}"
    return svg(trend(trend_record(kpi, title, numbers), language="ko", width=560, height=120))

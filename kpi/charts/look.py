"""What all charts look like: colours that colour-blind people and a photocopier tell apart, sizes, axis labels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

import altair as alt

from kpi.charts.records import Line

# Okabe and Ito, "Color Universal Design" (2008).
BLACK = "#000000"
ORANGE = "#E69F00"
SKY_BLUE = "#56B4E9"
BLUISH_GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILLION = "#D55E00"
REDDISH_PURPLE = "#CC79A7"

TEXT = "#1e2124"
SECONDARY = "#464c53"
LINE = "#cdd1d5"
GREY = "#8a949e"

_BREAKING = re.compile("[^\t\n\r\x20-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

WEB_FONT = "Pretendard GOV, Pretendard, NanumGothic, sans-serif"
_LABEL_PX = 13
"""The height of a label on a line."""

DOCUMENT_FONT = "NanumGothic, DejaVu Sans Mono"


def config() -> dict[str, Any]:
    """The Vega-Lite configuration of every chart, but for its font: a page and a document have different ones."""
    label = {"labelColor": SECONDARY, "titleColor": SECONDARY, "labelFontSize": 11, "titleFontSize": 11}
    return {
        "view": {"stroke": None},
        "title": {
            "anchor": "start",
            "frame": "bounds",
            "fontSize": 13,
            "fontWeight": 600,
            "color": TEXT,
            "offset": 12,
            "lineHeight": 18,
        },
        "axis": {**label, "domainColor": GREY, "tickColor": GREY, "gridColor": "#e6e8ea", "titleFontWeight": 400},
        "legend": {**label, "orient": "bottom", "title": None, "symbolStrokeWidth": 2, "padding": 0, "offset": 6},
    }


def axis_title() -> dict[str, Any]:
    """Where the vertical axis has its title: lying above it, because Korean does not read well on its side."""
    return {"titleAngle": 0, "titleAlign": "left", "titleBaseline": "bottom", "titleX": 0, "titleY": -10}


def drawn_from(rows: list[dict[str, Any]]) -> alt.Chart:
    """A chart of plain rows, which it carries in its specification."""
    return alt.Chart(alt.InlineData(values=rows))


def rimmed(chart: alt.Chart, colour: str, **text: Any) -> Iterator[alt.Chart]:
    """Text with a white rim, so that it reads on lines and grounds."""
    yield chart.mark_text(**text, color="white", stroke="white", strokeWidth=3)
    yield chart.mark_text(**text, color=colour)


def horizontal(lines: tuple[Line, ...]) -> Iterator[alt.Chart]:
    """Layers of the horizontal lines with their labels."""
    for line in lines:
        drawn = drawn_from([{"value": line.value, "label": line.label}]).encode(y="value:Q")
        colour = SECONDARY if line.former else VERMILLION
        dash = [2, 3] if line.former else [8, 3]
        yield drawn.mark_rule(color=colour, strokeWidth=1.2 if line.former else 1.5, strokeDash=dash)
        if not line.label:
            continue
        end = alt.value(0) if line.former else alt.value("width")
        named = drawn_from([{"label": line.label}]).encode(x=end, text="label:N")
        side = {"align": "left", "dx": 4} if line.former else {"align": "right", "dx": -4}
        place = {**side, "baseline": "bottom", "y": alt.ExprRef(_label_y(line))}
        yield from rimmed(named, colour, fontSize=11, fontWeight=600, **place)


def _label_y(line: Line) -> str:
    """Where a label's lower edge lies: on its side of the line, on the other one where the plot has no room there."""
    at = f"scale('y', {line.value!r})"
    above, below = f"max({at} - 4, {_LABEL_PX})", f"min({at} + {_LABEL_PX + 4}, height - 2)"
    if line.below:
        return f"{at} + {_LABEL_PX + 6} <= height ? {below} : {above}"
    return f"{at} >= {_LABEL_PX + 6} ? {above} : {below}"


def finished(
    chart: alt.LayerChart | alt.FacetChart, sentence: str, *, width: int | Literal["container"], height: int
) -> dict[str, Any]:
    """The specification of a chart with its size, its title and the common looks."""
    made = chart.properties(width=width, height=height, title=wrapped(sentence, 88), description=sentence)
    specification: dict[str, Any] = clean({**made.to_dict(), "config": config()})
    return specification


def clean(value: Any) -> Any:
    """A specification without characters that break its drawing.

    On one that XML cannot hold vl-convert aborts the whole process; a line separator (U+2028) ends an expression early.
    """
    match value:
        case str():
            return _BREAKING.sub(" ", value)
        case dict():
            return {key: clean(item) for key, item in value.items()}
        case list() | tuple():
            return [clean(item) for item in value]
        case _:
            return value


def columns(text: str) -> int:
    """How wide a text is in Latin letters: a Korean one takes two."""
    return sum(2 if ord(character) >= 0x1100 else 1 for character in text)


def wrapped(sentence: str, most: int) -> list[str]:
    """A title's lines, broken at blanks but for those after a digit.

    >>> wrapped("5월 가동률은 99.6 %이며, 목표(99 % 이상)를 충족합니다.", 40)
    ['5월 가동률은 99.6 %이며, 목표(99 %', '이상)를 충족합니다.']
    """
    lines, width = [""], 0
    for word in re.split(r"(?<!\d) ", sentence):
        needed = columns(word)
        if lines[-1] and width + 1 + needed > most:
            lines.append(word)
            width = needed
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
            width += needed + 1
    return lines

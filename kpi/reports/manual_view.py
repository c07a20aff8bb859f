"""수기 관측값 in a document: what people entered, unaltered, with who and when, and the document's hash."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import Any

from core.language import N_, with_unit
from core.numbers import MISSING, printed, written
from core.window import Window
from kpi.reports.manual_row import ManualRow
from kpi.reports.tables import columns, table
from kpi.reports.words import Words


def manual_table(rows: Sequence[ManualRow], words: Words) -> dict[str, Any]:
    """The table of an annex."""
    say = words.say
    names = columns(
        say(N_("번호")), say(N_("항목")), say(N_("기간")), say(N_("값")), say(N_("측정한 사람")), say(N_("입력한 사람과 때")),
        say(N_("증빙 문서(SHA-256)")), wide={1: 1.2, 2: 1.5, 3: 1.4, 4: 1.0, 5: 1.4, 6: 1.8},
    )  # fmt: skip
    cells = [
        [
            str(one.number),
            f"{one.name} ({one.place})" if one.place else one.name,
            _when(one, words),
            _value(one, words),
            one.measured_by,
            f"{one.recorded_by}, {words.time(one.recorded_at)}",
            f"{one.document} ({one.sha256[:16]}…)",
        ]
        for one in rows
    ]
    notes = [say(N_("사람이 입력한 것을 그대로 실음. 플랫폼은 누가 언제 입력했는지와 문서의 해시값만 보증함."))]
    return table(say(N_("수기 관측값")), names, cells, words, notes)


def _when(one: ManualRow, words: Words) -> str:
    """Days where it goes from one midnight to another, else instants."""
    if one.start == one.end:
        return words.time(one.start)
    if all(end.astimezone(words.zone).timetz().replace(tzinfo=None) == time.min for end in (one.start, one.end)):
        return words.days(Window(start=one.start, end=one.end))
    return f"{words.time(one.start)} ~ {words.time(one.end)}"


def _value(one: ManualRow, words: Words) -> str:
    text = with_unit(printed(one.value, one.unit), one.unit, words.language)
    if one.exposure is not None and one.exposure_unit is not None:
        text += f" / {with_unit(printed(one.exposure, one.exposure_unit), one.exposure_unit, words.language)}"
    if one.n is not None:
        spread = MISSING if one.sd is None else written(float(f"{one.sd:.4g}"))
        text += words.say(N_(" (응답 %(n)s개, 표준편차 %(sd)s)"), n=f"{one.n:,}", sd=spread)
    return f"{text}: {one.note}" if one.note else text

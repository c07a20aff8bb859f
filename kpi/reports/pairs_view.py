"""The pairs behind a detection in a document: what was missed and what was false before what was matched."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from core.language import N_, time_text
from core.numbers import MISSING, printed
from kpi.reports.pairs_record import Pairs
from kpi.reports.tables import columns, table
from kpi.reports.words import Words

WORDS: Final = {"matched": N_("탐지"), "missed": N_("미탐지"), "false_alarm": N_("오경보")}


def pairs_table(pairs: Pairs, words: Words) -> dict[str, Any]:
    """The table of an annex."""
    say = words.say
    names = columns(
        say(N_("결과")), say(N_("설치 지점")), say(N_("정답")), say(N_("경보")), say(N_("경보까지")),
        wide={0: 0.8, 1: 1.0, 2: 1.8, 3: 1.8}, right=(4,),
    )  # fmt: skip
    ordered = sorted(pairs.rows, key=lambda row: (row["outcome"] == "matched", row["at"], row["slot"]))
    rows = [
        [
            say(WORDS[row["outcome"]]),
            row["slot"],
            _mark(row["label_at"], row["label"], words),
            _mark(row["alert_at"], row["alert"], words),
            MISSING if row["after_s"] is None else f"{printed(row['after_s'], 's')} s",
        ]
        for row in ordered
    ]
    notes = [say(N_("미탐지와 오경보를 먼저 실음. 전체 %(n)d건의 SHA-256: %(sha)s"), n=pairs.n, sha=pairs.sha256)]
    if pairs.doubled:
        text = N_("두 사람이 붙인 라벨 %(n)d건 가운데 %(differ)d건이 엇갈림(코헨의 카파 %(kappa)s)")
        kappa = MISSING if pairs.kappa is None else f"{pairs.kappa:.2f}"
        notes.append(say(text, n=pairs.doubled, differ=pairs.disagreed, kappa=kappa))
    return table(say(N_("경보와 정답의 대조")), names, rows, words, notes)


def _mark(at: str | None, ids: list[str], words: Words) -> str:
    if at is None:
        return MISSING
    return f"{time_text(datetime.fromisoformat(at), words.zone, words.language, seconds=True)} ({', '.join(ids)})"

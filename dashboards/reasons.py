"""Why something was refused, in words: what happened, what became of the data, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from dashboards.wording import Wording
from kpi.reports.reasons import reason_text


class ReasonText(Protocol):
    """A reason of the intake's closed list, as whoever puts the process together hands it in."""

    @property
    def ko(self) -> str: ...
    @property
    def en(self) -> str: ...
    @property
    def step_ko(self) -> str: ...
    @property
    def step_en(self) -> str: ...
    @property
    def curable(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why something was refused, and what its sender can do."""

    short: str
    sentence: str
    step: str
    curable: bool


def why_of(code: str, reasons: Mapping[str, ReasonText], words: Wording) -> Why:
    """The words of a reason; a code that nobody has words for is shown as it is."""
    known = reasons.get(code)
    short = reason_text(code, words.language)
    if known is None:
        return Why(short=short, sentence="", step="", curable=False)
    korean = words.language == "ko"
    sentence = known.ko if korean else known.en
    if short == code:  # without few words of its own, its sentence says it
        short, sentence = sentence.removesuffix("."), ""
    return Why(
        short=short,
        sentence=sentence,
        step=known.step_ko if korean else known.step_en,
        curable=known.curable,
    )

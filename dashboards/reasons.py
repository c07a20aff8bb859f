"""Why something was refused, in words: what happened, what became of the data, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from core.language import N_, translator
from dashboards.wording import Wording
from kpi.reports.reasons import reason_text

_OTHER: Mapping[str, str] = MappingProxyType(
    {
        "beyond_quota": N_("하루 보관 한도를 넘음(수와 해시값만 보관)"),
        "denied": N_("허용되지 않은 토픽"),
        "not_let_in": N_("사용자 이름 또는 비밀번호가 맞지 않음"),
    }
)
"""What the accounting and the broker call things, beside the intake's closed list."""


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


def few_words(code: str, language: str) -> str:
    """A reason in few words: of a refusal, of a message set aside, of what the broker did not take."""
    return translator(language)(_OTHER[code]) if code in _OTHER else reason_text(code, language)


def why_of(code: str, reasons: Mapping[str, ReasonText], words: Wording) -> Why:
    """The words of a reason; a code that nobody has words for is shown as it is."""
    known = reasons.get(code)
    short = few_words(code, words.language)
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

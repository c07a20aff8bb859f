"""Between versions."""

from __future__ import annotations

from typing import Final

RULES: Final[dict[str, tuple[str, str]]] = {
    "pilot-name": ("a plan keeps its pilot's name ({before})", "과제 이름({before})은 바꿀 수 없습니다"),
    "unit-changed": (
        "a channel's canonical unit never changes ({before}): give the new one another name",
        "항목의 기준 단위({before})는 바꿀 수 없습니다: 새 항목을 만드십시오",
    ),
    "states-changed": (
        "states are only added at the end: readings keep their numbers ({before})",
        "상태는 끝에만 추가할 수 있습니다: 기존 상태 {before}",
    ),
    "simulated-changed": (
        "simulated ({before}) never changes: real and simulated data do not mix in one pilot",
        "simulated({before})는 바꿀 수 없습니다: 실제 자료와 모의 자료는 섞을 수 없습니다",
    ),
    "amendment-needed": (
        "this is a change of the agreement: it needs an amendment: entry of its own (parties, reason, date)",
        "협약변경 사항입니다: 새 amendment(당사자, 사유, 일자)가 필요합니다",
    ),
    "window-seen": (
        "the evaluation of {date} is past: what was judged there does not change any more",
        "{date} 평가일이 지났습니다: 이미 판정한 내용은 바꿀 수 없습니다",
    ),
    "date-seen": (
        "an evaluation date that is past ({date}) stays, and none is added to the past",
        "지난 평가일({date})은 바꾸거나 새로 넣을 수 없습니다",
    ),
    "start-seen": (
        "the period has begun ({date}): its start stays",
        "기간이 이미 시작되었습니다({date}): 시작일은 바꿀 수 없습니다",
    ),
}

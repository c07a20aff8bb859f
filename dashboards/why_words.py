"""The words in which a cause is told: a mark, a sentence, the next step. The rules stand in :mod:`dashboards.why`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from core.language import N_
from dashboards.reasons import ReasonText, why_of
from dashboards.why import Cause, Code
from dashboards.wording import Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How a cause is told: its mark, and the words of its sentence and step, with places for the values."""

    tone: str
    mark: str
    sentence: str
    step: str


TOLD: Final[Mapping[Code, Told]] = MappingProxyType(
    {
        "withdrawn": Told(
            tone="bad", mark="✕",
            sentence=N_("이 통신 연결의 접속 권한은 %(at)s에 회수되었습니다. 그 뒤로는 접속할 수 없습니다."),
            step=N_("다시 보내야 한다면 사업단에 새 접속 정보를 청하십시오(pilotbed device credentials)."),
        ),
        "never_connected": Told(
            tone="none", mark="–",
            sentence=N_("이 사용자 이름으로 브로커에 접속한 적이 없습니다."),
            step=N_("장비의 브로커 주소와 포트, 사용자 이름, 인터넷 연결을 확인하십시오."),
        ),
        "never_heard": Told(
            tone="none", mark="–",
            sentence=N_("아직 아무 메시지도 오지 않았습니다."),
            step=N_("장비의 브로커 주소와 포트, 사용자 이름, 비밀번호를 확인하고 시험 메시지를 하나 보내십시오."),
        ),
        "not_let_in": Told(
            tone="bad", mark="✕",
            sentence=N_(
                "장비가 접속하지 못했습니다. 사용자 이름은 있으나 비밀번호가 맞지 않습니다(마지막 시도 %(at)s, "
                "%(n)s회)."
            ),
            step=N_(
                "장비의 비밀번호를 다시 넣으십시오. 잃어버렸다면 새로 발급하십시오. 옛 비밀번호는 그때 끝납니다."
            ),
        ),
        "not_let_in_unattributed": Told(
            tone="bad", mark="✕",
            sentence=N_(
                "장비가 접속해 있지 않습니다. %(at)s에 누구의 것인지 브로커가 알려 주지 않는 접속이 거부되었으니, "
                "이 장비일 수 있습니다."
            ),
            step=N_(
                "장비에 넣은 사용자 이름과 비밀번호가 발급받은 것과 글자 하나까지 같은지 확인하십시오. "
                "비밀번호를 잃어버렸다면 새로 발급하십시오."
            ),
        ),
        "secret_renewed": Told(
            tone="bad", mark="✕",
            sentence=N_("비밀번호가 %(at)s에 새로 발급되어 옛 비밀번호가 끝났고, 그 뒤로 장비가 접속하지 않았습니다."),
            step=N_("장비에 새 비밀번호를 넣으십시오. 잃어버렸다면 다시 발급하십시오."),
        ),
        "denied_topic": Told(
            tone="bad", mark="✕",
            sentence=N_(
                "장비가 허용되지 않은 토픽으로 보내어 브로커가 버렸습니다: %(where)s (마지막 %(at)s, %(n)s회). "
                "MQTT 3.1.1에서는 거부된 발행도 성공으로 응답하므로 장비는 알 수 없습니다."
            ),
            step=N_(
                "장비가 보내는 토픽을 이 설치 지점에 허용된 토픽과 맞추십시오. 버려진 것은 보관되지 않으므로 다시 보내야 "
                "합니다."
            ),
        ),
        "denied_unattributed": Told(
            tone="watch", mark="▲",
            sentence=N_(
                "이 설치 지점의 토픽으로 온 것을 브로커가 버렸으나, 누가 보냈는지는 알려 주지 않습니다: %(where)s "
                "(마지막 %(at)s, %(n)s회)."
            ),
            step=N_(
                "장비가 이 설치 지점의 접속 정보로 접속하는지 확인하십시오. 다른 설치 지점의 것으로는 여기에 보낼 "
                "수 없습니다."
            ),
        ),
        "too_large": Told(
            tone="bad", mark="✕",
            sentence=N_("장비가 브로커가 받는 것보다 큰 메시지를 보내어 버려졌습니다(마지막 %(at)s, %(n)s회)."),
            step=N_("측정값을 여러 메시지로 나누어 보내십시오."),
        ),
        "platform_away": Told(
            tone="open", mark="◐",
            sentence=N_("%(since)s부터 플랫폼의 수집기가 멈춰 있습니다. 장비의 잘못이 아닙니다."),
            step=N_(
                "기다리십시오. QoS 1로 보낸 것은 브로커가 보관하며, 수집기가 돌아오면 저장됩니다. 이 시간은 "
                "참여기업에 셈하지 않습니다."
            ),
        ),
        "connected_silent": Told(
            tone="bad", mark="✕",
            sentence=N_("장비는 %(at)s부터 접속해 있으나 보내는 것이 없습니다(마지막 메시지 %(since)s)."),
            step=N_("장비의 측정 프로그램이 도는지, 보내는 함수가 실제로 불리는지 확인하십시오."),
        ),
        "gone": Told(
            tone="bad", mark="✕",
            sentence=N_("장비의 접속이 %(at)s에 끝났고, 다시 접속하지 않았습니다. 사유: %(gone)s."),
            step=N_("장비의 전원과 통신을 확인하십시오. 끊기면 스스로 다시 접속하도록 설정하십시오."),
        ),
        "silent": Told(
            tone="bad", mark="✕",
            sentence=N_("마지막 메시지는 %(since)s에 왔고, 그 뒤로는 아무것도 오지 않았습니다."),
            step=N_("장비의 전원과 통신을 확인하십시오."),
        ),
        "all_quarantined": Told(
            tone="bad", mark="✕",
            sentence=N_("메시지는 오지만 통째로 수신 보류되고 있습니다. 사유: %(reason)s."),
            step="",
        ),
        "all_rejected": Told(
            tone="bad", mark="✕",
            sentence=N_("메시지는 오지만 값이 거부되고 있습니다. 사유: %(reason)s."),
            step="",
        ),
        "nothing_for_slot": Told(
            tone="bad", mark="✕",
            sentence=N_(
                "통신 연결로 메시지는 오지만(마지막 %(at)s), 이 설치 지점의 값은 새로 저장되지 않습니다(마지막 "
                "저장 %(since)s)."
            ),
            step=N_(
                "장비가 이 설치 지점의 값을 보내는지, 계획서의 select와 source가 메시지의 이름과 같은지 "
                "확인하십시오. 같은 시각의 값을 되풀이해 보내면 중복으로 셈하고 저장하지 않습니다."
            ),
        ),
        "clock": Told(
            tone="watch", mark="▲",
            sentence=N_("값은 도착하지만 장비의 시각이 수신 시각과 다릅니다: %(off)s."),
            step=N_(
                "장비의 시계를 맞추십시오(NTP). 시계가 없는 장비라면 계획서의 통신 연결에 clock: false를 "
                "적으십시오."
            ),
        ),
        "arriving_partly": Told(
            tone="watch", mark="▲",
            sentence=N_(
                "값이 도착하고 있습니다. 다만 일부는 받아들이지 못했습니다(마지막 %(at)s). 사유: %(reason)s."
            ),
            step="",
        ),
        "arriving": Told(
            tone="good", mark="✓",
            sentence=N_("값이 도착하고 있습니다(마지막 저장 %(at)s)."),
            step="",
        ),
    }
)  # fmt: skip
"""Where the step is empty it is the reason's own."""

GONE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "left": N_("장비가 스스로 접속을 끝냄"),
        "closed": N_("인사 없이 연결이 닫힘(전원, 통신, 프로그램 중단)"),
        "timed_out": N_("약속한 시간(keep-alive) 안에 아무 신호가 없음"),
        "taken_over": N_("같은 사용자 이름으로 다른 곳에서 접속함"),
        "cut_off": N_("권한이 바뀌어 플랫폼이 끊음"),
        "too_large": N_("브로커가 받는 것보다 큰 메시지를 보냄"),
        "faulty": N_("MQTT 형식에 맞지 않는 것을 보냄"),
        "broker_stopped": N_("브로커가 멈추거나 다시 시작됨"),
        "other": N_("그 밖의 통신 오류"),
    }
)
"""Why a connection ended, by the code of ``devices.journal.Why``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Why the data of a slot are not here, or that they are."""

    code: Code
    tone: str
    mark: str
    sentence: str
    step: str


def told(cause: Cause, words: Wording, zone: ZoneInfo, reasons: Mapping[str, ReasonText]) -> Answer:
    """A cause in the words of a language."""
    known = TOLD[cause.code]
    step = words.say(known.step) if known.step else ""
    reason = cause.values.get("reason")
    if not step and reason is not None:
        why = why_of(reason, reasons, words)
        step = why.step or words.say(N_("아래의 근거를 보십시오."))
        if cause.code == "all_quarantined" and why.curable:
            step = f"{step} {words.say(N_('보낸 내용은 보관되어 있으며, 고치면 다시 처리됩니다.'))}"
    return Answer(
        code=cause.code,
        tone=known.tone,
        mark=known.mark,
        sentence=words.say(known.sentence, **_shown(cause, words, zone, reasons)),
        step=step,
    )


def _shown(cause: Cause, words: Wording, zone: ZoneInfo, reasons: Mapping[str, ReasonText]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for key, value in cause.values.items():
        match key, value:
            case "topic", _:
                shown["where"] = value or words.say(N_("여러 토픽"))
            case (("at" | "since"), None):
                shown[key] = words.say("아직 없음")
            case (("at" | "since"), datetime()):
                shown[key] = words.time(value, zone)
            case "reason", _:
                shown[key] = why_of(value, reasons, words).short
            case "gone", _:
                shown[key] = words.say(GONE.get(value, GONE["other"]))
            case "n", _:
                shown[key] = words.count(value)
            case "off_s", _:
                length = words.duration(abs(value))
                ahead = value < 0
                said = (
                    N_("시계가 %(length)s 빠름")
                    if ahead
                    else N_("시계가 %(length)s 느리거나, 값을 늘 그만큼 늦게 보냄")
                )
                shown["off"] = words.say(said, length=length)
            case _:
                shown[key] = value
    return {"at": "", **shown}

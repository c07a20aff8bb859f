"""Why a message was set aside or an item of it refused: a closed list, each with a sentence and the next step.

A *message* reason sets the whole message aside (수신 보류, quarantine): it is kept raw and can be replayed. An *item* reason
refuses one reading, event or status of a message whose others are taken; the item is kept with its value. Reasons that a
correction of the plan can cure are marked: a message of which nothing at all was usable, for such reasons only, is set aside
whole, so that it can be replayed after the correction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason, in the two languages, with what the reader can do about it."""

    code: str
    ko: str
    en: str
    step_ko: str
    step_en: str
    curable: bool = False
    """Whether a correction of the plan can make the same message usable."""


NOT_JSON: Final = "not_json"
EMPTY: Final = "empty"
TOO_LARGE: Final = "too_large"
TOO_DEEP: Final = "too_deep"
BAD_SHAPE: Final = "bad_shape"
NO_BINDING: Final = "no_binding"
NO_SLOT: Final = "no_slot"
NO_KNOWN_VALUE: Final = "no_known_value"
RATE_LIMITED: Final = "rate_limited"
TOPIC_TOO_LONG: Final = "topic_too_long"
REFUSED_BY_STORE: Final = "refused_by_store"
DECODER_FAILED: Final = "decoder_failed"
UNKNOWN_CHANNEL: Final = "unknown_channel"
UNKNOWN_STATE: Final = "unknown_state"
UNKNOWN_EVENT: Final = "unknown_event"
NO_VALUE: Final = "no_value"
NOT_A_NUMBER: Final = "not_a_number"
NOT_FINITE: Final = "not_finite"
NOT_EXACT: Final = "not_exact"
TIME_MISSING: Final = "time_missing"
TIME_UNREADABLE: Final = "time_unreadable"
IN_FUTURE: Final = "in_future"
BEFORE_PILOT: Final = "before_pilot"
AFTER_PILOT: Final = "after_pilot"
BAD_EVENT: Final = "bad_event"
BAD_STATUS: Final = "bad_status"
NUL_CHARACTER: Final = "nul_character"
REPEATED_KEY: Final = "repeated_key"
BAD_SEQUENCE: Final = "bad_sequence"
NOT_OF_PROTOCOL: Final = "not_of_protocol"
UNKNOWN_UNIT: Final = "unknown_unit"
OTHER_UNIT: Final = "other_unit"
BEFORE_BIRTH: Final = "before_birth"
UNKNOWN_ALIAS: Final = "unknown_alias"
NOT_IN_BIRTH: Final = "not_in_birth"
OTHER_TYPE: Final = "other_type"
NOT_A_SINGLE_VALUE: Final = "not_a_single_value"
BAD_QUALITY: Final = "bad_quality"
INFLATED_TOO_LARGE: Final = "inflated_too_large"
BAD_CHECKSUM: Final = "bad_checksum"
NO_FRAME: Final = "no_frame"
UNKNOWN_MESSAGE: Final = "unknown_message"
WRONG_TYPE: Final = "wrong_type"
TOO_MANY: Final = "too_many"
UNKNOWN_SOURCE: Final = "unknown_source"

_LIST: Final = (
    Reason(
        code=NOT_JSON,
        ko="메시지가 JSON 형식이 아닙니다.",
        en="The message is not JSON.",
        step_ko="장비의 전송 형식을 확인하거나 계획서의 통신 연결(protocol)을 바로잡아 주십시오.",
        step_en="Check what the device sends, or correct the connection's protocol in the plan.",
        curable=True,
    ),
    Reason(
        code=EMPTY,
        ko="메시지에 내용이 없습니다.",
        en="The message is empty.",
        step_ko="장비가 빈 메시지를 보내는 이유를 확인해 주십시오.",
        step_en="Find out why the device sends empty messages.",
    ),
    Reason(
        code=TOO_LARGE,
        ko="메시지가 허용 크기를 넘어 앞부분과 해시값만 보관했습니다.",
        en="The message is larger than allowed; its head and hash were kept.",
        step_ko="측정값을 여러 메시지로 나누어 보내 주십시오.",
        step_en="Send the readings in several messages.",
    ),
    Reason(
        code=TOO_DEEP,
        ko="메시지의 중첩이 너무 깊습니다(700단계 초과).",
        en="The message is nested too deeply (more than 700 levels).",
        step_ko="장비의 전송 형식을 확인해 주십시오.",
        step_en="Check what the device sends.",
    ),
    Reason(
        code=BAD_SHAPE,
        ko="메시지의 구조가 약속한 형식과 다릅니다.",
        en="The message is JSON, but not of the agreed shape.",
        step_ko='{"ts": …, "values": {…}} 형식으로 보내거나 계획서에 values 경로를 적어 주십시오.',
        step_en='Send {"ts": …, "values": {…}}, or name the path of the values in the plan.',
        curable=True,
    ),
    Reason(
        code=NO_BINDING,
        ko="이 토픽에 해당하는 설치 지점이나 통신 연결이 계획서에 없습니다.",
        en="No slot or connection of any plan has this topic.",
        step_ko="토픽의 과제·설치 지점 이름을 확인하거나 계획서에 등록해 주십시오.",
        step_en="Check the pilot and slot in the topic, or add them to the plan.",
        curable=True,
    ),
    Reason(
        code=NO_SLOT,
        ko="이 메시지가 어느 설치 지점의 것인지 알 수 없습니다.",
        en="The message belongs to none of the connection's slots.",
        step_ko="계획서의 select 조건과 메시지의 장비 식별자를 맞추어 주십시오.",
        step_en="Make the plan's select and the device's identity in the message agree.",
        curable=True,
    ),
    Reason(
        code=NO_KNOWN_VALUE,
        ko="메시지에 계획서의 측정 항목이 하나도 없습니다.",
        en="The message holds none of the plan's channels.",
        step_ko="계획서의 source 경로와 메시지의 항목 이름을 맞추어 주십시오.",
        step_en="Make the plan's source paths and the names in the message agree.",
        curable=True,
    ),
    Reason(
        code=RATE_LIMITED,
        ko="허용된 전송 속도를 넘어 보낸 메시지입니다.",
        en="The message came beyond its sender's rate limit.",
        step_ko="전송 주기를 늘리거나 운영자에게 한도(PILOTBED_MAX_MESSAGES_PER_SECOND)를 높여 달라고 요청해 주십시오."
        " 보관된 메시지는 다시 처리할 수 있습니다.",
        step_en="Send less often, or ask the operator for a higher limit (PILOTBED_MAX_MESSAGES_PER_SECOND). What was kept"
        " can be replayed.",
    ),
    Reason(
        code=TOPIC_TOO_LONG,
        ko="토픽 이름이 허용 길이를 넘습니다.",
        en="The topic's name is longer than allowed.",
        step_ko="장비가 쓰는 토픽 이름을 짧게 고쳐 주십시오.",
        step_en="Shorten the topic that the device publishes to.",
    ),
    Reason(
        code=REFUSED_BY_STORE,
        ko="저장소가 이 메시지의 자료를 받아들이지 않았습니다.",
        en="The store refused the data of this message.",
        step_ko="운영자에게 알려 주십시오. 원인을 고친 뒤 다시 처리할 수 있습니다.",
        step_en="Tell the operator; it can be replayed once the cause is removed.",
        curable=True,
    ),
    Reason(
        code=DECODER_FAILED,
        ko="플랫폼의 해석기가 이 메시지를 처리하지 못했습니다.",
        en="Our decoder failed on this message.",
        step_ko="플랫폼의 오류입니다. 운영자에게 알려 주십시오. 고친 뒤 다시 처리할 수 있습니다.",
        step_en="This is an error of the platform: tell the operator; it can be replayed once it is corrected.",
        curable=True,
    ),
    Reason(
        code=UNKNOWN_CHANNEL,
        ko="계획서에 없는 측정 항목입니다.",
        en="The plan has no such channel.",
        step_ko="측정 항목 이름을 확인하거나 계획서에 추가해 주십시오.",
        step_en="Check the channel's name, or add it to the plan.",
        curable=True,
    ),
    Reason(
        code=UNKNOWN_STATE,
        ko="계획서에 없는 상태값입니다.",
        en="The plan does not list this state.",
        step_ko="계획서의 states 목록을 확인해 주십시오.",
        step_en="Check the channel's states in the plan.",
        curable=True,
    ),
    Reason(
        code=UNKNOWN_EVENT,
        ko="계획서에 없는 발생 기록 종류입니다.",
        en="The plan has no such kind of event.",
        step_ko="발생 기록의 kind를 확인하거나 계획서의 events에 추가해 주십시오.",
        step_en="Check the event's kind, or add it to the slot's events in the plan.",
        curable=True,
    ),
    Reason(
        code=NO_VALUE,
        ko="값이 비어 있습니다(null).",
        en="The value is null.",
        step_ko="측정하지 못한 항목은 보내지 않거나, 센서 상태를 확인해 주십시오.",
        step_en="Leave out what was not measured, or check the sensor.",
    ),
    Reason(
        code=NOT_A_NUMBER,
        ko="숫자가 와야 할 자리에 다른 값이 있습니다.",
        en="Something else stands where a number belongs.",
        step_ko="장비가 보내는 값의 형식을 확인해 주십시오.",
        step_en="Check the form of the device's values.",
    ),
    Reason(
        code=NOT_FINITE,
        ko="유한한 숫자가 아닙니다(NaN, 무한대 또는 표현 범위 초과).",
        en="The number is not finite (NaN, infinite, or out of range).",
        step_ko="센서 고장 여부를 확인해 주십시오.",
        step_en="Check the sensor.",
    ),
    Reason(
        code=NOT_EXACT,
        ko="정수가 너무 커서 정확히 저장할 수 없습니다(2^53 초과).",
        en="The integer is too large to be stored exactly (beyond 2^53).",
        step_ko="더 큰 단위로 보내 주십시오.",
        step_en="Send it in a larger unit.",
    ),
    Reason(
        code=TIME_MISSING,
        ko="보관(retain) 메시지에 측정 시각이 없어 언제의 값인지 알 수 없습니다.",
        en="A retained message without a time of its own: nobody knows when it was.",
        step_ko="측정 시각을 넣거나 retain 없이 보내 주십시오.",
        step_en="Send it with its time, or without the retain flag.",
    ),
    Reason(
        code=TIME_UNREADABLE,
        ko="측정 시각을 읽을 수 없습니다.",
        en="The time cannot be read.",
        step_ko="계획서의 time.path, time.format, time.zone을 확인해 주십시오.",
        step_en="Check time.path, time.format and time.zone of the connection in the plan.",
        curable=True,
    ),
    Reason(
        code=IN_FUTURE,
        ko="측정 시각이 미래입니다(수신 시각보다 5분 넘게 늦음).",
        en="The time lies more than five minutes after the receipt.",
        step_ko="장비의 시계를 맞추어 주십시오.",
        step_en="Set the device's clock.",
    ),
    Reason(
        code=BEFORE_PILOT,
        ko="측정 시각이 실증 기간 시작 전입니다.",
        en="The time lies before the pilot.",
        step_ko="장비의 시계를 확인해 주십시오. 초기화된 시계는 1970년으로 나타납니다.",
        step_en="Check the device's clock; one that was reset shows 1970.",
    ),
    Reason(
        code=AFTER_PILOT,
        ko="측정 시각이 실증 기간이 끝난 뒤입니다.",
        en="The time lies after the pilot's end.",
        step_ko="기간이 연장되었다면 협약변경을 등록해 주십시오.",
        step_en="If the period was extended, register the amendment.",
    ),
    Reason(
        code=BAD_EVENT,
        ko="발생 기록의 형식이 올바르지 않습니다.",
        en="The event is not of the agreed shape.",
        step_ko='{"id", "kind", "at"}을 갖추어 보내 주십시오.',
        step_en='Send it with "id", "kind" and "at".',
    ),
    Reason(
        code=BAD_STATUS,
        ko="상태 메시지가 online도 offline도 아닙니다.",
        en="The status is neither online nor offline.",
        step_ko='{"state": "online"} 또는 {"state": "offline"}으로 보내 주십시오.',
        step_en='Send {"state": "online"} or {"state": "offline"}.',
    ),
    Reason(
        code=NUL_CHARACTER,
        ko="글자에 \\u0000이 들어 있어 저장할 수 없습니다.",
        en="A text holds \\u0000, which cannot be stored.",
        step_ko="장비가 보내는 글자를 확인해 주십시오.",
        step_en="Check the texts that the device sends.",
    ),
    Reason(
        code=REPEATED_KEY,
        ko="한 JSON 객체에 같은 이름이 두 번 이상 있어 어느 값이 맞는지 알 수 없습니다.",
        en="A key stands more than once in one JSON object, so that it is not known which value is meant.",
        step_ko="장비가 항목마다 이름을 하나씩만 보내도록 고쳐 주십시오.",
        step_en="Make the device send each name once.",
    ),
    Reason(
        code=BAD_SEQUENCE,
        ko="메시지 번호(seq)나 재시작 표시(boot)의 형식이 올바르지 않아 번호로 세지 않았습니다. 측정값은 그대로 받았습니다.",
        en="The message's number (seq) or its boot mark is not of the agreed form, so it was not counted; its data were taken.",
        step_ko="seq는 0 이상 2^62 미만의 정수로, boot는 64자 이하의 글자나 정수로 보내 주십시오.",
        step_en="Send seq as an integer from 0 to below 2^62, and boot as a text of at most 64 characters or an integer.",
    ),
    Reason(
        code=NOT_OF_PROTOCOL,
        ko="메시지가 통신 연결의 규격(protocol)에 맞지 않습니다.",
        en="The message is not of its connection's protocol.",
        step_ko="장비의 전송 형식을 확인하거나 계획서의 통신 연결(protocol)을 바로잡아 주십시오.",
        step_en="Check what the device sends, or correct the connection's protocol in the plan.",
        curable=True,
    ),
    Reason(
        code=UNKNOWN_UNIT,
        ko="메시지에 적힌 단위가 단위 표에 없습니다.",
        en="The unit that the message states is not in the table of units.",
        step_ko="장비가 규격에 등록된 단위로 보내도록 고쳐 주십시오.",
        step_en="Make the device send a unit that its protocol registers.",
    ),
    Reason(
        code=OTHER_UNIT,
        ko="메시지에 적힌 단위가 측정 항목의 단위와 다른 양입니다.",
        en="The unit that the message states measures something else than its channel.",
        step_ko="계획서에서 측정 항목의 이름(source)이나 단위를 확인해 주십시오.",
        step_en="Check the channel's source, or its unit, in the plan.",
        curable=True,
    ),
    Reason(
        code=BEFORE_BIRTH,
        ko="이 메시지의 항목 이름을 알려 주는 birth 메시지를 받지 못했습니다.",
        en="No birth message tells what the metrics of this message are.",
        step_ko="장비(노드)가 birth를 다시 보내는지(Rebirth) 확인해 주십시오. birth를 받은 뒤 다시 처리할 수 있습니다.",
        step_en="Check that the node tells its births again when asked (Rebirth); after that, the message can be replayed.",
        curable=True,
    ),
    Reason(
        code=UNKNOWN_ALIAS,
        ko="birth 메시지에 없거나 다른 항목을 가리키는 별칭(alias)입니다.",
        en="The alias is in no birth message, or belongs to another metric.",
        step_ko="장비(노드)가 모든 항목의 이름과 별칭을 birth에 하나씩 적어 보내는지 확인해 주십시오.",
        step_en="Check that the node's births name each metric with an alias of its own.",
        curable=True,
    ),
    Reason(
        code=NOT_IN_BIRTH,
        ko="장비의 birth 메시지에 이 측정 항목이 없습니다.",
        en="The device's birth message does not have this channel's metric.",
        step_ko="계획서의 source와 장비의 항목 이름(metric)을 맞추어 주십시오.",
        step_en="Make the channel's source in the plan and the device's metric names agree.",
        curable=True,
    ),
    Reason(
        code=OTHER_TYPE,
        ko="값이 birth 메시지에서 정한 자료형과 다릅니다.",
        en="The value is not of the data type that the birth message gave it.",
        step_ko="장비가 자료형을 바꾸었다면 birth를 다시 보내게 해 주십시오.",
        step_en="Make the device send its birth again when it changes a data type.",
    ),
    Reason(
        code=NOT_A_SINGLE_VALUE,
        ko="값 하나가 아닌 자료(데이터세트, 템플릿, 파일, 배열)입니다.",
        en="It is no single value but a dataset, a template, a file or an array.",
        step_ko="측정값을 각각의 항목(metric)으로 보내 주십시오.",
        step_en="Send each measured value as a metric of its own.",
    ),
    Reason(
        code=BAD_QUALITY,
        ko="장비 스스로 이 값을 불량 또는 오래된 값으로 표시했습니다.",
        en="The device itself marks the value as bad or stale.",
        step_ko="센서와 장비 사이의 연결을 확인해 주십시오.",
        step_en="Check the sensor and its connection to the device.",
    ),
    Reason(
        code=INFLATED_TOO_LARGE,
        ko="압축을 풀면 허용 크기를 넘는 메시지입니다.",
        en="The message is larger than allowed once it is decompressed.",
        step_ko="측정값을 여러 메시지로 나누어 보내 주십시오.",
        step_en="Send the readings in several messages.",
    ),
    Reason(
        code=WRONG_TYPE,
        ko="규격이 그 자리에 정한 자료형이 아닙니다.",
        en="It is not of the type that the protocol has in its place.",
        step_ko="장비가 규격에 맞는 형식으로 보내는지 확인해 주십시오.",
        step_en="Make the device send what its protocol defines.",
    ),
    Reason(
        code=TOO_MANY,
        ko="목록에 든 항목이 한도보다 많습니다.",
        en="A list holds more elements than are taken.",
        step_ko="장비가 목록을 비우지 않고 쌓고 있지 않은지 확인해 주십시오.",
        step_en="Check whether the device lets a list grow without clearing it.",
    ),
    Reason(
        code=UNKNOWN_SOURCE,
        ko="계획서의 source가 이 규격에 없는 값 이름이라 측정값이 들어올 수 없습니다.",
        en="The plan's source is the name of no value of this protocol, so the channel will stay empty.",
        step_ko="규격의 대응표(docs/protocols.md)에서 값 이름을 찾아 계획서의 source를 바로잡아 주십시오.",
        step_en="Find the value's name in the protocol's table (docs/protocols.md) and correct the channel's source in the plan.",
        curable=True,
    ),
    Reason(
        code=BAD_CHECKSUM,
        ko="프레임의 검사합(CRC)이 맞지 않아 읽지 않았습니다.",
        en="The checksum of a frame is wrong, so it was not read.",
        step_ko="기체와 중계 장치 사이의 무선·직렬 연결 상태를 확인해 주십시오.",
        step_en="Check the radio or serial link between the vehicle and what relays its frames.",
    ),
    Reason(
        code=NO_FRAME,
        ko="MAVLink 프레임에 속하지 않는 바이트가 섞여 있습니다.",
        en="There are bytes that belong to no MAVLink frame.",
        step_ko="중계 장치가 프레임 앞뒤에 다른 자료(시각, 길이, 글자)를 붙이지 않는지 확인해 주십시오.",
        step_en="Check that what relays the frames puts nothing before or behind them (times, lengths, texts).",
    ),
    Reason(
        code=UNKNOWN_MESSAGE,
        ko="방언(dialect)에 없는 번호의 MAVLink 메시지입니다. 이 번호는 한 번만 알립니다.",
        en="A MAVLink message of a number that the dialect does not have; each number is told once.",
        step_ko="필요한 값이라면 표준 메시지(예: NAMED_VALUE_FLOAT)로 보내 주십시오.",
        step_en="If its values are needed, send them in a standard message, such as NAMED_VALUE_FLOAT.",
    ),
)  # fmt: skip

REASONS: Final[Mapping[str, Reason]] = MappingProxyType({reason.code: reason for reason in _LIST})
"""The closed list, by code."""


class Refused(ValueError):
    """A message, or an item of one, is not taken: the reason's code, and the detail for its sender."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def curable(code: str) -> bool:
    """Whether a correction of the plan can cure it."""
    return REASONS[code].curable

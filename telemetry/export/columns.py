"""The columns of an export: the one list from which files, README and documentation are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["text", "int16", "int32", "int64", "float64", "truth", "instant", "day", "json", "instants", "texts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a file."""

    name: str
    kind: Kind
    ko: str
    en: str
    unit: str = ""
    """Where all its values have one; the unit of a value that depends on its row stands in the column ``unit``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One file, or the files of one partitioned table."""

    name: str
    ko: str
    en: str
    columns: tuple[Column, ...]


def _c(name: str, kind: Kind, ko: str, en: str, unit: str = "") -> Column:
    return Column(name=name, kind=kind, ko=ko, en=en, unit=unit)


_SLOT: Final = _c("slot", "text", "설치 지점", "slot")
_CHANNEL: Final = _c("channel", "text", "측정 항목", "channel")
_REVISION: Final = _c("revision", "int32", "측정 항목의 개정 번호", "revision of the channel by which it was decoded")
_UNIT: Final = _c("unit", "text", "값의 단위. 상태 항목은 state", "unit of the values; of a state channel: state")
_OBSERVED: Final = _c("observed_at", "instant", "측정 시각(장비 시계)", "when it was observed, by the device's clock")
_RECEIVED: Final = _c("received_at", "instant", "수신 시각(저장 시각)", "when it was received: when it was committed")
_AT: Final = _c("at", "instant", "발생 시각", "when it happened")
_RECORDED: Final = _c("recorded_at", "instant", "기록 시각", "when it was recorded")
_START: Final = _c("start_at", "instant", "시작(포함)", "start, included")
_END: Final = _c("end_at", "instant", "끝(미포함)", "end, not included")
_SUPERSEDED_AT: Final = _c(
    "superseded_at",
    "instant",
    "철회 또는 대체 시각. 비어 있으면 유효",
    "when it was withdrawn or replaced; empty: it stands",
)
_SUPERSEDED: Final = (
    _SUPERSEDED_AT,
    _c("superseded_by", "text", "철회자", "who withdrew it"),
    _c("superseded_why", "text", "철회 사유", "why it was withdrawn"),
)
_FLAGS: Final = _c(
    "flags",
    "int16",
    "수신 사실(합): 1 시계 없음, 2 보관 메시지, 4 QoS 0, 8 모의 적재, 16 나중에 다시 처리, 32 대응을 고친 뒤 다시 해석",
    "facts of intake, added up: 1 no clock, 2 retained, 4 QoS 0, 8 loaded simulation, 16 replayed, 32 decoded again",
)
_EVENT: Final = (
    _SLOT,
    _c("kind", "text", "발생 기록의 종류", "kind of event"),
    _c("id", "text", "보낸 쪽의 식별자", "the sender's identifier"),
    _c("phase", "text", "start, end 또는 빈칸(순간)", "start, end, or empty: an instant"),
    _c("number", "int64", "일련번호", "number, where the sender counts"),
    _AT,
    _RECEIVED,
    _c("attributes", "json", "속성(JSON)", "attributes, as JSON"),
)

LONG: Final = Table(
    name="readings",
    ko="측정값. 한 줄이 측정값 하나. 설치 지점, 측정 항목, 측정 시각 순",
    en="readings, one a row, sorted by slot, channel, observed_at",
    columns=(
        _SLOT,
        _CHANNEL,
        _REVISION,
        _UNIT,
        _OBSERVED,
        _RECEIVED,
        _c(
            "value", "float64", "값(unit의 단위). 상태 항목은 상태 번호", "value, in unit; of a state channel: its code"
        ),
        _c("state", "text", "상태 항목의 상태 이름", "of a state channel: the state's name"),
        _FLAGS,
    ),
)
"""The readings in long form."""

WIDE_KEYS: Final = (_SLOT, _OBSERVED)
"""What a row of the wide form begins with; a column a channel follows."""

TABLES: Final = (
    Table(
        name="plans",
        ko="적용된 실증계획의 판. 원문은 plan/에 있음",
        en="the versions of the plan; their bytes are in plan/",
        columns=(
            _c("version", "int32", "판 번호", "version"),
            _c("sha256", "text", "원문의 SHA-256", "SHA-256 of its bytes"),
            _c("applied_at", "instant", "적용 시각", "when it was applied"),
            _c("valid_from", "instant", "효력 시작", "from when on it is in force"),
            _c("kind", "text", "first 최초, amendment 협약변경, change 그 밖의 변경", "first, amendment, or change: any other"),
            _c("applied_by", "text", "적용자", "who applied it"),
            _c("amendment", "json", "협약변경: parties, reason, date", "the amendment: parties, reason, date"),
            _c("profiles", "json", "사용한 장비 서식: 이름별 해시와 원문", "the device templates used: hash and text by name"),
        ),
    ),
    Table(
        name="channels",
        ko="측정 항목과 그 개정",
        en="channels and their revisions",
        columns=(
            _SLOT,
            _CHANNEL,
            _c("revision", "int32", "개정 번호", "revision"),
            _c("title", "text", "표시 이름", "the name that people read"),
            _c("kind", "text", "gauge, counter, state", "gauge, counter, state"),
            _UNIT,
            _c("reporting", "text", "periodic 주기, on_change 변할 때, event 발생 시", "periodic, on_change, event"),
            _c("period_s", "float64", "보고 주기", "period of reporting", "s"),
            _c(
                "max_hold_s", "float64", "값이 유지되는 최대 시간. 비어 있으면 연결이 끊길 때까지",
                "how long a reading stands at the most; empty: until the link is lost", "s",
            ),
            _c("range_low", "float64", "범위의 아래 끝(unit)", "lower end of its range, in unit"),
            _c("range_high", "float64", "범위의 위 끝(unit)", "upper end of its range, in unit"),
            _c("states", "json", "상태 이름. 0부터의 순서가 상태 번호", "names of the states; the place, from 0, is the code"),
            _c("options", "json", "실증계획에 적힌 그대로", "what the plan says of it"),
            _c(
                "valid_from", "instant", "이 시각부터 수신된 것. 비어 있으면 처음부터",
                "for what was received from here on; empty: always",
            ),
            _c("valid_to", "instant", "이 시각 전까지. 비어 있으면 현재 유효", "… up to here; empty: in force"),
        ),
    ),
    Table(name="events", ko="발생 기록", en="events", columns=(*_EVENT, _FLAGS)),
    Table(
        name="links",
        ko="설치 지점의 통신 상태",
        en="what slots said of their link, or their will said for them",
        columns=(
            _SLOT,
            _AT,
            _RECEIVED,
            _c("state", "text", "online 또는 offline", "online or offline"),
            _c("origin", "text", "status 스스로, will 유언 메시지", "status: said by itself; will: said for it"),
        ),
    ),
    Table(
        name="platform",
        ko="플랫폼 자체의 가동 기록",
        en="the platform's own record of when it was at work",
        columns=(
            _c("record_id", "int64", "번호", "number"),
            _c("process", "text", "프로세스", "process"),
            _c("run", "text", "프로세스의 한 생애", "one life of the process"),
            _c("version", "text", "코드 판", "version of the code"),
            _c("from_at", "instant", "이 기록이 말하는 시간의 시작", "start of the time that it speaks of"),
            _c("until_at", "instant", "… 끝", "its end"),
            _c("heard_from", "instants", "일하던 구간의 시작들", "starts of the stretches in which it did its work"),
            _c("heard_until", "instants", "… 끝들", "their ends"),
            _c("goes_on", "truth", "기록 당시 계속 일하고 있었는지", "whether it still did when this was written"),
            _RECORDED,
            _c("note", "text", "비고", "note"),
        ),
    ),
    Table(
        name="installations",
        ko="설치 이력",
        en="which device stood where",
        columns=(
            _SLOT,
            _c("serial", "text", "일련번호", "serial number"),
            _c("model", "text", "모델", "model"),
            _c("firmware", "text", "펌웨어", "firmware"),
            _c("installed_at", "instant", "설치 시각", "from"),
            _c("removed_at", "instant", "철거 시각. 비어 있으면 현재 설치됨", "to; empty: it stands there"),
            _RECORDED,
            _c("removal_recorded_at", "instant", "철거를 기록한 시각", "when the removal was recorded"),
        ),
    ),
    Table(
        name="outages",
        ko="합의된 중단. 철회된 것 포함",
        en="agreed outages, withdrawn ones too",
        columns=(
            _c("outage_id", "int64", "번호", "number"),
            _c("slots", "texts", "설치 지점. 비어 있으면 전체", "slots; empty: all"),
            _START,
            _END,
            _c("cause", "text", "원인", "cause"),
            _c("charged_to", "text", "귀책: site 수요처, platform 플랫폼", "charged to: site or platform"),
            _c("agreed_by", "text", "합의자", "who agreed"),
            _c("note", "text", "비고", "note"),
            _RECORDED,
            _c("recorded_by", "text", "기록자", "who recorded it"),
            *_SUPERSEDED,
        ),
    ),
    Table(
        name="exclusions",
        ko="평가 제외 구간. 철회된 것 포함",
        en="intervals left out of judgement, withdrawn ones too",
        columns=(
            _c("exclusion_id", "int64", "번호", "number"),
            _SLOT,
            _START,
            _END,
            _c("reason", "text", "사유", "reason"),
            _c("asked_on", "day", "요청일", "day it was asked for"),
            _c("asked_by", "text", "요청자", "who asked"),
            _c("agreed_site", "text", "수요처의 합의자", "who agreed for the site"),
            _c("agreed_team", "text", "사업단의 합의자", "who agreed for the programme team"),
            _c("note", "text", "비고", "note"),
            _RECORDED,
            _c("recorded_by", "text", "기록자", "who recorded it"),
            *_SUPERSEDED,
        ),
    ),
    Table(
        name="manual",
        ko="사람이 입력한 수기 관측값. 철회된 것 포함",
        en="what people observed and entered, withdrawn entries too",
        columns=(
            _c("manual_id", "int64", "번호", "number"),
            _c("slot", "text", "설치 지점. 비어 있으면 과제 전체", "slot; empty: of the pilot as a whole"),
            _c("quantity", "text", "계획의 manual 항목", "quantity, as the plan's manual names it"),
            _START,
            _c("end_at", "instant", "끝(미포함). 시작과 같으면 한때", "end, not included; equal to the start: of an instant"),
            _c("value", "float64", "건수, 표본 평균 또는 값(unit의 단위)", "count, mean of a sample, or value, in unit"),
            _c("unit", "text", "값의 단위", "unit of the value"),
            _c("exposure", "float64", "나눔 기준(exposure_unit의 단위)", "exposure, in exposure_unit"),
            _c("exposure_unit", "text", "나눔 기준의 단위", "unit of the exposure"),
            _c("n", "int64", "응답 수", "answers"),
            _c("sd", "float64", "응답의 표준편차(unit)", "standard deviation of the answers, in unit"),
            _c("scores", "json", "낱낱의 응답(JSON)", "the single answers, as JSON"),
            _c("measured_by", "text", "측정한 사람", "who measured it"),
            _c("note", "text", "비고", "note"),
            _c("document", "text", "증빙 문서의 이름", "name of the document that proves it"),
            _c("sha256", "text", "증빙 문서의 SHA-256", "SHA-256 of that document"),
            _RECORDED,
            _c("recorded_by", "text", "입력한 사람", "who entered it"),
            *_SUPERSEDED,
        ),
    ),
    Table(
        name="labels",
        ko="사람이 붙인 정답 기록. 철회된 것 포함",
        en="truth labels that people recorded, withdrawn ones too",
        columns=(
            _c("label_id", "int64", "번호", "number"),
            _SLOT,
            _c("kind", "text", "발생 기록의 종류", "kind of event that it is the truth of"),
            _START,
            _c("end_at", "instant", "끝. 시작과 같으면 한때", "end; equal to the start: of an instant"),
            _c("outcome", "text", "positive 발생, negative 미발생, empty 이상 없음", "positive, negative, empty"),
            _c("attributes", "json", "속성(JSON)", "attributes, as JSON"),
            _c("place", "text", "위치", "place"),
            _c("labeller", "text", "기록자", "who labelled"),
            _c("side", "text", "소속: site, company, team, outside", "whose labeller: site, company, team, outside"),
            _c("blind", "truth", "경보를 보지 않고 붙였는지", "made without seeing the alerts"),
            _c("reader", "int16", "2: 같은 것의 두 번째 라벨", "2: the second label of the same thing"),
            _c("window_at", "instant", "적은 표본 구간의 시작", "start of the sample window that it names"),
            _c("note", "text", "비고", "note"),
            _c("file_name", "text", "파일 이름", "name of the file that it came in"),
            _c("file_sha256", "text", "파일의 SHA-256", "SHA-256 of the file"),
            _c("file_line", "int32", "파일의 줄", "line in the file"),
            _RECORDED,
            _c("recorded_by", "text", "올린 사람", "who recorded it"),
            *_SUPERSEDED,
        ),
    ),
    Table(
        name="findings",
        ko="품질 점검 결과. 대체된 것 포함",
        en="data-quality findings, superseded ones too",
        columns=(
            _c("finding_id", "int64", "번호", "number"),
            _SLOT,
            _c("channel", "text", "측정 항목. 비어 있으면 설치 지점 전체", "channel; empty: the slot as a whole"),
            _c("revision", "int32", "측정 항목의 개정 번호", "revision of the channel"),
            _c("kind", "text", "gap, stuck, range, spike, rate, clock, jump", "gap, stuck, range, spike, rate, clock, jump"),
            _START,
            _END,
            _c("flag", "int16", "3 의심, 4 불량, 9 결측(ioos_qc)", "3 suspect, 4 fail, 9 missing (ioos_qc)"),
            _c("value", "float64", "값(unit의 단위)", "value, in unit"),
            _c("unit", "text", "값의 단위", "unit of the value"),
            _c("detail", "json", "근거(JSON)", "what it rests on, as JSON"),
            _RECORDED,
            _SUPERSEDED_AT,
        ),
    ),
    Table(
        name="conflicts",
        ko="상이값 중복: 이미 값이 있는 시각에 다른 값으로 다시 온 측정값",
        en="readings that repeat an instant with another value",
        columns=(
            _SLOT,
            _CHANNEL,
            _REVISION,
            _UNIT,
            _OBSERVED,
            _RECEIVED,
            _c("value", "float64", "나중에 온 값(unit)", "the second value, in unit"),
            _c("stored_value", "float64", "먼저 와서 저장된 값(unit)", "the first, which is stored, in unit"),
            _FLAGS,
        ),
    ),
    Table(
        name="redecodings",
        ko="대응을 고친 뒤 다시 해석되어 더는 쓰이지 않는 측정값의 구간. 측정값 자체는 그대로 있음",
        en="readings that do not stand any more, because their messages were decoded again; they are in readings/ still",
        columns=(
            _SLOT,
            _CHANNEL,
            _c("revision", "int32", "쓰이지 않는 측정값의 개정", "revision whose readings do not stand"),
            _c("received_from", "instant", "이 시각부터(포함) 수신된 것", "those received from here on"),
            _c("received_until", "instant", "이 시각 전까지(미포함)", "up to, not including, here"),
            _c("by_revision", "int32", "대신 쓰이는 개정", "revision whose readings stand in their place"),
            _RECORDED,
            _c("recorded_by", "text", "기록자", "who recorded it"),
        ),
    ),
    Table(
        name="event_conflicts",
        ko="같은 식별자로 다른 내용이 다시 온 발생 기록",
        en="events that repeat a key with another content",
        columns=_EVENT,
    ),
    Table(
        name="rejections",
        ko="거부된 측정값과 발생 기록",
        en="readings and events that were refused on their own",
        columns=(
            _SLOT,
            _RECEIVED,
            _c("topic", "text", "MQTT 토픽", "MQTT topic"),
            _c("item", "text", "측정 항목 또는 발생 기록", "the channel or event that was meant"),
            _c("observed", "text", "보낸 그대로의 시각", "its time, as it was said"),
            _c("value", "text", "보낸 그대로의 값", "its value, as it was said"),
            _c("reason", "text", "사유 코드", "code of the reason"),
            _c("detail", "text", "설명", "explanation"),
        ),
    ),
    Table(
        name="results",
        ko="저장된 판정. 본문은 results/에 있음",
        en="stored results; their documents are in results/",
        columns=(
            _c("kind", "text", "month 월, date 평가일, final 최종", "month, date, final"),
            _c("label", "text", "대상 월 또는 날짜", "month or day that it is of"),
            _c("version", "int32", "판 번호", "version"),
            _c("plan_version", "int32", "적용한 실증계획의 판", "version of the plan that it goes by"),
            _c("as_of", "instant", "기준일시", "what was received up to then"),
            _c("evaluated_at", "instant", "판정 시각", "when it was evaluated"),
            _c("code_version", "text", "코드 판", "version of the code"),
            _c("sha256", "text", "as_of를 뺀 정규 JSON의 SHA-256", "SHA-256 of its canonical JSON without as_of"),
            _c("difference", "json", "이전 판과의 차이와 원인", "what differs from the version before, and why"),
        ),
    ),
)  # fmt: skip
"""All but the readings."""

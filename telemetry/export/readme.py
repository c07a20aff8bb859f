"""``README.txt`` of an export, Korean and then English, made from the columns themselves."""

from __future__ import annotations

from collections.abc import Sequence

from telemetry.export.asked import Scope
from telemetry.export.columns import LONG, TABLES, WIDE_KEYS, Column, Table

_KO = """\
{title} ({name}) 내보내기

기준일시 {as_of}까지 수신되고 기록된 것이 담겨 있습니다. 값은 저장된 그대로이며 고치거나 반올림하지 않았습니다.
달(month=)은 실증과제의 시간대({pilot_zone})로 나누고, 시각은 {zone} 기준 마이크로초까지 적습니다. 구간은 시작을 포함하고 끝은
포함하지 않습니다.

manifest.json          과제, 실증계획의 판과 해시, 기준일시, 파일마다 행 수와 SHA-256
plan/v1.yaml …         적용된 실증계획의 원문 그대로
results/*.json         저장된 판정의 모든 판(정규 JSON, RFC 8785)

다시 계산하려면: plan/의 목표와 산출식을 읽고, readings에서 해당 설치 지점과 측정 항목을 구간으로 골라 계산합니다. 상태와 주기
항목의 값은 다음 값까지, 길어도 channels의 max_hold_s까지 유지됩니다. 빠진 구간의 귀책은 links, events, platform, outages,
exclusions로 가립니다. 결과는 results/의 값과 비교합니다.
"""
_EN = """\
{title} ({name}), export

It holds what was received and recorded up to {as_of}. Values are as they are stored, neither changed nor rounded. Months
(month=) are those of the pilot's zone ({pilot_zone}); instants are written in {zone}, to the microsecond. Intervals hold their
start and not their end.

manifest.json          pilot, plan version and hash, as_of, rows and SHA-256 of each file
plan/v1.yaml …         the plan's bytes as they were applied
results/*.json         every version of every stored result (canonical JSON, RFC 8785)

To recompute: read targets and measures from plan/, take the slot and channel's readings of the window from readings/. A reading
stands until the next one, at most for max_hold_s of channels. Whom a gap is charged to follows from links, events, platform,
outages and exclusions. Compare with results/.
"""
_WIDE = {
    "ko": "측정값. 한 줄이 설치 지점의 측정 시각 하나, 한 열이 측정 항목 하나(slot/channel [단위])",
    "en": "readings: a row an instant of a slot, a column a channel (slot/channel [unit])",
}
_STATES = {
    "ko": "상태 항목은 [state]에 상태 이름, [code]에 저장된 번호",
    "en": "a state channel has the state's name under [state], its stored code under [code]",
}


def readme(scope: Scope) -> bytes:
    """The bytes of ``README.txt``."""
    facts = {
        "title": scope.pilot.title,
        "name": scope.pilot.name,
        "as_of": scope.as_of.isoformat(),
        "zone": scope.zone,
        "pilot_zone": scope.pilot.zone.key,
    }
    korean = [_KO.format(**facts), *described(scope.ask.format, scope.ask.shape, "ko")]
    english = [_EN.format(**facts), *described(scope.ask.format, scope.ask.shape, "en")]
    text = "\n".join([*korean, "\n" + "=" * 78 + "\n", *english])
    # Notepad and its like know UTF-8 by the mark.
    return b"\xef\xbb\xbf" + text.encode()


def described(extension: str, shape: str, language: str) -> list[str]:
    """Each file with its columns."""
    folder = f"readings/pilot=…/month=YYYY-MM/part-0000.{extension} …"
    if shape == "long":
        lines = _table(folder, LONG, language)
    else:
        lines = [folder, f"  {_WIDE[language]}", *_columns(WIDE_KEYS, language), f"    {_STATES[language]}", ""]
    for table in TABLES:
        lines += _table(f"{table.name}.{extension}", table, language)
    return lines


def _table(path: str, table: Table, language: str) -> list[str]:
    return [path, f"  {table.ko if language == 'ko' else table.en}", *_columns(table.columns, language), ""]


def _columns(columns: Sequence[Column], language: str) -> list[str]:
    return [
        f"    {column.name:<20} {column.ko if language == 'ko' else column.en}"
        + (f" [{column.unit}]" if column.unit else "")
        for column in columns
    ]

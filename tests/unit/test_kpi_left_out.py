"""How what was left out is told: on pages, in documents, among the causes of a new version."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from core.language import translator
from kpi.reports.causes import cause_text
from kpi.reports.charging import charged_parts
from kpi.reports.entries import charged_of

DOCUMENT = {"window": {"start": "2025-03-01T00:00:00+09:00", "end": "2025-04-01T00:00:00+09:00"}}
ENTRY = {
    "slot": None,
    "slots": [{"slot": "a"}],
    "facts": {"company_s": 7200.0, "platform_s": 0.0, "site_s": 0.0, "nobody_s": 0.0},
    "left_out": {"readings": 1200, "seconds": 5400.0},
}


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("ko", "품질 점검으로 뺀 측정값 1,200건(1.50시간)"),
        ("en", "1,200 readings left out by quality findings (1.50 h)"),
    ],
)
def test_the_companys_part_of_the_time_without_data_says_what_was_left_out(language: str, said: str) -> None:
    translate = translator(language)

    def say(message: str, **values: object) -> str:
        return translate(message) % values if values else translate(message)

    charged = charged_of(ENTRY, DOCUMENT)
    assert charged is not None
    sources = {part.kind: part.source for part in charged_parts(charged, say)}
    assert sources["company"].endswith(said)
    bare = charged_of({key: value for key, value in ENTRY.items() if key != "left_out"}, DOCUMENT)
    assert bare is not None
    assert said not in charged_parts(bare, say)[0].source


def test_a_new_version_says_how_many_findings_came_and_went() -> None:
    cause, zone = {"cause": "finding", "recorded": 1200, "superseded": 3}, ZoneInfo("Asia/Seoul")
    assert cause_text(cause, "ko", zone) == "측정값을 빼는 품질 점검 결과: 새로 1,200건, 대체 3건"
    assert cause_text(cause, "en", zone) == ("quality findings by which readings are left out: 1,200 new, 3 superseded")

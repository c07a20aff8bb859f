"""The README of a bundle: for a reader who has a dispute to settle and no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.canonical import check_code, sha256
from core.language import STATES, with_unit
from core.numbers import printed

_KO = """\
검증용 증빙자료
===============
과제     {title} ({pilot}){simulated}
판정     {results}
봉인     {first_day} ~ {last_day}, 봉인 {seals}건, 마지막 봉인값 {head}
서명 열쇠 {keys}

1. 이것은 무엇인가
   위 판정이 근거로 삼은 자료 전부와, 그 자료가 수신된 뒤 바뀌지 않았음을 보이는 봉인을 한 파일에 담은 것입니다.
   plan/            적용된 실증계획의 원문(모든 판)
   results/         판정 결과(정규 JSON). 판정 시점의 모든 수치가 반올림 없이 들어 있습니다.
   baselines/       도입 전 기준값 파일. 파일 이름은 SHA-256이며 원래 이름은 lines/baseline.jsonl에 있습니다.
   documents/       사람이 입력한 것의 증빙 문서. 파일 이름은 SHA-256이며 원래 이름은 lines/document.jsonl에 있습니다.
   readings/        측정값(Parquet). 수신 시각 순의 봉인 단위 그대로이며, used는 판정이 읽었을 수 있는 측정값을 뜻합니다.
   lines/           발생 기록, 통신 상태, 설치 이력, 합의된 중단과 평가 제외 구간, 플랫폼 가동 기록, 판정 기록(한 줄에 하나)
   leaves.parquet   기간 중 모든 봉인 단위의 머리글. 담지 않은 것도 있으므로, 빠뜨린 것이 드러납니다.
   seals.jsonl      날마다의 봉인(전자서명, 앞 봉인의 값, 있으면 시점확인)
   keys.json        서명을 확인하는 공개 열쇠
   manifest.json    구성 파일의 크기와 SHA-256

2. 무엇을 증명하는가
   - 측정값과 기록이 봉인된 날 이후 한 글자도 바뀌거나 빠지거나 더해지지 않았습니다.
   - 판정의 모든 수치는 이 자료와 계획에서 같은 산출식으로 다시 나옵니다.
   - 봉인은 첫날부터 끊김 없이 이어집니다.

3. 무엇을 증명하지 않는가
   - 감지기가 참값을 말했다는 것. 봉인은 수신 이후의 변경만 드러냅니다.
   - 봉인되기 전에 빠뜨리거나 지어낸 것이 없다는 것. 봉인은 하루에 한 번 이루어집니다.
   - 데이터베이스와 서명 열쇠를 모두 가진 자가 전체를 새로 만들지 않았다는 것. 참여기업이 매일 받은 봉인값,
     의견서에 인쇄된 봉인값, 시점확인기관의 응답과 위 봉인값을 대조해야 합니다.
   - 사람이 입력한 것(합의, 사유)의 진실성. 누가 언제 입력했는지만 보입니다.

4. 확인하는 방법
   인터넷도 데이터베이스도 필요 없습니다. Pilotbed를 설치한 컴퓨터에서
       pilotbed verify 파일 --key 열쇠파일
   열쇠파일은 참여기업이 종이로 받은 열쇠값(지문)을 적은 글 파일이나 seal-keys.json입니다. --key가 없으면
   열쇠값이 '확인되지 않음'으로 표시되니 직접 대조하십시오. 한 바이트라도 바뀌었으면 무엇이 다른지 말하고 1로 끝납니다.
   Pilotbed를 쓰지 않고 확인하려면 docs/evidence.md에 바이트 배치와 40여 줄의 프로그램이 있습니다.
"""

_EN = """\
Evidence bundle
===============
Pilot    {title} ({pilot}){simulated}
Results  {results}
Seals    {first_day} to {last_day}, {seals} seals, last head {head}
Keys     {keys}

1. What this is
   All data that the results above rest on, in one file with the seals that show that they were not changed after receipt.
   plan/            the pilot's plan as it was applied, every version
   results/         the results as canonical JSON, every number unrounded
   baselines/       files from before the pilot; named by their SHA-256, lines/baseline.jsonl has their names
   documents/       what proves the things that people entered; named by their SHA-256, lines/document.jsonl has their names
   readings/        the readings (Parquet), in the whole units in which they were sealed; "used": a result may have read it
   lines/           events, link states, devices, agreed outages and exclusions, the platform's own record, results: one a line
   leaves.parquet   the head of every sealed unit of the period, of those that are not in here too: an omission shows
   seals.jsonl      each day's seal: signature, the head before it, a timestamp where there is one
   keys.json        the public keys
   manifest.json    size and SHA-256 of every member

2. What it proves
   - Since the day was sealed nothing of these readings and records was changed, left out or added.
   - Every number of the results follows again from these data and the plan, by the same measures.
   - The seals follow each other from the first day on without a break.

3. What it does not prove
   - That a sensor told the truth. A seal shows only what was changed after receipt.
   - That nothing was left out or made up before the seal. Seals are made once a day.
   - That nobody who has both the database and the signing key made everything anew. Compare the head above with those that
     the company received every day, that are printed in the opinions, and that the time-stamping authority answered.
   - That what people entered (agreements, reasons) is true: only who entered it, and when.

4. How to check it
   No network, no database. On a computer with Pilotbed:
       pilotbed verify FILE --key KEYFILE
   KEYFILE is a text file with the fingerprint that the company was given on paper, or seal-keys.json. Without --key the
   fingerprint is printed as unchecked: compare it yourself. If one byte was changed it says what differs and ends with 1.
   Without Pilotbed: docs/evidence.md has the layout of the bytes and a program of some forty lines.
"""


def readme(said: Mapping[str, Any], documents: Mapping[str, Mapping[str, Any]], keys: Sequence[str]) -> bytes:
    """The text, Korean first.

    :param documents: the results, by the name of their member.
    """
    seals = said["seals"]
    common = {
        "title": said["title"], "pilot": said["pilot"], "first_day": seals["first_day"], "last_day": seals["last_day"],
        "seals": seals["n"], "head": seals["head"], "keys": ", ".join(keys),
    }  # fmt: skip
    texts = []
    for language, template in (("ko", _KO), ("en", _EN)):
        simulated = "" if not said["simulated"] else (" · 모의 자료" if language == "ko" else " · simulated data")
        results = "\n         ".join(_told(name, one, language) for name, one in documents.items())
        texts.append(template.format(**common, simulated=simulated, results=results))
    return "\n".join(texts).encode()


def _told(name: str, document: Mapping[str, Any], language: str) -> str:
    """A result in some lines: each KPI's value and answer."""
    from core.canonical import canonical_json

    kpis = "; ".join(_kpi(entry, language) for entry in document["kpis"])
    code = check_code(sha256(canonical_json({key: value for key, value in document.items() if key != "as_of"})))
    return f"{name.removeprefix('results/')} [{code}]: {kpis}"


def _kpi(entry: Mapping[str, Any], language: str) -> str:
    value = with_unit(printed(entry["value"], entry["unit"]), entry["unit"], language)
    return f"{entry['name']} {value} {STATES[entry.get('verdict') or entry['status']].word(language)}"

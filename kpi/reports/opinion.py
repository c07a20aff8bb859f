"""모니터링 의견서: the monthly monitoring opinion, as PDF to sign and as JSON to compute with; one record, one check code."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import segno

from core.canonical import canonical_json, check_code, plain, sha256
from core.language import N_
from kpi.reports.annex_view import annex_view
from kpi.reports.glyphs import printable
from kpi.reports.page_view import page_view
from kpi.reports.record import OpinionData
from kpi.reports.typeset import typeset
from kpi.reports.words import Words, shortened


def digest(data: OpinionData) -> str:
    """The SHA-256 of the opinion's canonical JSON (RFC 8785): what its check code and QR code are made of."""
    return sha256(canonical_json(data))


def opinion_json(data: OpinionData) -> bytes:
    """The opinion as JSON: the record unrounded, its hash and its check code."""
    found = digest(data)
    return canonical_json({"opinion": plain(data), "sha256": found, "check_code": check_code(found)}) + b"\n"


def opinion_pdf(data: OpinionData, language: str = "ko") -> bytes:
    """The opinion as PDF: a page to sign, then the annexes. The same record gives the same bytes.

    :raises PermanentError: typst refuses it.
    """
    return typeset("opinion.typ", printable(view(data, language)), at=data.as_of)


def view(data: OpinionData, language: str) -> dict[str, Any]:
    """Every text of the document in one language, ready to be set."""
    words = Words(language=language, zone=ZoneInfo(data.header.zone))
    page = page_view(data, words)
    found = digest(data)
    simulated = {
        "mark": words.say(N_("모의 자료")),
        "line": words.say(N_("모의 자료: 실제 실증이 아닌 모의 실행의 결과입니다.")),
    }
    content = f"PILOTBED OPINION {data.number} SHA256 {found}"
    return {
        **page,
        **annex_view(data, words),
        "language": language,
        "region": "kr" if language == "ko" else "gb",
        "title": f"{page['heading']} {page['month']} {data.header.title}",
        "author": page["issuer"],
        "number": data.number,
        "running": shortened(f"{page['heading']} {page['month']} · {data.header.title}", 60),
        "simulated": simulated if data.header.simulated else None,
        "as_of": words.say(N_("자료 기준일시 %(time)s"), time=words.time(data.as_of)),
        "code": {
            "label": words.say(N_("검증 코드")),
            "short": check_code(found),
            "long": f"SHA-256 {found}",
            "qr": _qr(content),
            "qr_text": content,
        },
    }


def _qr(content: str) -> str:
    made = BytesIO()
    segno.make(content, error="m", micro=False).save(made, kind="svg", border=2, xmldecl=False, nl=False)
    return made.getvalue().decode()

"""What people and programs get when something is wrong: a page in words, or problem+json (RFC 9457)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from core.errors import NotFound, PermanentError, TransientError
from core.language import N_
from dashboards.access import LoginNeeded, RoleDenied
from dashboards.found import WrongCursor
from dashboards.log import log_error, new_reference
from dashboards.pages import render
from dashboards.visit import ForgedForm, Visit, language_of
from dashboards.wording import Wording
from kpi.kept import ReadingsDeleted


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One kind of error as a page tells it: what happened, what it means for the data, what to do."""

    status: int
    title: str
    text: str
    advice: str


NOT_FOUND: Final = Trouble(
    status=404,
    title=N_("찾으시는 화면이 없습니다"),
    text=N_("주소가 바뀌었거나, 이 계정으로 볼 수 있는 실증과제가 아닙니다. 보관된 자료에는 영향이 없습니다."),
    advice=N_("첫 화면에서 다시 찾아 주십시오. 볼 수 있어야 하는 과제라면 사업단에 계정의 범위를 확인해 주십시오."),
)
DENIED: Final = Trouble(
    status=403,
    title=N_("이 계정으로는 할 수 없는 일입니다"),
    text=N_("이 화면은 다른 역할의 사용자에게만 열려 있습니다. 바뀐 것은 없습니다."),
    advice=N_("필요한 일이라면 사업단에 역할을 확인해 주십시오."),
)
FORGED: Final = Trouble(
    status=403,
    title=N_("화면이 너무 오래 열려 있었습니다"),
    text=N_("보내신 내용이 이 접속에서 만든 양식과 맞지 않아 처리하지 않았습니다. 바뀐 것은 없습니다."),
    advice=N_("앞 화면으로 돌아가 새로 고친 뒤 다시 보내 주십시오."),
)
WRONG_REQUEST: Final = Trouble(
    status=400,
    title=N_("요청을 알아들을 수 없습니다"),
    text=N_("주소나 보내신 값이 정해진 꼴과 다릅니다. 바뀐 것은 없습니다."),
    advice=N_("첫 화면에서 다시 시작해 주십시오."),
)
TOO_LARGE: Final = Trouble(
    status=413,
    title=N_("파일이 너무 큽니다"),
    text=N_("올릴 수 있는 파일은 10 MiB까지입니다. 기록된 것은 없습니다."),
    advice=N_("파일을 나누거나 해상도를 낮추어 앞 화면에서 다시 올려 주십시오."),
)
PAST_RETENTION: Final = Trouble(
    status=410,
    title=N_("보존기간이 끝나 측정값을 삭제했습니다"),
    text=N_(
        "이 과제의 측정값은 보존기간이 끝나 삭제되었고, 그것으로는 더 계산하지 않습니다. 판정 결과는 판정한 그대로 남아 있습니다."
    ),
    advice=N_(
        "판정표에서 보관된 결과를 보십시오. 다시 계산하려면 그 전에 만든 증빙자료나 내보낸 자료가 있어야 합니다."
    ),
)
AWAY: Final = Trouble(
    status=503,
    title=N_("잠시 자료를 읽을 수 없습니다"),
    text=N_("자료 저장소에 연결되지 않습니다. 장비가 보낸 자료는 중계기에 남아 있다가, 연결되면 이어서 저장됩니다."),
    advice=N_("1분 뒤에 새로 고쳐 주십시오. 계속되면 아래 접수번호를 사업단에 알려 주십시오."),
)
FAILED: Final = Trouble(
    status=500,
    title=N_("화면을 만들지 못했습니다"),
    text=N_("저희 쪽의 오류입니다. 받은 측정값은 그대로 보관되어 있고, 수신도 계속됩니다."),
    advice=N_("잠시 뒤 다시 시도해 주십시오. 계속되면 아래 접수번호를 사업단에 알려 주십시오."),
)
_BY_STATUS: Final = {404: NOT_FOUND, 403: DENIED, 405: WRONG_REQUEST, 400: WRONG_REQUEST}
_FORESEEN: Final[dict[type[Exception], Trouble]] = {
    NotFound: NOT_FOUND, RoleDenied: DENIED, ForgedForm: FORGED, WrongCursor: WRONG_REQUEST,
    ReadingsDeleted: PAST_RETENTION,
}  # fmt: skip
_NEEDS_REFERENCE: Final = 500


class Problem(JSONResponse):
    """An error for a program."""

    media_type = "application/problem+json"


def is_program(request: Request) -> bool:
    """Whether a program asks: the API, or a script of a page."""
    return (
        request.url.path.startswith("/api/")
        or request.url.path.endswith(".json")
        or request.headers.get("accept", "").startswith("application/json")
    )


def problem(status: int, title: str, detail: str, reference: str | None = None) -> Problem:
    """The problem+json of an error."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Problem(body | ({"reference": reference} if reference else {}), status_code=status)


def answer(request: Request, trouble: Trouble, *, reference: str | None = None, detail: str | None = None) -> Response:
    """The page or the problem of an error."""
    if is_program(request):
        words = Wording(language=language_of(request))
        return problem(trouble.status, words.say(trouble.title), detail or words.say(trouble.text), reference)
    return render(request, "error.html", status=trouble.status, trouble=trouble, reference=reference)


async def unforeseen(request: Request, reference: str) -> Response:
    """The answer to an error that nobody foresaw. Takes nothing from the database, which may be the cause."""
    request.state.visit = _anonymous(request)
    return answer(request, FAILED, reference=reference)


async def too_large(request: Request) -> Response:
    """The answer to a file that is larger than any may be; it was not read."""
    request.state.visit = _anonymous(request)
    return answer(request, TOO_LARGE)


def _anonymous(request: Request) -> Visit:
    return Visit(language=language_of(request), person=None, nonce="", form_token="", new_visit=False)


def install(app: FastAPI) -> None:
    """Register what turns errors into answers."""

    async def login_needed(request: Request, _error: Exception) -> Response:
        if is_program(request):
            words = Wording(language=language_of(request))
            return problem(
                401, words.say(N_("로그인이 필요합니다")), words.say(N_("이 주소는 로그인한 사용자에게만 답합니다."))
            )
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        target = "/login" if here == "/" or request.method != "GET" else f"/login?next={quote(here)}"
        return RedirectResponse(target, status_code=303)

    async def foreseen(request: Request, error: Exception) -> Response:
        trouble = _FORESEEN.get(type(error), FAILED)
        return await _told(request, error, trouble)

    async def away(request: Request, error: Exception) -> Response:
        request.state.visit = _anonymous(request)  # a page about the database's absence does not ask it who is there
        return await _told(request, error, AWAY)

    async def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return await _told(request, error, _BY_STATUS.get(error.status_code, FAILED), str(error.detail))

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        detail = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        return await _told(request, error, WRONG_REQUEST, detail)

    app.add_exception_handler(LoginNeeded, login_needed)
    app.add_exception_handler(PermanentError, foreseen)
    app.add_exception_handler(TransientError, away)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, invalid)


async def _told(request: Request, error: Exception, trouble: Trouble, detail: str | None = None) -> Response:
    reference = None
    if trouble.status >= _NEEDS_REFERENCE:
        reference = new_reference()
        log_error(request.scope, reference, error)
    return await run_in_threadpool(answer, request, trouble, reference=reference, detail=detail)

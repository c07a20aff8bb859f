"""수기 관측값: what people observed, entered by the site's officer or the team, each with the document that proves it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from core.database import Connection
from core.errors import NotFound, PermanentError
from dashboards.access import VisiblePilot
from dashboards.plans import plan_of
from dashboards.routes.pilot import pilot_page
from dashboards.site import Database
from dashboards.users import Person
from dashboards.visit import Pilot, Who, only, real_form, visit_of
from kpi.records import documents
from kpi.records.manual import ManualEntry, add_manual, manual_entries, quantity_of, require_free, withdraw_manual
from kpi.records.manual_rules import Given, checked, in_unit, number, whole, window_of
from kpi.records.refusal import refusal_text

router = APIRouter()

_ENTERING: Final = ("officer", "admin")
_FIELDS: Final = ("of", "start", "end", "at", "value", "exposure", "n", "sd", "slot", "measured_by", "note")
_WRONG: Final = 400
_MOST_NUMBER: Final = 2**62
_Text = Annotated[str, Form(max_length=2_000)]
_SHOWN_TYPES: Final = frozenset({"application/pdf", "image/png", "image/jpeg", "text/csv", "text/plain"})
"""What a browser is told a document is. It saves it in any case; of all others it is told nothing."""


def _fields(
    of: _Text = "",
    start: _Text = "",
    end: _Text = "",
    at: _Text = "",
    value: _Text = "",
    exposure: _Text = "",
    n: _Text = "",
    sd: _Text = "",
    slot: _Text = "",
    measured_by: _Text = "",
    note: _Text = "",
) -> dict[str, str]:
    """What the form says, as it was typed."""
    return {
        "of": of, "start": start, "end": end, "at": at, "value": value, "exposure": exposure, "n": n, "sd": sd, "slot": slot,
        "measured_by": measured_by, "note": note,
    }  # fmt: skip


_Fields = Annotated[dict[str, str], Depends(_fields)]


@router.get("/pilots/{pilot}/manual")
def listed(request: Request, pilot: Pilot, person: Who, connection: Database) -> Response:
    """Everything that was entered, unaltered, with who and when; the withdrawn too."""
    plan = plan_of(connection, pilot)
    found = manual_entries(connection, pilot.name, withdrawn_too=True)
    by_quantity = {
        name: [one for one in reversed(found) if one.quantity == name]
        for name in dict.fromkeys([*plan.manual, *(one.quantity for one in found)])
    }
    return pilot_page(
        request, connection, person, pilot, "manual.html", quantities=plan.manual, entries=by_quantity,
        may_enter=person.role in _ENTERING,
    )  # fmt: skip


@router.get("/pilots/{pilot}/manual/new", dependencies=[Depends(only(*_ENTERING))])
def form(request: Request, pilot: Pilot, person: Who, connection: Database, of: str = "") -> Response:
    """The form of one quantity."""
    return _form(request, connection, person, pilot, {**dict.fromkeys(_FIELDS, ""), "of": of}, None)


def _form(
    request: Request,
    connection: Connection,
    person: Person,
    pilot: VisiblePilot,
    given: Mapping[str, str],
    fault: PermanentError | None,
) -> Response:
    plan = plan_of(connection, pilot)
    language = visit_of(request).language
    return pilot_page(
        request,
        connection,
        person,
        pilot,
        "manual_form.html",
        status=200 if fault is None else _WRONG,
        given=given,
        quantity=quantity_of(plan, given["of"]),
        fault=None if fault is None else refusal_text(fault, language),
        most_mib=documents.MOST_BYTES >> 20,
    )


def _given(connection: Connection, pilot: VisiblePilot, fields: Mapping[str, str]) -> Given:
    """What a form says, as an entry.

    :raises PermanentError: it cannot be one; the message says why.
    """
    declared = quantity_of(plan_of(connection, pilot), fields["of"])
    start, end = window_of(fields["start"], fields["end"], fields["at"], pilot.zone_info)
    below = "" if declared.exposure is None else declared.exposure.unit
    return Given(
        quantity=fields["of"],
        slot=fields["slot"] or None,
        start=start,
        end=end,
        value=in_unit("value", fields["value"], declared.unit),
        exposure=in_unit("exposure", fields["exposure"], below) if fields["exposure"] else None,
        n=whole("n", fields["n"]) if fields["n"] else None,
        sd=number("sd", fields["sd"]) if fields["sd"] else None,
        measured_by=fields["measured_by"],
        note=fields["note"],
    )


@router.post("/pilots/{pilot}/manual/preview", dependencies=[Depends(only(*_ENTERING)), Depends(real_form)])
def preview(
    request: Request,
    pilot: Pilot,
    person: Who,
    connection: Database,
    fields: _Fields,
    document: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """What would be recorded. The document waits with it."""
    plan = plan_of(connection, pilot)
    quantity_of(plan, fields["of"])  # or there is no such page
    try:
        given = _given(connection, pilot, fields)
        checked(given, plan.manual[fields["of"]], datetime.now(UTC))
        require_free(manual_entries(connection, pilot.name, quantity=given.quantity), [given])
        name, content = ("", b"") if document is None else (document.filename or "", document.file.read())
        paper = documents.paper(name, content)
    except PermanentError as fault:
        return _form(request, connection, person, pilot, fields, fault)
    return pilot_page(
        request,
        connection,
        person,
        pilot,
        "manual_preview.html",
        fields=fields,
        given=given,
        quantity=plan.manual[fields["of"]],
        paper=paper,
        upload=documents.set_aside(connection, pilot.name, person.name, paper),
    )


@router.post("/pilots/{pilot}/manual", dependencies=[Depends(only(*_ENTERING)), Depends(real_form)])
def add(
    request: Request,
    pilot: Pilot,
    person: Who,
    connection: Database,
    fields: _Fields,
    upload: _Text = "",
) -> Response:
    """Record it."""
    quantity_of(plan_of(connection, pilot), fields["of"])
    try:
        paper = documents.waiting(connection, pilot.name, person.name, upload)
        [entry] = add_manual(
            connection, pilot.name, [_given(connection, pilot, fields)], paper, who=person.name
        )  # fmt: skip
        documents.taken(connection, upload)
    except PermanentError as fault:
        return _form(request, connection, person, pilot, fields, fault)
    return RedirectResponse(f"/pilots/{pilot.name}/manual#entry-{entry.manual_id}", status_code=303)


@router.get("/pilots/{pilot}/manual/{entry}/withdraw", dependencies=[Depends(only(*_ENTERING))])
def withdrawing(request: Request, pilot: Pilot, person: Who, connection: Database, entry: int) -> Response:
    """What would be withdrawn; it asks why."""
    return _withdrawing(request, connection, person, pilot, entry, None)


def _withdrawing(
    request: Request,
    connection: Connection,
    person: Person,
    pilot: VisiblePilot,
    entry: int,
    fault: PermanentError | None,
) -> Response:
    return pilot_page(
        request,
        connection,
        person,
        pilot,
        "manual_withdraw.html",
        status=200 if fault is None else _WRONG,
        one=_entry(connection, pilot, entry),
        quantities=plan_of(connection, pilot).manual,
        fault=None if fault is None else refusal_text(fault, visit_of(request).language),
    )


@router.post("/pilots/{pilot}/manual/{entry}/withdraw", dependencies=[Depends(only(*_ENTERING)), Depends(real_form)])
def withdraw(
    request: Request, pilot: Pilot, person: Who, connection: Database, entry: int, why: _Text = ""
) -> Response:
    """Let it count no more."""
    _entry(connection, pilot, entry)
    try:
        withdraw_manual(connection, entry, why=why, who=person.name, pilot=pilot.name)
    except PermanentError as fault:
        return _withdrawing(request, connection, person, pilot, entry, fault)
    return RedirectResponse(f"/pilots/{pilot.name}/manual#entry-{entry}", status_code=303)


def _entry(connection: Connection, pilot: VisiblePilot, entry: int) -> ManualEntry:
    there = manual_entries(connection, pilot.name, withdrawn_too=True)
    found = next((one for one in there if one.manual_id == entry), None)
    if found is None:
        raise NotFound(f"Pilot {pilot.name} has no manual entry {entry}.")
    return found


@router.get("/pilots/{pilot}/manual/documents/{sha256}")
def document(pilot: Pilot, connection: Database, sha256: str) -> Response:
    """The file that proves an entry, byte by byte, to be saved: no browser opens it in this site's name."""
    asked = sha256.replace("\0", "")[:64]
    kept = documents.document(connection, pilot.name, asked)
    content = documents.content(connection, pilot.name, asked)
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "._-") else "_" for sign in kept.name)
    headers = {
        "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(kept.name, safe='')}",
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox; default-src 'none'",
    }
    kind = kept.media_type if kept.media_type in _SHOWN_TYPES else "application/octet-stream"
    return Response(content, media_type=kind, headers=headers)

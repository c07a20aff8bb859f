"""수기 관측값: what people observed, entered by the site's officer or the team, each with the document that proves it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, File, UploadFile
from fastapi.responses import Response

from core.database import Connection
from core.errors import NotFound, PermanentError
from dashboards.access import VisiblePilot
from dashboards.forms import ENTERING, Text, paper_of
from dashboards.pilot_page import Page, PilotPage
from dashboards.plans import plan_of
from dashboards.site import Database
from dashboards.visit import Pilot, only, real_form
from kpi.records import documents
from kpi.records.manual import ManualEntry, add_manual, manual_entries, quantity_of, require_free, withdraw_manual
from kpi.records.manual_rules import Given, checked, in_unit, number, whole, window_of

router = APIRouter()

_FIELDS: Final = ("of", "start", "end", "at", "value", "exposure", "n", "sd", "slot", "measured_by", "note")
_SHOWN_TYPES: Final = frozenset({"application/pdf", "image/png", "image/jpeg", "text/csv", "text/plain"})
"""What a browser is told a document is. It saves it in any case; of all others it is told nothing."""


def _fields(
    of: Text = "",
    start: Text = "",
    end: Text = "",
    at: Text = "",
    value: Text = "",
    exposure: Text = "",
    n: Text = "",
    sd: Text = "",
    slot: Text = "",
    measured_by: Text = "",
    note: Text = "",
) -> dict[str, str]:
    """What the form says, as it was typed."""
    return {
        "of": of, "start": start, "end": end, "at": at, "value": value, "exposure": exposure, "n": n, "sd": sd, "slot": slot,
        "measured_by": measured_by, "note": note,
    }  # fmt: skip


_Fields = Annotated[dict[str, str], Depends(_fields)]


@router.get("/pilots/{pilot}/manual")
def listed(page: Page) -> Response:
    """Everything that was entered, unaltered, with who and when; the withdrawn too."""
    plan = page.plan
    found = manual_entries(page.connection, page.pilot.name, withdrawn_too=True)
    by_quantity = {
        name: [one for one in reversed(found) if one.quantity == name]
        for name in dict.fromkeys([*plan.manual, *(one.quantity for one in found)])
    }
    return page.show("manual.html", quantities=plan.manual, entries=by_quantity,
        may_enter=page.person.role in ENTERING,
    )  # fmt: skip


@router.get("/pilots/{pilot}/manual/new", dependencies=[Depends(only(*ENTERING))])
def form(page: Page, of: str = "") -> Response:
    """The form of one quantity."""
    return _form(page, {**dict.fromkeys(_FIELDS, ""), "of": of}, None)


def _form(page: PilotPage, given: Mapping[str, str], fault: PermanentError | None) -> Response:
    plan = page.plan
    return page.show(
        "manual_form.html",
        given=given,
        quantity=quantity_of(plan, given["of"]),
        fault=fault,
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


@router.post("/pilots/{pilot}/manual/preview", dependencies=[Depends(only(*ENTERING)), Depends(real_form)])
def preview(page: Page, fields: _Fields, document: Annotated[UploadFile | None, File()] = None) -> Response:
    """What would be recorded. The document waits with it."""
    plan = page.plan
    quantity_of(plan, fields["of"])  # or there is no such page
    try:
        given = _given(page.connection, page.pilot, fields)
        checked(given, plan.manual[fields["of"]], datetime.now(UTC))
        require_free(manual_entries(page.connection, page.pilot.name, quantity=given.quantity), [given])
        paper = paper_of(document)
    except PermanentError as fault:
        return _form(page, fields, fault)
    return page.show(
        "manual_preview.html",
        fields=fields,
        given=given,
        quantity=plan.manual[fields["of"]],
        paper=paper,
        upload=documents.set_aside(page.connection, page.pilot.name, page.person.name, paper),
    )


@router.post("/pilots/{pilot}/manual", dependencies=[Depends(only(*ENTERING)), Depends(real_form)])
def add(page: Page, fields: _Fields, upload: Text = "") -> Response:
    """Record it."""
    quantity_of(page.plan, fields["of"])
    try:
        paper = documents.waiting(page.connection, page.pilot.name, page.person.name, upload)
        [entry] = add_manual(
            page.connection, page.pilot.name, [_given(page.connection, page.pilot, fields)], paper, who=page.person.name
        )  # fmt: skip
        documents.taken(page.connection, upload)
    except PermanentError as fault:
        return _form(page, fields, fault)
    return page.to(f"manual#entry-{entry.manual_id}")


@router.get("/pilots/{pilot}/manual/{entry}/withdraw", dependencies=[Depends(only(*ENTERING))])
def withdrawing(page: Page, entry: int) -> Response:
    """What would be withdrawn; it asks why."""
    return _withdrawing(page, entry, None)


def _withdrawing(page: PilotPage, entry: int, fault: PermanentError | None) -> Response:
    return page.show(
        "manual_withdraw.html",
        one=_entry(page.connection, page.pilot, entry),
        quantities=page.plan.manual,
        fault=fault,
    )


@router.post("/pilots/{pilot}/manual/{entry}/withdraw", dependencies=[Depends(only(*ENTERING)), Depends(real_form)])
def withdraw(page: Page, entry: int, why: Text = "") -> Response:
    """Let it count no more."""
    _entry(page.connection, page.pilot, entry)
    try:
        withdraw_manual(page.connection, entry, why=why, who=page.person.name, pilot=page.pilot.name)
    except PermanentError as fault:
        return _withdrawing(page, entry, fault)
    return page.to(f"manual#entry-{entry}")


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

"""정답 기록: truth labels, uploaded as a file or entered by the site's officer or the team; shown before they are recorded."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, File, UploadFile
from fastapi.responses import Response

from core.database import Connection
from core.errors import NotFound, PermanentError
from core.window import instant
from dashboards.access import VisiblePilot
from dashboards.forms import ENTERING, Text, paper_of
from dashboards.labelling import OUTCOME_WORDS, SIDE_WORDS, kinds_shown
from dashboards.pilot_page import Page, PilotPage
from dashboards.plans import plan_of
from dashboards.site import Database
from dashboards.users import Person
from dashboards.visit import Pilot, only, real_form
from kpi.records import documents
from kpi.records.label_cells import Defaults
from kpi.records.label_file import Preview, preview
from kpi.records.label_windows import sample_windows
from kpi.records.labels import OUTCOMES, Given, Label, add_labels, labels, truth_slots, withdraw_label

router = APIRouter()

_MOST_ROWS: Final = 200
"""So many rows of a file are shown before it is taken; those that are refused first."""
_FIELDS: Final = ("of", "labeller", "side", "blind", "reader", "slot", "start", "end", "outcome", "place", "note")


def _about(
    of: Text = "",
    labeller: Text = "",
    side: Text = "",
    blind: Text = "",
    reader: Text = "1",
) -> dict[str, str]:
    """What the forms say of all that they hold, as it was typed."""
    return {"of": of, "labeller": labeller, "side": side, "blind": blind, "reader": reader}


_About = Annotated[dict[str, str], Depends(_about)]


def _said(
    about: _About,
    slot: Text = "",
    start: Text = "",
    end: Text = "",
    outcome: Text = "",
    place: Text = "",
    note: Text = "",
) -> dict[str, str]:
    """The same, and what the form of one label says."""
    return about | {"slot": slot, "start": start, "end": end, "outcome": outcome, "place": place, "note": note}


_Said = Annotated[dict[str, str], Depends(_said)]


@router.get("/pilots/{pilot}/labels")
def listed(page: Page) -> Response:
    """How far the labelling is, and the newest labels of each kind."""
    return page.show("labels.html", kinds=kinds_shown(page.connection, page.pilot, page.plan),
        outcome_words=OUTCOME_WORDS, side_words=SIDE_WORDS, may_enter=page.person.role in ENTERING,
    )  # fmt: skip


@router.get("/pilots/{pilot}/labels/new", dependencies=[Depends(only(*ENTERING))])
def form(page: Page, of: str = "") -> Response:
    """The forms: a file, or one label."""
    return _form(page, {"of": of}, None)


def _form(page: PilotPage, given: Mapping[str, str], fault: PermanentError | None) -> Response:
    plan = page.plan
    slots = truth_slots(plan, given["of"])
    return page.show(
        "label_form.html",
        given={**dict.fromkeys(_FIELDS, ""), "outcome": "positive", "reader": "1", **given},
        slots=slots,
        sides=_sides(page.person),
        side_words=SIDE_WORDS,
        outcome_words=OUTCOME_WORDS,
        fault=fault,
        most_mib=documents.MOST_BYTES >> 20,
    )


def _sides(person: Person) -> tuple[str, ...]:
    """Whose labels somebody may enter: an officer those of the site, the team its own and those of others whose paper it has."""
    return ("site",) if person.role == "officer" else ("team", "outside", "site")


def _defaults(pilot: VisiblePilot, person: Person, fields: Mapping[str, str]) -> Defaults:
    side = fields["side"] if fields["side"] in _sides(person) else _sides(person)[0]
    return Defaults(
        labeller=fields["labeller"],
        side=side,
        blind=fields["blind"] == "yes",
        reader=2 if fields["reader"] == "2" else 1,
        zone=pilot.zone_info,
    )


def _previewed(
    connection: Connection, pilot: VisiblePilot, person: Person, fields: Mapping[str, str], paper: documents.Paper
) -> Preview:
    """What will be taken of a file; labels of a side that this person does not speak for are not."""
    found = preview(connection, pilot.name, fields["of"], paper, _defaults(pilot, person, fields))
    sides = _sides(person)
    rows = tuple(
        row
        if row.given is None or row.fault is not None or row.given.side in sides
        else replace(
            row,
            fault=(
                f"소속이 {row.given.side}인 라벨은 이 계정으로 올릴 수 없습니다",
                f"labels of the side {row.given.side} cannot be given by this account",
            ),
        )
        for row in found.rows
    )
    return replace(found, rows=rows)


@router.post("/pilots/{pilot}/labels/preview", dependencies=[Depends(only(*ENTERING)), Depends(real_form)])
def show_preview(
    page: Page,
    fields: _About,
    document: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """What would be taken of a file, row by row. The file waits."""
    truth_slots(page.plan, fields["of"])  # or there is no such page
    try:
        paper = paper_of(document)
        found = _previewed(page.connection, page.pilot, page.person, fields, paper)
    except NotFound:
        raise
    except PermanentError as fault:
        return _form(page, fields, fault)
    rows = sorted(found.rows, key=lambda row: (row.fault is None, row.line))[:_MOST_ROWS]
    return page.show(
        "label_preview.html",
        fields=fields,
        found=found,
        rows=sorted(rows, key=lambda row: row.line),
        taken=len(found.taken),
        not_taken=len(found.refused),
        outcome_words=OUTCOME_WORDS,
        side_words=SIDE_WORDS,
        upload=documents.set_aside(page.connection, page.pilot.name, page.person.name, paper) if found.taken else "",
    )


@router.post("/pilots/{pilot}/labels", dependencies=[Depends(only(*ENTERING)), Depends(real_form)])
def take(
    page: Page,
    fields: _About,
    upload: Text = "",
) -> Response:
    """Record what was shown."""
    truth_slots(page.plan, fields["of"])
    try:
        paper = documents.waiting(page.connection, page.pilot.name, page.person.name, upload)
        found = _previewed(page.connection, page.pilot, page.person, fields, paper)
        add_labels(page.connection, page.pilot.name, fields["of"], found.taken, paper=paper, who=page.person.name)
        documents.taken(page.connection, upload)
    except NotFound:
        raise
    except PermanentError as fault:
        return _form(page, fields, fault)
    return page.to(f"labels#of-{fields['of']}")


@router.post("/pilots/{pilot}/labels/one", dependencies=[Depends(only(*ENTERING)), Depends(real_form)])
def add(
    page: Page,
    fields: _Said,
) -> Response:
    """Record one label."""
    truth_slots(page.plan, fields["of"])
    try:
        add_labels(
            page.connection,
            page.pilot.name,
            fields["of"],
            [_one(page.pilot, page.person, fields)],
            who=page.person.name,
        )
    except NotFound:
        raise
    except PermanentError as fault:
        return _form(page, fields, fault)
    return page.to(f"labels#of-{fields['of']}")


def _one(pilot: VisiblePilot, person: Person, fields: Mapping[str, str]) -> Given:
    """What the form of one label says.

    :raises PermanentError: its time cannot be read.
    """
    said = _defaults(pilot, person, fields)
    begun = _local(pilot, fields["start"])
    outcome: Any = fields["outcome"] if fields["outcome"] in OUTCOMES else "positive"
    side: Any = said.side
    return Given(
        slot=fields["slot"], start=begun, end=_local(pilot, fields["end"]) if fields["end"] else begun, outcome=outcome,
        labeller=said.labeller, side=side, blind=bool(said.blind), reader=said.reader, place=fields["place"],
        note=fields["note"],
    )  # fmt: skip


def _local(pilot: VisiblePilot, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise PermanentError(f"{text!r} is no time: write it as 2026-05-01T09:00:10.") from None
    return found.replace(tzinfo=pilot.zone_info) if found.tzinfo is None else found


@router.get("/pilots/{pilot}/labels/windows/{key}.csv")
def windows(pilot: Pilot, connection: Database, key: str) -> Response:
    """The windows of a sample that are to be labelled, up to now."""
    plan = plan_of(connection, pilot)
    seen = replace(plan.window, end=max(min(plan.window.end, datetime.now(UTC)), plan.window.start))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("slot", "start", "end", "look_from", "look_until"))
    for one in sample_windows(plan, key, seen):
        writer.writerow([one.slot, *(instant(at).astimezone(plan.zone).isoformat() for at in one.times.values())])
    name = "".join(sign for sign in key if sign.isalnum() or sign in "-_")
    headers = {"content-disposition": f'attachment; filename="{pilot.name}-{name}-windows.csv"'}
    return Response("\ufeff" + text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/pilots/{pilot}/labels/{number}/withdraw", dependencies=[Depends(only(*ENTERING))])
def withdrawing(page: Page, number: int) -> Response:
    """What would be withdrawn; it asks why."""
    return _withdrawing(page, number, None)


def _withdrawing(page: PilotPage, number: int, fault: PermanentError | None) -> Response:
    return page.show(
        "label_withdraw.html",
        one=_label(page.connection, page.pilot, number),
        outcome_words=OUTCOME_WORDS,
        side_words=SIDE_WORDS,
        fault=fault,
    )


@router.post("/pilots/{pilot}/labels/{number}/withdraw", dependencies=[Depends(only(*ENTERING)), Depends(real_form)])
def withdraw(page: Page, number: int, why: Text = "") -> Response:
    """Let it count no more."""
    one = _label(page.connection, page.pilot, number)
    try:
        withdraw_label(page.connection, number, why=why, who=page.person.name, pilot=page.pilot.name)
    except PermanentError as fault:
        return _withdrawing(page, number, fault)
    return page.to(f"labels#of-{one.kind}")


def _label(connection: Connection, pilot: VisiblePilot, number: int) -> Label:
    there = labels(connection, pilot.name, withdrawn_too=True)
    found = next((one for one in there if one.label_id == number), None)
    if found is None:
        raise NotFound(f"Pilot {pilot.name} has no label {number}.")
    return found

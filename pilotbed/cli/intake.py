"""``pilotbed intake``: the account of a day: what was expected and sent, what came, what became of it; and what is done about raw
messages. ``pilotbed intake PILOT`` is ``pilotbed intake day PILOT``.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from core.errors import NegativeAnswer, PermanentError
from core.settings import settings
from pilotbed.cli.instant import day as day_of
from pilotbed.cli.redecode import redecode
from pilotbed.cli.retain import retain

if TYPE_CHECKING:  # imported where they are needed, so that --help is there at once
    from telemetry.account import Account


class _DayFirst(TyperGroup):
    """What is no subcommand is a pilot whose account is asked for."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the subcommand in that was left out."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["day", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_DayFirst,
    help="The account of a day (`pilotbed intake PILOT`); decode raw messages again; delete what is past its time.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(redecode)
app.command()(retain)


@app.command("day")
def intake(
    pilot: Annotated[str, typer.Argument(metavar="PILOT", help="The pilot's name.")],
    day: Annotated[
        str | None, typer.Option(help="A calendar day of receipt in the pilot's zone, YYYY-MM-DD; today if left out.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=400, help="So many days, that one the last: a list of accounts.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    language: Annotated[str | None, typer.Option("--lang", help="ko or en; PILOTBED_LANGUAGE if left out.")] = None,
) -> None:
    """What was expected, delivered and stored on a day, and what was not: refused, set aside, missing, late.

    Exits with 1 if a sum that must hold does not.
    """
    from core.database import connected
    from pilotbed.stack.attach import attached_database
    from telemetry import intake as accounts

    told_in = language or settings().language
    asked = None if day is None else day_of("--day", day)
    if not as_json:
        _require_language(told_in)
    with attached_database() as url, connected(url) as connection:
        now = datetime.now(UTC)
        today = accounts.today(connection, pilot, now)
        last = asked or today
        if last > today:
            raise PermanentError(f"--day {last} lies ahead of the pilot's today, {today}: nothing can have come yet.")
        wanted = [last - timedelta(days=back) for back in reversed(range(days or 1))]
        found = [accounts.account(connection, pilot, one, now=now) for one in wanted]
    if as_json:
        from telemetry.account_document import document

        whole = document(found[0]) if days is None else {"pilot": pilot, "days": [document(one) for one in found]}
        print(json.dumps(whole, ensure_ascii=False))
    else:
        from pilotbed.cli.intake_table import show

        for one in found:
            show(one, told_in)
    _require_balanced(found)


def _require_language(language: str) -> None:
    from core.language import LANGUAGES

    if language not in LANGUAGES:
        raise PermanentError(f"--lang {language!r} is no language of Pilotbed; choose one of: {', '.join(LANGUAGES)}.")


def _require_balanced(found: list[Account]) -> None:
    broken = [
        f"{one.day}: {identity.rule} ({', '.join(identity.broken)})"
        for one in found
        for identity in one.identities
        if not identity.holds
    ]
    if broken:
        raise NegativeAnswer(
            f"The account of {found[0].pilot} does not balance on {'; '.join(broken)}. Rows were changed by hand, or this is"
            " an error of the platform: keep the database as it is and tell the operator."
        )

"""``pilotbed report``: the documents."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from core.errors import EnvironmentProblem, PermanentError
from core.files import write_whole
from core.language import LANGUAGES
from core.settings import settings
from pilotbed.cli import group

if TYPE_CHECKING:  # imported where they are needed, so that --help is there at once
    from core.database import Connection
    from kpi.reports.record import OpinionData

app = group("Write the monthly opinion.")

FORMATS: Final = ("pdf", "json")


@app.callback()
def _documents() -> None:
    """A group even while it has one command."""


@app.command()
def opinion(
    pilot: Annotated[str, typer.Argument(help="The pilot's name.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")],
    month: Annotated[str | None, typer.Option(help="YYYY-MM; the last whole month if left out.")] = None,
    format: Annotated[str, typer.Option(help=f"One of: {', '.join(FORMATS)}.")] = "pdf",  # noqa: A002 - the option's name
    lang: Annotated[str | None, typer.Option(help=f"One of: {', '.join(LANGUAGES)}.")] = None,
) -> None:
    """Write a month's monitoring opinion. The month is evaluated, and the result kept, if that is not done yet."""
    if format not in FORMATS:
        raise PermanentError(f"An opinion is not written as {format!r}; choose one of: {', '.join(FORMATS)}.")
    language = lang or settings().language
    if language not in LANGUAGES:
        raise PermanentError(f"There is no language {language!r}; choose one of: {', '.join(LANGUAGES)}.")
    if not output.absolute().parent.is_dir():
        raise EnvironmentProblem(
            f"The folder {output.absolute().parent} does not exist: make it, or name another file."
        )
    from core.database import connected
    from kpi.reports.opinion import opinion_json, opinion_pdf
    from pilotbed.stack.attach import attached_database

    with attached_database() as url, connected(url) as connection:
        data = _opinion(connection, pilot, month)
    write_whole(output, opinion_json(data) if format == "json" else opinion_pdf(data, language))
    typer.echo(f"{output}: opinion {data.number}, {data.month}", err=True)


def _opinion(connection: Connection, pilot: str, month: str | None) -> OpinionData:
    """The opinion on the newest result of a month, which is evaluated now."""
    from core.audit import command_line_user
    from devices.registry import plan_of
    from kpi.evaluate import evaluate
    from kpi.reports.gather import last_whole_month, opinion_data
    from kpi.results import newest, store

    plan, _, _ = plan_of(connection, pilot)
    label = month or last_whole_month(plan, datetime.now(UTC))
    store(connection, evaluate(connection, pilot, month=label), who=command_line_user())
    result = newest(connection, pilot, "month", label)
    assert result is not None
    return opinion_data(connection, result)

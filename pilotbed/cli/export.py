"""``pilotbed export``: a pilot's data as CSV or Parquet, enough to recompute everything outside."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from core.errors import PermanentError
from core.settings import settings
from pilotbed.cli.instant import day, instant

if TYPE_CHECKING:  # imported where they are needed, so that --help is there at once
    from telemetry.export import Exported

_SHOWN_AFTER_S: Final = 2.0


def export(
    pilot: Annotated[str, typer.Argument(metavar="PILOT", help="The pilot's name.")],
    out: Annotated[
        Path,
        typer.Option(
            "-o", "--out", metavar="DIR", help="A folder, empty or not there yet; a begun export in it goes on."
        ),
    ],
    format_: Annotated[Literal["csv", "parquet"], typer.Option("--format", help="csv or parquet.")],
    shape: Annotated[
        Literal["long", "wide"],
        typer.Option(
            help="long: a row a reading, with receipt time and flags; wide: a row an instant, a column a channel."
        ),
    ] = "long",
    zone: Annotated[
        str,
        typer.Option(
            help="How instants are written: utc, pilot (the pilot's zone) or an IANA name. Months are the pilot's always."
        ),
    ] = "utc",
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="DAY", help="The first calendar day of the pilot's zone, YYYY-MM-DD."),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", metavar="DAY", help="The day after the last one: the window is half-open, [from, to)."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="SLOT/CHANNEL", help="Readings of this channel only; may be repeated.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            help="What was received and recorded up to then, with a zone: 2026-05-01T09:00+09:00. Now if left out."
        ),
    ] = None,
    bom: Annotated[
        bool, typer.Option("--bom/--no-bom", help="CSV: begin files with the mark by which Excel knows UTF-8.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    language: Annotated[str | None, typer.Option("--lang", help="ko or en; PILOTBED_LANGUAGE if left out.")] = None,
) -> None:
    """Write a pilot's readings, and all that its results rest on, to a folder of CSV or Parquet files.

    Started again after it was cut short, it goes on where it was. docs/export.md says what the files hold.
    """
    from core.database import connected
    from core.language import LANGUAGES
    from pilotbed.stack.attach import attached_database
    from telemetry.export import Ask
    from telemetry.export import export as write

    told_in = language or settings().language
    if told_in not in LANGUAGES:
        raise PermanentError(f"--lang {told_in!r} is no language of Pilotbed; choose one of: {', '.join(LANGUAGES)}.")
    ask = Ask(
        pilot=pilot,
        format=format_,
        shape=shape,
        zone=zone,
        start=None if start is None else day("--from", start),
        end=None if end is None else day("--to", end),
        only=tuple(only or ()),
        as_of=None if as_of is None else instant("--as-of", as_of),
        bom=bom,
    )
    with (
        attached_database() as url,
        connected(url, application="pilotbed export") as connection,
        _progress(told_in) as tell,
    ):
        done = write(connection, ask, out, progress=tell)
    if as_json:
        print(json.dumps(_plain(done), ensure_ascii=False))
    else:
        typer.echo(_told(done, told_in))


def _plain(done: Exported) -> dict[str, object]:
    from core.canonical import plain

    return {
        "path": str(done.path),
        "files": done.files,
        "rows": done.rows,
        "readings": done.readings,
        "bytes": done.bytes,
        "as_of": plain(done.as_of),
        "resumed": done.resumed,
    }


def _told(done: Exported, language: str) -> str:
    size = f"{done.bytes / 1e6:,.1f} MB"
    at = done.as_of.isoformat(timespec="microseconds")
    if language == "ko":
        more = " · 이어서 씀" if done.resumed else ""
        return f"{done.path}: 측정값 {done.readings:,}건({done.rows:,}행) · 파일 {done.files}개 · {size} · 기준일시 {at}{more}"
    more = " · gone on with" if done.resumed else ""
    return f"{done.path}: {done.readings:,} readings in {done.rows:,} rows · {done.files} files · {size} · as of {at}{more}"


@contextmanager
def _progress(language: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr, where that is a terminal and the export takes a while."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("내보내기" if language == "ko" else "exporting"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("", total=None)
    watched, begun = sys.stderr.isatty(), time.monotonic()

    def tell(done: int, about: int) -> None:
        if not watched or time.monotonic() - begun < _SHOWN_AFTER_S:
            return
        bar.start()
        # Until an hour is summarised its readings are in no total.
        bar.update(task, completed=done, total=max(done, about) if about else None)

    try:
        yield tell
    finally:
        if bar.live.is_started:
            bar.stop()

"""``pilotbed bundle``: one file that proves a pilot's results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import PermanentError
from core.settings import settings
from pilotbed.cli.bar import progress
from pilotbed.cli.instant import day

if TYPE_CHECKING:  # imported where they are needed, so that --help is there at once
    from core.database import Connection
    from kpi.bundle.write import Bundled
    from telemetry.seals.close import Sealer


def bundle(
    pilot: Annotated[str, typer.Argument(metavar="PILOT", help="The pilot's name.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="The file to write, as bundle.zip.")],
    month: Annotated[str | None, typer.Option(help="The result of a month, YYYY-MM.")] = None,
    at: Annotated[str | None, typer.Option(help="The result of an evaluation date of the plan, YYYY-MM-DD.")] = None,
    final: Annotated[bool, typer.Option("--final", help="The final result.")] = False,
    seal: Annotated[
        bool,
        typer.Option(
            "--seal/--no-seal", help="Seal what the results rest on, as `seal now` does, where it is not sealed yet."
        ),
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    language: Annotated[str | None, typer.Option("--lang", help="ko or en; PILOTBED_LANGUAGE if left out.")] = None,
) -> None:
    """Pack the evidence that proves a pilot's results: plan, readings, records, seals, and the results themselves.

    Without a choice: the newest version of every recorded result. `pilotbed verify` checks the file anywhere, offline.
    """
    from core.audit import command_line_user
    from core.database import connected
    from core.language import LANGUAGES
    from kpi.bundle.write import bundle as write
    from pilotbed.stack.attach import attached_database

    told_in = language or settings().language
    if told_in not in LANGUAGES:
        raise PermanentError(f"--lang {told_in!r} is no language of Pilotbed; choose one of: {', '.join(LANGUAGES)}.")
    at_day = None if at is None else day("--at", at)
    with (
        attached_database() as url,
        connected(url, application="pilotbed bundle") as connection,
        progress("증빙자료 작성" if told_in == "ko" else "bundling") as tell,
    ):
        done = write(
            connection, pilot, out, month=month, at=at_day, final=final, sealer=_sealer(connection) if seal else None,
            who=command_line_user(), heard=tell,
        )  # fmt: skip
    if as_json:
        print(json.dumps(_plain(done), ensure_ascii=False))
    else:
        typer.echo(_told(done, told_in))


def _sealer(connection: Connection) -> Sealer:
    from pilotbed.jobs.sealing import sealer

    return sealer(connection, settings())


def _plain(done: Bundled) -> dict[str, object]:
    return {
        "path": str(done.path), "pilot": done.pilot, "bytes": done.bytes, "manifest_sha256": done.manifest_sha256,
        "results": list(done.results), "seals": done.seals, "head": done.head, "interim": done.interim,
        "readings": {"rows": done.rows, "used": done.used},
    }  # fmt: skip


def _told(done: Bundled, language: str) -> str:
    size, n = f"{done.bytes / 1e6:,.1f} MB", len(done.results)
    if language == "ko":
        running = " (마지막 봉인은 끝나지 않은 날의 임시 봉인)" if done.interim else ""
        return (
            f"{done.path}: 판정 {n}건 · 측정값 {done.rows:,}건(판정에 쓰일 수 있는 것 {done.used:,}건)"
            f" · 봉인 {done.seals}건{running} · {size}\n마지막 봉인값 {done.head} · 목록 SHA-256 {done.manifest_sha256}"
        )
    running = " (the last one interim: its day was not over)" if done.interim else ""
    return (
        f"{done.path}: {n} result{'' if n == 1 else 's'} · {done.rows:,} readings, {done.used:,} of them used · {done.seals}"
        f" seals{running} · {size}\nlast head {done.head} · SHA-256 of the manifest {done.manifest_sha256}"
    )

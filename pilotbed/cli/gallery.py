"""``pilotbed gallery``: judge the example plans again, and compare with the answers that were worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pilotbed.cli.bar import progress


def gallery(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]…", help="Which: their numbers or names; all if left out.")
    ] = None,
    plans: Annotated[Path, typer.Option(metavar="DIR", help="The folder with the plans and their answers.")] = Path(
        "examples/plans/catalogue"
    ),
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="Write gallery.md and its pictures there.")
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(metavar="URL", help="A PostgreSQL server to make a database on; an embedded one if left out."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Judge an example of each KPI of the catalogue on what its site sent. Ends with 1 if one differs from its known answer.

    It makes a database of its own, which is gone afterwards.
    """
    from core.database import connected
    from core.language import STATES
    from pilotbed.bench.scratch import scratch_database, scratch_server
    from pilotbed.gallery import examples, run
    from pilotbed.gallery.page import picture, write_page

    chosen = examples(plans, tuple(names or ()))
    done, pictured = [], []
    with (
        scratch_server(server) as where,
        scratch_database(where) as url,
        connected(url, application="pilotbed-gallery") as connection,
        progress("사례집 · gallery") as tell,
    ):
        for place, example in enumerate(chosen):
            tell(place, len(chosen))
            ran = run(connection, example)
            done.append(ran)
            if out is not None:
                pictured.append((ran, picture(connection, ran)))
    if out is not None:
        write_page(pictured, out)
    if as_json:
        rows = [
            {
                "name": ran.example.name, "kpi": ran.example.answer.kpi, "differs": ran.differs,
                **{key: ran.entry[key] for key in ("value", "unit", "interval", "sampling", "verdict", "why")},
            }
            for ran in done
        ]  # fmt: skip
        print(json.dumps({"examples": rows}, ensure_ascii=False))
    else:
        for ran in done:
            state = STATES[ran.entry["verdict"]]
            answer = "; ".join(ran.differs) or f"{state.mark} {state.word('ko')}: {ran.entry['why']['ko']}"
            typer.echo(f"{'✕' if ran.differs else '·'} {ran.example.name:26} {answer}")
    if any(ran.differs for ran in done):
        raise typer.Exit(1)

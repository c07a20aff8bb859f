"""What stands beside the readings: plan versions, channels, events, links, outages, findings, results."""

from __future__ import annotations

from typing import Any, Final

from core.canonical import canonical_json
from core.database import Connection
from core.errors import PermanentError
from telemetry.export.asked import SQL, Scope
from telemetry.export.columns import TABLES, Table
from telemetry.export.folder import Folder, Hashed
from telemetry.export.sinks import Csv, Parquet, Sink, schema, table_of

_ROWS: Final = 20_000
"""That are held at once."""


def sink(file: Hashed, scope: Scope, of: Any) -> Sink:
    """A file of the format that was asked for."""
    if scope.ask.format == "parquet":
        return Parquet(file, of)
    return Csv(file, of, zone=scope.zone, bom=scope.ask.bom)


def write_tables(connection: Connection, scope: Scope, folder: Folder) -> None:
    """Every table but the readings; those that are whole stay."""
    for table in TABLES:
        name = f"{table.name}.{scope.ask.format}"
        if folder.whole(name):
            continue
        with folder.writing(name) as file:
            rows = _write(connection, scope, table, file)
        folder.keep(name, file, rows)
        folder.save()


def _write(connection: Connection, scope: Scope, table: Table, file: Hashed) -> int:
    of, n = schema(table.columns, scope.zone), 0
    into = sink(file, scope, of)
    with connection.cursor(f"export_{table.name}") as cursor:
        cursor.itersize = _ROWS
        cursor.execute(SQL[f"table_{table.name}"], _asked(scope))
        while rows := cursor.fetchmany(_ROWS):
            into.write(table_of(table.columns, rows, of))
            n += len(rows)
    into.close()
    return n


def _asked(scope: Scope) -> dict[str, Any]:
    return {
        "pilot": scope.pilot.name,
        "as_of": scope.as_of,
        "start": None if scope.window is None else scope.window.start,
        "end": None if scope.window is None else scope.window.end,
        "channels": scope.channel_ids,
    }


def write_plans(connection: Connection, scope: Scope, folder: Folder) -> None:
    """The bytes of every plan version, as they were applied."""
    for row in connection.execute(SQL["plan_sources"], {"pilot": scope.pilot.name, "as_of": scope.as_of}):
        folder.put(f"plan/v{row['version']}.yaml", bytes(row["source"]))


def write_results(connection: Connection, scope: Scope, folder: Folder) -> None:
    """Every version of every stored result, as canonical JSON."""
    with connection.cursor("export_results") as cursor:
        cursor.itersize = 20
        cursor.execute(SQL["result_documents"], {"pilot": scope.pilot.name, "as_of": scope.as_of})
        for row in cursor:
            name = f"{row['kind']}-{row['label']}-v{row['version']}.json"
            if "/" in name:
                raise PermanentError(f"The result {name!r} cannot be the name of a file: its label holds a slash.")
            folder.put(f"results/{name}", canonical_json(row["document"]))

"""An export from its beginning to its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from core.database import Connection
from core.errors import PermanentError
from core.window import Window
from devices.registry.queries import pilot
from devices.registry.work import await_registry
from telemetry.export.asked import SQL, Ask, Scope, scope
from telemetry.export.folder import Folder, Month, opened
from telemetry.export.long import Long
from telemetry.export.manifest import manifest
from telemetry.export.reading import PIECE, Source
from telemetry.export.readme import readme
from telemetry.export.shapes import Group, Shape, groups
from telemetry.export.tables import sink, write_plans, write_results, write_tables
from telemetry.export.wide import Wide
from telemetry.horizon import close_past
from telemetry.windows import snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Where files and what is held at once are cut."""

    rows_a_file: int
    rows_a_group: int
    """Rows that are held at once; in Parquet they make a row group."""
    rows_a_piece: int = PIECE
    """Readings that are fetched at once."""


SIZES: Final = {
    "parquet": Sizes(rows_a_file=10_000_000, rows_a_group=500_000),
    "csv": Sizes(rows_a_file=1_000_000, rows_a_group=50_000),
}
"""Excel opens 1,048,576 rows; a Parquet file of ten million is some 80 MB."""
_EVER: Final = datetime(9999, 12, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export came to."""

    path: Path
    files: int
    rows: int
    """Of readings/."""
    readings: int
    bytes: int
    as_of: datetime
    resumed: bool


def _quiet(_done: int, _about: int) -> None:
    pass


def export(
    connection: Connection,
    ask: Ask,
    path: Path,
    *,
    progress: Callable[[int, int], None] = _quiet,
    sizes: Sizes | None = None,
) -> Exported:
    """Write an export, or go on with one that was cut short.

    :param path: a folder that is empty, not there, or holds the same export, begun.
    :param progress: told how many rows are written, and about how many there will be (0: not known).
    :param sizes: those of the format if left out.
    :raises NotFound: no such pilot or channel.
    :raises PermanentError: the ask or the folder is wrong; the message says how.
    :raises EnvironmentProblem: no space, or no right to write: what is whole is kept, the same call goes on.
    """
    pilot(connection, ask.pilot)
    _require_sound(connection, ask)
    with opened(path, ask.plain()) as folder:
        as_of = _closed(connection, ask, folder.as_of)
        with snapshot(connection):
            found = scope(connection, ask, as_of)
            folder.begin(as_of)
            return _written(connection, found, folder, sizes or SIZES[ask.format], progress)


def _require_sound(connection: Connection, ask: Ask) -> None:
    """Refuse what is wrong with the ask before a folder is made for it."""
    with snapshot(connection):
        scope(connection, ask, _EVER if ask.as_of is None else ask.as_of)


def _closed(connection: Connection, ask: Ask, before: datetime | None) -> datetime:
    """The instant up to which the export goes, from which on nothing is added to what it shows."""
    if before is not None:
        return before
    closed = close_past(connection)
    await_registry(connection)
    with connection.transaction():
        connection.execute(SQL["await_records"], {"pilot": ask.pilot})
    if ask.as_of is None:
        return closed.astimezone(UTC)
    if ask.as_of > closed:
        raise PermanentError(
            f"--as-of {ask.as_of.isoformat()} lies in the future: what will be received by then is not known at"
            f" {closed.isoformat()}. Give an earlier one, or none."
        )
    return ask.as_of.astimezone(UTC)


def _written(
    connection: Connection, found: Scope, folder: Folder, sizes: Sizes, progress: Callable[[int, int], None]
) -> Exported:
    write_plans(connection, found, folder)
    write_tables(connection, found, folder)
    write_results(connection, found, folder)
    folder.put("README.txt", readme(found))
    shape: Shape = Long(found) if found.ask.shape == "long" else Wide(found, all_columns=found.ask.format == "parquet")
    _Readings(connection, found, folder, shape, sizes, progress).write()
    files = folder.files
    readings = [one for name, one in files.items() if name.startswith("readings/")]
    folder.finish(manifest(found, folder))
    return Exported(
        path=folder.path,
        files=len(files) + 1,
        rows=sum(one.rows or 0 for one in readings),
        readings=sum(one.readings or 0 for one in readings),
        bytes=sum(one.bytes for one in files.values()),
        as_of=found.as_of,
        resumed=folder.resumed,
    )


class _Readings:
    """The partitioned readings: month by month, file by file."""

    def __init__(
        self,
        connection: Connection,
        found: Scope,
        folder: Folder,
        shape: Shape,
        sizes: Sizes,
        progress: Callable[[int, int], None],
    ) -> None:
        self._scope = found
        self._folder = folder
        self._shape = shape
        self._progress = progress
        self._source = Source(connection=connection, as_of=found.as_of, piece=sizes.rows_a_piece)
        self._rows_a_file = sizes.rows_a_file
        self._rows_a_group = min(shape.rows_a_group, sizes.rows_a_group)
        self._about = _about(connection, found) if found.ask.shape == "long" else 0
        self._done = sum(one.rows or 0 for name, one in folder.files.items() if name.startswith("readings/"))

    def write(self) -> None:
        """All months; one file without rows where there is nothing."""
        for month, window in self._scope.months:
            state = self._folder.months.setdefault(month, Month())
            if not state.done:
                self._month(month, window, state)
                state.done = True
                self._folder.save()
        if not any(state.files for state in self._folder.months.values()):
            self._empty(self._scope.first_month)

    def _month(self, month: str, window: Window, state: Month) -> None:
        after = state.after[-1] if state.after else None
        stream = groups(self._shape.chunks(self._source, window, after), self._rows_a_group)
        group = next(stream, None)
        while group is not None:
            name = self._name(month, len(state.files))
            rows = readings = 0
            with self._folder.writing(name) as file:
                into = sink(file, self._scope, group.table.schema)
                while group is not None:
                    into.write(group.table)
                    last: Group = group
                    rows += group.table.num_rows
                    readings += self._shape.readings(group.table)
                    self._progress(self._done + rows, self._about)
                    group = next(stream, None)
                    if group is None or group.breaks or rows + self._rows_a_group > self._rows_a_file:
                        break
                into.close()
            self._done += rows
            self._folder.keep(name, file, rows, readings)
            state.files.append(name)
            state.after.append(last.after)
            self._folder.save()

    def _empty(self, month: str) -> None:
        """A file without rows, so that readers find the columns."""
        name = self._name(month, 0)
        if self._folder.whole(name):
            return
        with self._folder.writing(name) as file:
            sink(file, self._scope, self._shape.schema).close()
        self._folder.keep(name, file, 0, 0)

    def _name(self, month: str, part: int) -> str:
        extension = self._scope.ask.format
        return f"readings/pilot={self._scope.pilot.name}/month={month}/part-{part:04}.{extension}"


def _about(connection: Connection, found: Scope) -> int:
    window = found.window
    asked = {
        "channels": found.channel_ids,
        "start": None if window is None else window.start,
        "end": None if window is None else window.end,
    }
    row = connection.execute(SQL["about"], asked).fetchone()
    assert row is not None
    return int(row["n"])

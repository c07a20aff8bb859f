"""Writing a bundle: from one view of the store, in constant memory, every leaf checked against its seal on the way."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

from core.audit import record
from core.canonical import canonical_json, sha256
from core.database import Connection
from core.errors import EnvironmentProblem, PermanentError
from devices.registry.queries import plan_of, plan_source, plan_versions
from kpi.bundle import manifest
from kpi.bundle.baseline_files import write_baselines
from kpi.bundle.draws import drawn, look_of
from kpi.bundle.readme import readme
from kpi.evaluate import evaluate
from kpi.records.documents import content as proof
from kpi.records.documents import documents as proving
from kpi.results import Stored, newest, standing, store
from telemetry.evidence.archive import ArchiveWriter
from telemetry.evidence.chain import KEYS, SEALS, Link, chain_of, covering, needed, write_keys, write_seals
from telemetry.evidence.drawn import Drawn
from telemetry.evidence.heads import HeadsWriter, Hours, Proven
from telemetry.evidence.lines import BUNDLED, write_lines
from telemetry.evidence.rows import RowsWriter, Spans, key_of
from telemetry.seals import merkle
from telemetry.seals.close import Sealer, seal_now
from telemetry.seals.leaves import READING, Leaf
from telemetry.seals.record import root_of
from telemetry.seals.store import leaves_of
from telemetry.windows import snapshot

Heard = Callable[[int, int], None]
"""Told how many readings are done, and how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundled:
    """What was written."""

    path: Path
    pilot: str
    bytes: int
    manifest_sha256: str
    results: tuple[str, ...]
    seals: int
    head: str
    """Of the last seal: what witnesses outside are asked for."""
    interim: bool
    """Whether the last seal is of a day that was not over."""
    rows: int
    used: int


def _quiet(_done: int, _total: int) -> None:
    pass


def bundle(
    connection: Connection,
    pilot: str,
    path: Path,
    *,
    month: str | None = None,
    at: date | None = None,
    final: bool = False,
    sealer: Sealer | None = None,
    who: str,
    heard: Heard = _quiet,
) -> Bundled:
    """Write what proves a pilot's results.

    :param month: the recorded result of this month; ``at``: of this evaluation date; ``final``: the final one; by default the
        newest version of every recorded result. One that is not recorded yet is judged and recorded.
    :param sealer: by which days without a seal are sealed, the running one as far as it went; None: they must be sealed.
    :param who: for the audit log, where a result is recorded or a seal made.
    :raises NotFound: there is no such pilot.
    :raises PermanentError: there is no result, no seal of it, or the store does not have what was sealed.
    :raises EnvironmentProblem: the file cannot be written.
    """
    results = _results(connection, pilot, month=month, at=at, final=final, who=who)
    links = _links(connection, pilot, results, sealer, who)
    with _written(path) as file, snapshot(connection):
        writing = _Writing(connection, pilot, results, links, file)
        done = writing.write(heard)
    return Bundled(
        path=path,
        pilot=pilot,
        bytes=path.stat().st_size,
        manifest_sha256=done,
        results=tuple(writing.documents),
        seals=len(links),
        head=links[-1].seal.head,
        interim=links[-1].said.interim,
        rows=writing.rows,
        used=writing.used,
    )


def _results(
    connection: Connection, pilot: str, *, month: str | None, at: date | None, final: bool, who: str
) -> list[Stored]:
    """The recorded results to prove, by kind and label."""
    plan, _, _ = plan_of(connection, pilot)
    if (month is not None) + (at is not None) + final > 1:
        raise PermanentError(
            "A bundle is of one month, of one evaluation date, final, or of all results: give one of these."
        )
    if month is None and at is None and not final:
        found = [newest(connection, pilot, kind, label) for kind, label in sorted(standing(connection, pilot))]
        if not found:
            raise PermanentError(
                f"Nothing was judged of pilot {pilot} yet: give --month, --at or --final, or run `pilotbed evaluate` before."
            )
        return [one for one in found if one is not None]
    last = plan.evaluation.data_until
    day = last if final or at is None else at
    kind, label = ("month", month) if month is not None else ("final" if day == last else "date", day.isoformat())
    known = newest(connection, pilot, kind, label)
    if known is None:
        judged = evaluate(connection, pilot, month=month, at=at, final=final)
        if judged.document["running"]:
            raise PermanentError(
                f"{label} of pilot {pilot} is not over, so its result is not recorded: give a month that is over, or none."
            )
        store(connection, judged, who)
        known = newest(connection, pilot, kind, label)
    assert known is not None
    return [known]


def _links(
    connection: Connection, pilot: str, results: Sequence[Stored], sealer: Sealer | None, who: str
) -> list[Link]:
    """The chain up to the first seal under which the results and all that they rest on are."""
    until = max(max(one.as_of, one.evaluated_at) for one in results)
    found = needed(chain_of(connection, pilot), until)
    if found is None and sealer is not None:
        for one in seal_now(connection, pilot, sealer):
            record(
                connection, who=who, what="seal.now", pilot=pilot, object=f"seal {one.number}",
                after={"head": one.head, "day": one.day},
            )  # fmt: skip
        found = needed(chain_of(connection, pilot), until)
    if found is None:
        raise PermanentError(
            f"What pilot {pilot} had at {until.isoformat()} is not sealed yet: `pilotbed seal now {pilot}`, then again."
        )
    return found


class _Writing:
    """One bundle in the making."""

    def __init__(
        self, connection: Connection, pilot: str, results: Sequence[Stored], links: Sequence[Link], file: BinaryIO
    ) -> None:
        self.connection = connection
        self.pilot = pilot
        self.links = links
        self.covering = covering(links)
        self.documents = {manifest.result_name(one.kind, one.label, one.version): one.document for one in results}
        self.into = ArchiveWriter(file)
        self.rows = self.used = 0

    def write(self, heard: Heard) -> str:
        """:returns: the SHA-256 of the manifest."""
        connection, pilot = self.connection, self.pilot
        draws = drawn(connection, pilot, tuple(look_of(connection, one) for one in self.documents.values()))
        said = self._said()
        self.into.put(manifest.README, readme(said, self.documents, sorted({link.seal.key for link in self.links})))
        for version in plan_versions(connection, pilot):
            if version["recorded_at"] < self.links[-1].said.end:
                source, number, _ = plan_source(connection, pilot, version["version"])
                self.into.put(manifest.plan_name(number), source)
        for name, document in self.documents.items():
            self.into.put(name, canonical_json(document))
        for row in proving(connection, pilot, self.links[-1].said.end):
            self.into.put(manifest.document_name(row["sha256"]), proof(connection, pilot, row["sha256"]))
        write_baselines(connection, pilot, self.into, self.links[-1].said.end)
        with self.into.member(KEYS) as file:
            write_keys(file, connection)
        with self.into.member(SEALS) as file:
            write_seals(file, self.links)
        hours, lines = self._heads(draws)
        write_lines(connection, self.into, self.covering, lines)
        start = {link.seal.number: (link.said.start, link.said.end) for link in self.covering}
        rows = RowsWriter(connection, pilot, self.into, draws, Spans(by_seal=start))
        rows.write(hours, lambda done: heard(done, hours.rows))
        self.rows, self.used = rows.rows, rows.used
        said["readings"] = {"rows": rows.rows, "used": rows.used}
        data = manifest.manifest_bytes(said, self.into.contents)
        self.into.put(manifest.NAME, data)
        self.into.finish()
        return sha256(data)

    def _said(self) -> dict[str, Any]:
        plan, _, _ = plan_of(self.connection, self.pilot, as_of=self.links[-1].said.as_of)
        return manifest.about(plan, list(self.documents), self.links)

    def _heads(self, draws: Drawn) -> tuple[Hours, dict[tuple[int, str], Leaf]]:
        """Write the heads of all leaves; those whose content is to follow come back."""
        hours = Hours()
        lines: dict[tuple[int, str], Leaf] = {}
        with self.into.member(manifest.HEADS) as file, closing(HeadsWriter(file)) as writer:
            covered = {link.seal.number for link in self.covering}
            for link in self.links:
                number, leaves = link.seal.number, leaves_of(self.connection, link.seal)
                if root_of(leaves) != link.said.root:
                    raise PermanentError(
                        f"The list of leaves of seal {number} of {self.pilot} does not come to its root: `pilotbed seal check`."
                    )
                chosen = content(leaves, draws) if number in covered else []
                proofs = dict(zip(chosen, merkle.paths([leaf.hash for leaf in leaves], chosen), strict=True))
                for place in chosen:
                    if leaves[place].kind == READING:
                        hours.add(number, place, leaves[place])
                    else:
                        lines[number, leaves[place].kind] = leaves[place]
                writer.write(
                    number,
                    [
                        Proven(leaf, b"".join(proofs[place]) if place in proofs else None)
                        for place, leaf in enumerate(leaves)
                    ],
                )
        return hours, lines


def content(leaves: Sequence[Leaf], draws: Drawn) -> list[int]:
    """The places of the leaves of a seal whose content belongs into a bundle."""
    return [place for place, leaf in enumerate(leaves) if _belongs(leaf, draws)]


def _belongs(leaf: Leaf, draws: Drawn) -> bool:
    if leaf.kind != READING:
        return leaf.kind in BUNDLED
    assert leaf.hour_us is not None and leaf.first_us is not None and leaf.last_us is not None
    return draws.leaf(key_of(leaf.identity), leaf.hour_us, leaf.first_us, leaf.last_us)


@contextmanager
def _written(path: Path) -> Iterator[BinaryIO]:
    """A file under another name until it is whole."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb+") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise EnvironmentProblem(
            f"{path} cannot be written ({error.strerror or error}): make room or name another file."
        ) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise

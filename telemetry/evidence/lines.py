"""The leaves of lines in a bundle: events, links, outages and whatever else results rest on, a member a kind, seal after seal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from core.database import Connection
from core.errors import PermanentError
from core.sql import load
from telemetry.evidence.archive import Archive, ArchiveWriter
from telemetry.evidence.chain import Link
from telemetry.evidence.damaged import Damaged, read_json
from telemetry.seals.leaves import Leaf, Span, begun_lines, lines_of
from telemetry.seals.store import span_of

_SQL = load("telemetry.seals", "kinds.sql")

BUNDLED: Final = (
    "baseline", "channel", "channel_end", "document", "event", "exclusion", "exclusion_consent", "exclusion_end",
    "exclusion_paper", "exclusion_request", "exclusion_request_end", "finding", "finding_end", "installation",
    "installation_end", "label", "label_end", "link_state", "manual", "manual_end", "outage", "outage_end",
    "plan_version", "platform_record", "redecoded_hour", "redecoding", "result",
)  # fmt: skip
"""What a result may rest on besides readings, and what it said. Of the other kinds a bundle has the heads: what they hold may
name others than this pilot."""
_LONGEST: Final = 64 << 20
_ONE_DAY: Final = timedelta(days=1)

Heads = Mapping[tuple[int, str], Leaf]
"""Seal and kind → the head of that leaf."""


def member_name(kind: str) -> str:
    return f"lines/{kind}.jsonl"


def write_lines(connection: Connection, into: ArchiveWriter, links: Sequence[Link], heads: Heads) -> None:
    """Every kind that has lines, each leaf checked against its head.

    :raises PermanentError: the store does not have what was sealed.
    """
    for kind in BUNDLED:
        some = [link for link in links if (link.seal.number, kind) in heads]
        if not some:
            continue
        with into.member(member_name(kind)) as file:
            for link in some:
                head = heads[link.seal.number, kind]
                digest, n = begun_lines(link.said.pilot, kind), 0
                for line in lines_of(connection, _span(link, kind), _SQL[kind]):
                    file.write(line)
                    digest.update(line)
                    n += 1
                if digest.digest() != head.hash:
                    raise PermanentError(
                        f"The store does not have what was sealed: {head.identity} (seal {link.seal.number}) had {head.n:,}"
                        f" lines, now {n:,} or others. `pilotbed seal check` says more; nothing is bundled that would not verify."
                    )


def _span(link: Link, kind: str) -> Span:
    """What a seal's leaf of a kind covers, as it was sealed: a kind that the seal before did not know from its beginning."""
    before = link.before
    span = span_of(link.seal, link.said, None if before is None else before.day + _ONE_DAY)
    return span if before is not None and kind in before.rows else replace(span, start=None, first_day=None)


def check_lines(
    archive: Archive, links: Sequence[Link], heads: Heads, take: Callable[[str, dict[str, Any]], None]
) -> list[str]:
    """Compare every line with the leaf that it belongs to, and hand it over.

    :returns: what differs, in words that name the leaf.
    """
    faults: list[str] = []
    for kind in BUNDLED:
        some = [link for link in links if (link.seal.number, kind) in heads]
        if not some:
            if member_name(kind) in archive.members:
                faults.append(f"{member_name(kind)}: no seal has such lines")
            continue
        faults += _check_kind(archive, kind, some, heads, take)
    unknown = set(archive.named("lines")) - {member_name(kind) for kind in BUNDLED}
    faults += [f"{name}: no kind of a bundle" for name in sorted(unknown)]
    return faults


def _check_kind(
    archive: Archive, kind: str, links: Sequence[Link], heads: Heads, take: Callable[[str, dict[str, Any]], None]
) -> list[str]:
    faults: list[str] = []
    name = member_name(kind)
    if name not in archive.members:
        return [f"{name} is missing: {len(links)} seals have such lines"]
    with archive.stream(name) as stream:
        for link in links:
            head = heads[link.seal.number, kind]
            digest = begun_lines(link.said.pilot, kind)
            for _ in range(head.n):
                line = stream.readline(_LONGEST)
                if not line.endswith(b"\n"):
                    return [*faults, f"{head.identity} (seal {link.seal.number}): lines are missing"]
                digest.update(line)
                row = read_json(line, name)
                if not isinstance(row, dict):
                    raise Damaged(f"{name} has a line that is no record.")
                take(kind, row)
            if digest.digest() != head.hash:
                faults.append(
                    f"{head.identity} (seal {link.seal.number}): its {head.n:,} lines are not those that were sealed"
                )
        if stream.read(1):
            faults.append(f"{name}: there are more lines than were sealed")
    return faults

"""The files of baselines in a bundle: written as they are kept, and compared with what was sealed of them."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Final

from core.database import Connection
from core.errors import PermanentError
from kpi.bundle.known import Known
from kpi.bundle.told import Verified
from kpi.records.baseline_file import MOST_BYTES
from kpi.records.baselines import baselines, content_of
from telemetry.evidence.archive import Archive, ArchiveWriter
from telemetry.evidence.damaged import Damaged

FOLDER: Final = "baselines"


def member_of(sha256: str) -> str:
    return f"{FOLDER}/{sha256}"


def write_baselines(connection: Connection, pilot: str, into: ArchiveWriter, until: datetime) -> None:
    """Every file that was handed in before an instant, once.

    :raises PermanentError: the store has other bytes than it was handed.
    """
    done: set[str] = set()
    for one in sorted(baselines(connection, pilot), key=lambda one: one.sha256):
        if one.recorded_at >= until or one.sha256 in done:
            continue
        content = content_of(connection, one.baseline_id)
        if hashlib.sha256(content).hexdigest() != one.sha256:
            raise PermanentError(
                f"Baseline {one.baseline_id} of {pilot} does not have the bytes that were handed in:"
                " nothing is bundled that would not verify."
            )
        into.put(member_of(one.sha256), content)
        done.add(one.sha256)


def check_baselines(archive: Archive, known: Known, found: Verified) -> None:
    """Compare each file with the hash under which it was sealed, and hand its bytes to what judges again."""
    names = {member_of(row["sha256"]): row["sha256"] for row in known.baselines.values()}
    unknown = set(archive.named(FOLDER)) - names.keys()
    if unknown:
        raise Damaged(f"{', '.join(sorted(unknown))}: no such baseline was sealed.")
    wrong = 0
    for name, sha256 in names.items():
        content = archive.read(name, most=MOST_BYTES) if name in archive.members else b""
        if hashlib.sha256(content).hexdigest() != sha256:
            wrong += 1
            text = f"{name[:24]}…"
            found.differs("baseline", f"기준값 파일이 봉인과 다르거나 없음: {text}", f"{text}: changed, or missing")
        for row in known.baselines.values():
            if row["sha256"] == sha256:
                row["content"] = content
    if names and not wrong:
        n = len(names)
        found.agrees(
            "baseline", f"기준값 파일 {n}건: 봉인된 해시값과 같음", f"{n} baseline files: as they were sealed by their hashes"
        )  # fmt: skip

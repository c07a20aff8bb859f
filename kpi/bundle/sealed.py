"""The first half of a verification: the archive, the chain of seals, the heads of the leaves, the lines. Nothing is judged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from kpi.bundle import manifest
from kpi.bundle.baseline_files import check_baselines
from kpi.bundle.known import Known, PlanVersion, instant
from kpi.bundle.manifest import Manifest, read_manifest
from kpi.bundle.told import Verified
from telemetry.evidence.archive import Archive
from telemetry.evidence.chain import Link, check_chain, covering, read_keys, read_links
from telemetry.evidence.damaged import Damaged
from telemetry.evidence.heads import SCHEMA, Hours, Proven, read_heads
from telemetry.evidence.lines import check_lines
from telemetry.evidence.rows_read import open_parquet
from telemetry.seals import merkle
from telemetry.seals.leaves import READING, Leaf
from telemetry.seals.record import root_of

Heard = Callable[[str, int, int], None]
"""Told which step it is, how much of it is done, and of how much."""

MOST_TOLD: Final = 5
"""Differences of one kind that are told; the first one says enough."""
_MOST_PLAN: Final = 8 << 20
_MOST_DOCUMENT: Final = 64 << 20


class Sealed:
    """What a bundle has under its seals, as far as it is checked."""

    def __init__(self, found: Verified, path: Path, roots: Sequence[str], ca: Path | None, heard: Heard) -> None:
        """:raises Damaged: it is no archive of a bundle's form."""
        self.found = found
        self.archive = Archive(path)
        self.hours = Hours()
        """The channel-hours whose rows are to be there."""
        self.proven: dict[int, list[int]] = {}
        """Of each seal the places of the leaves whose content is to be there."""
        self.known: Known
        self.links: list[Link]
        self.said: Manifest
        self._lines: dict[tuple[int, str], Leaf] = {}
        self._roots = roots
        self._ca = ca
        self._heard = heard

    def check(self) -> bool:
        """:returns: whether there is any use in going on: the members are those of the manifest."""
        said = self._members()
        if said is None:
            return False
        self.said, self.known = said, Known(pilot=said.pilot)
        self.found.pilot = said.pilot
        self.links = self._chain()
        self._heads()
        self._records()
        self._plans()
        self._documents()
        check_baselines(self.archive, self.known, self.found)
        return True

    # --- the archive

    def _members(self) -> Manifest | None:
        found, size = self.found, self.archive.size
        members = [
            (member.name, member.size, digest)
            for member, digest in self.archive.digests(lambda done: self._heard("archive", done, size))
        ]
        said, digest = read_manifest(self.archive)
        faults = manifest.differences(said, members)
        for fault in faults[:MOST_TOLD]:
            found.differs("archive", f"파일이 목록과 다름: {fault}", fault)
        if faults:
            return None
        found.facts |= {
            "pilot": said.pilot,
            "manifest_sha256": digest,
            "results": said.results,
            "code_version": said.code_version,
        }
        n = len(members)
        found.agrees(
            "archive",
            f"구성 파일 {n}개, {size:,}바이트: 목록과 같음",
            f"{n} members, {size:,} bytes: as in the manifest",
        )
        return said

    # --- the seals

    def _chain(self) -> list[Link]:
        found, said = self.found, self.said
        links = read_links(self.archive)
        checked = check_chain(said.pilot, links, read_keys(self.archive), self._roots, self._ca)
        for fault in checked.checked.faults[:MOST_TOLD]:
            text = f"seal {fault.number} of {fault.day}: {fault.what}"
            found.differs("seals", f"봉인이 맞지 않음: {text}", text)
        for note in checked.checked.notes:
            found.unchecked("note", f"참고: {note}", note)
        head = links[-1].seal.head
        found.facts |= {"seals": len(links), "head": head, "key": checked.root, "key_checked": checked.given}
        if not checked.checked.faults:
            span = f"{links[0].said.day} ~ {links[-1].said.day}"
            found.agrees(
                "seals", f"봉인 {len(links)}건({span}): 이어짐과 서명이 맞음, 마지막 봉인값 {head}",
                f"{len(links)} seals ({span}): chained and signed, last head {head}",
            )  # fmt: skip
        if checked.given:
            found.agrees("key", f"서명 열쇠 {checked.root}: 주신 것과 같음", f"key {checked.root}: the one you gave")
        else:
            found.unchecked(
                "key", f"서명 열쇠 {checked.root}: 확인되지 않음. 따로 받은 값과 대조하십시오(--key)",
                f"key {checked.root}: unchecked. Compare it with what you were given elsewhere (--key)",
            )  # fmt: skip
        self._stamps(links, checked.stamped)
        return links

    def _stamps(self, links: Sequence[Link], stamped: int) -> None:
        if not stamped:
            self.found.unchecked("timestamps", "시점확인: 없음", "timestamps: none")
        elif self._ca is None:
            self.found.unchecked(
                "timestamps", f"시점확인 {stamped}건: 봉인값은 맞으나 기관은 확인되지 않음(--timestamp-ca)",
                f"{stamped} timestamps: of these heads, their authority unchecked (--timestamp-ca)",
            )  # fmt: skip
        else:
            self.found.agrees(
                "timestamps", f"시점확인 {stamped}/{len(links)}건: 기관의 서명이 맞음",
                f"timestamps of {stamped} of {len(links)} seals: by that authority",
            )  # fmt: skip

    def _heads(self) -> None:
        """Check the heads of all leaves against the roots, and each proof."""
        found, faults, n = self.found, 0, 0
        heads = read_heads(open_parquet(self.archive, manifest.HEADS, SCHEMA))
        read = next(heads, None)
        for link in self.links:
            number, leaves = link.seal.number, []
            if read is not None and read[0] == number:
                leaves, read = read[1], next(heads, None)
            fault = _of_root([one.leaf for one in leaves], link) or _of_proofs(leaves, link.said.root)
            if fault is not None:
                faults += 1
                if faults <= MOST_TOLD:
                    day = link.said.day
                    found.differs("leaves", f"봉인 {number}({day}): {fault}", f"seal {number} of {day}: {fault}")
            self._keep(number, leaves)
            n += len(leaves)
        if read is not None:
            raise Damaged(f"There are heads of a seal {read[0]} that the chain does not have.")
        if not faults:
            found.agrees(
                "leaves",
                f"봉인 단위 머리글 {n:,}건: 모든 봉인의 뿌리값과 같음",
                f"heads of {n:,} leaves: they come to the roots of all seals",
            )

    def _keep(self, number: int, leaves: Sequence[Proven]) -> None:
        self.proven[number] = [place for place, one in enumerate(leaves) if one.proof is not None]
        for place in self.proven[number]:
            leaf = leaves[place].leaf
            if leaf.kind == READING:
                self.hours.add(number, place, leaf)
            else:
                self._lines[number, leaf.kind] = leaf

    # --- what was sealed

    def _records(self) -> None:
        found, known, n = self.found, self.known, 0

        def take(kind: str, row: dict[str, Any]) -> None:
            nonlocal n
            n += 1
            known.take(kind, row)

        faults = check_lines(self.archive, covering(self.links), self._lines, take)
        for fault in faults[:MOST_TOLD]:
            found.differs("lines", f"기록이 봉인과 다름: {fault}", fault)
        if not faults:
            found.agrees("lines", f"기록 {n:,}줄: 봉인된 것과 같음", f"{n:,} lines of records: as they were sealed")

    def _plans(self) -> None:
        known = self.known
        names = set(self.archive.named("plan"))
        for row in sorted(known.plan_lines, key=lambda one: int(one["version"])):
            name = manifest.plan_name(row["version"])
            names.discard(name)
            source = self.archive.read(name, most=_MOST_PLAN)
            digest = hashlib.sha256(source).hexdigest()
            if digest != row["source_sha256"]:
                text = f"{name}: {digest[:16]}…, sealed {row['source_sha256'][:16]}…"
                self.found.differs("plan", f"계획이 봉인과 다름: {text}", text)
            else:
                self.found.agrees(
                    "plan", f"{name}: 봉인된 계획과 같음 ({digest})", f"{name}: the plan as it was sealed ({digest})"
                )
            known.plans.append(
                PlanVersion(
                    version=row["version"], sha256=row["sha256"], source=source,
                    profiles=self._profiles(name, json.loads(row["profiles"])),
                    amendment=None if row["amendment"] is None else json.loads(row["amendment"]),
                    recorded_at=instant(row["recorded_at"]), recorded_by=row["recorded_by"],
                )
            )  # fmt: skip
        if names:
            raise Damaged(f"{', '.join(sorted(names))}: no such version of the plan was sealed.")

    def _profiles(self, plan: str, stored: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        """The device templates of a version, which stand in its sealed line, text and hash."""
        for name, one in stored.items():
            digest = hashlib.sha256(one["source"].encode()).hexdigest()
            if digest != one["sha256"]:
                text = f"{plan}, {name}: {digest[:16]}…, {one['sha256'][:16]}…"
                self.found.differs(
                    "plan",
                    f"장비 서식이 그 해시와 다름: {text}",
                    f"a device template is not what its hash says: {text}",
                )
            else:
                self.found.agrees(
                    "plan",
                    f"{plan}: 장비 서식 {name} ({digest})",
                    f"{plan}: with the device template {name} ({digest})",
                )
        return stored

    def _documents(self) -> None:
        """Every file that proves what people recorded, against the hash under which it was sealed."""
        found, sealed = self.found, self.known.documents
        names = {manifest.document_name(sha256): sha256 for sha256 in sealed}
        unknown = set(self.archive.named("documents")) - names.keys()
        if unknown:
            raise Damaged(f"{', '.join(sorted(unknown))}: no such document was sealed.")
        faults = 0
        for name, sha256 in names.items():
            there = name in self.archive.members
            if not there or hashlib.sha256(self.archive.read(name, most=_MOST_DOCUMENT)).hexdigest() != sha256:
                faults += 1
                text = f"{sealed[sha256]['document']} ({sha256[:16]}…)"
                found.differs("document", f"증빙 문서가 봉인과 다르거나 없음: {text}", f"{text}: changed, or missing")
        if names and not faults:
            n = len(names)
            found.agrees(
                "document", f"증빙 문서 {n}건: 봉인된 해시값과 같음", f"{n} documents: as they were sealed by their hashes"
            )  # fmt: skip


def _of_root(leaves: Sequence[Leaf], link: Link) -> str | None:
    """Whether the heads are those of a seal: their number, order, kinds and root."""
    said = link.said
    if len(leaves) != said.leaves:
        return f"{len(leaves)} heads, sealed {said.leaves}"
    if root_of(leaves) != said.root:
        return f"the heads come to {root_of(leaves)[:16]}…, its root is {said.root[:16]}…"
    if [leaf.order for leaf in leaves] != sorted(leaf.order for leaf in leaves):
        return "the heads are not in their order"
    rows: dict[str, int] = {}
    for leaf in leaves:
        if leaf.identity.split(":" if leaf.kind != READING else "/")[0] != said.pilot:
            return f"{leaf.identity} is of another pilot"
        rows[leaf.kind] = rows.get(leaf.kind, 0) + leaf.n
    wrong = [kind for kind in rows.keys() | said.rows.keys() if rows.get(kind, 0) != said.rows.get(kind, 0)]
    return f"rows of {', '.join(sorted(wrong))} are not as many as were sealed" if wrong else None


def _of_proofs(leaves: Sequence[Proven], root: str) -> str | None:
    expected = bytes.fromhex(root)
    for place, one in enumerate(leaves):
        if one.proof is not None and not merkle.proves(one.leaf.hash, place, len(leaves), one.path(), expected):
            return f"the proof of {one.leaf.identity} does not lead to the root"
    return None

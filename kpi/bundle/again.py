"""The second half of a verification: the readings against their leaves, and every result judged again from them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, Final

from core.canonical import canonical_json
from core.database import Connection
from core.version import VERSION
from devices.registry.queries import plan_of
from kpi.bundle import manifest
from kpi.bundle.answers import Answers
from kpi.bundle.compare import differing
from kpi.bundle.draws import drawn, look_of
from kpi.bundle.readme import readme
from kpi.bundle.sealed import MOST_TOLD, Heard, Sealed
from kpi.bundle.write import content
from kpi.evaluate import evaluate
from telemetry.evidence.chain import covering
from telemetry.evidence.damaged import Damaged, read_json
from telemetry.evidence.drawn import Drawn
from telemetry.evidence.heads import SCHEMA, read_heads
from telemetry.evidence.leafwalk import LeafWalk
from telemetry.evidence.rows_read import RowsReader, open_parquet
from telemetry.evidence.series import Series

_RESULT: Final = re.compile(r"results/(month|date|final)-([0-9-]+)-v([0-9]{1,9})\.json")
_MOST_DOCUMENT: Final = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """A result in the bundle."""

    name: str
    kind: str
    label: str
    version: int
    document: Mapping[str, Any]


class Again:
    """Judges by a bundle whose seals are checked."""

    def __init__(self, sealed: Sealed, heard: Heard) -> None:
        self.found = sealed.found
        self.sealed = sealed
        self.archive = sealed.archive
        self.heard = heard

    def check(self) -> None:
        results = self._results()
        reader = RowsReader(self.archive)
        series = Series(reader)
        answers = [
            Answers(self.sealed.known, series, datetime.fromisoformat(result.document["as_of"])).connection
            for result in results
        ]
        looks = tuple(look_of(one, result.document) for one, result in zip(answers, results, strict=True))
        draws = drawn(answers[0], self.sealed.said.pilot, looks)
        self._omitted(draws)
        if not self._rows(reader, series, draws):
            return
        for place, (result, connection) in enumerate(zip(results, answers, strict=True)):
            self.heard("judging", place, len(results))
            asked: dict[str, Any] = {"final": True}
            if result.kind != "final":
                asked = {"month": result.label} if result.kind == "month" else {"at": date.fromisoformat(result.label)}
            as_of = datetime.fromisoformat(result.document["as_of"])
            self._judged(result, evaluate(connection, self.sealed.said.pilot, **asked, as_of=as_of).document)
        self._about(answers[0], results)

    def _results(self) -> list[_Result]:
        """The results, each as it was sealed."""
        said, known, links = self.sealed.said, self.sealed.known, self.sealed.links
        if said.results != self.archive.named("results") or not said.results:
            raise Damaged("The results are not those that the manifest lists, or there is none.")
        found = []
        for name in said.results:
            match = _RESULT.fullmatch(name)
            if match is None:
                raise Damaged(f"{name} is no name of a result.")
            kind, label, version = match[1], match[2], int(match[3])
            data = self.archive.read(name, most=_MOST_DOCUMENT)
            document = read_json(data, name)
            if canonical_json(document) != data or (document["pilot"], document["kind"], document["label"]) != (
                said.pilot,
                kind,
                label,
            ):
                raise Damaged(f"{name} is not the canonical JSON of that result of pilot {said.pilot}.")
            if datetime.fromisoformat(document["as_of"]) >= links[-1].said.end:
                raise Damaged(
                    f"{name} goes by what was received up to {document['as_of']}, which no seal of the bundle covers."
                )
            self._as_sealed(name, known.results.get((kind, label, version)), document)
            found.append(_Result(name=name, kind=kind, label=label, version=version, document=document))
        return found

    def _as_sealed(self, name: str, sealed: Mapping[str, Any] | None, document: Mapping[str, Any]) -> None:
        if sealed is None:
            self.found.differs("result", f"{name}: 봉인된 판정 기록에 없음", f"{name}: no such result was sealed")
            return
        changed = next(differing(json.loads(sealed["document"]), document, words=True), None)
        if changed is None:
            self.found.agrees("result", f"{name}: 봉인된 판정과 같음", f"{name}: the result as it was sealed")
            return
        path, was, now = changed
        self.found.differs(
            "result", f"{name}: {_place(document, path)} 봉인된 값 {was}, 이 파일에는 {now}",
            f"{name}: {_place(document, path)} was {was} when it was sealed, here it is {now}",
        )  # fmt: skip

    # --- the readings, and all again

    def _about(self, connection: Connection, results: Sequence[_Result]) -> None:
        """Whether manifest and README say what follows from the rest."""
        said, links = self.sealed.said, self.sealed.links
        plan, _, _ = plan_of(connection, said.pilot, as_of=links[-1].said.as_of)
        due = manifest.about(plan, [result.name for result in results], links)
        due["readings"] = self.found.facts["readings"]
        wrong = [name for name, value in due.items() if getattr(said, name) != value]
        if wrong:
            text = ", ".join(wrong)
            self.found.differs(
                "archive", f"{manifest.NAME}: {text} 다름", f"{manifest.NAME}: {text} is not what the bundle has"
            )
        if said.code_version == f"pilotbed {VERSION}":
            keys = sorted({link.seal.key for link in links})
            readable = readme(due, {result.name: result.document for result in results}, keys)
            if self.archive.read(manifest.README, most=_MOST_DOCUMENT) != readable:
                self.found.differs(
                    "archive",
                    f"{manifest.README}: 이 증빙자료의 것이 아님",
                    f"{manifest.README} is not that of this bundle",
                )

    def _omitted(self, draws: Drawn) -> None:
        """Whether every leaf that the results draw on is there with its content, and no other."""
        proven, covered = self.sealed.proven, {link.seal.number for link in covering(self.sealed.links)}
        heads = read_heads(open_parquet(self.archive, manifest.HEADS, SCHEMA))
        for number, leaves in heads:
            due = content([one.leaf for one in leaves], draws) if number in covered else []
            for place in sorted(set(due) ^ set(proven[number])):
                leaf = leaves[place].leaf
                text = f"seal {number}: {leaf.identity}"
                if place in due:
                    self.found.differs(
                        "leaves",
                        f"{text}: 판정이 근거로 삼는데 빠졌음",
                        f"{text}: results draw on it, and it is left out",
                    )
                else:
                    self.found.differs(
                        "leaves", f"{text}: 근거가 아닌데 들어 있음", f"{text}: no result draws on it, and it is here"
                    )
                return

    def _rows(self, reader: RowsReader, series: Series, draws: Drawn) -> bool:
        """Check every row against its leaf and its mark, and learn where the hours lie."""
        hours = self.sealed.hours
        faults: list[str] = []
        marked = rows = used = 0
        done: set[str] = set()
        due = hours.identities()
        for (key, unit), groups in groupby(reader.groups(), key=lambda group: (group.key, group.unit)):
            identity = "/".join((self.found.pilot or "", key[0], key[1], str(key[2])))
            if identity in done or (done and identity.encode() < max(done, key=str.encode).encode()):
                raise Damaged(f"The readings of {identity} are not in their order.")
            done.add(identity)
            heads = hours.of(identity)
            if len(heads) and unit != hours.unit(identity):
                faults.append(f"{identity}: its unit is {unit!r}, sealed {hours.unit(identity)!r}")
            walk = LeafWalk(identity, hours.unit(identity) if len(heads) else unit, heads)
            for group in groups:
                faults += walk.walk(group.rows)
                series.know(group)
                wrong = group.used != draws.used(key, group.rows.observed_us, group.rows.received_us)
                marked += int(wrong.sum())
                used += int(group.used.sum())
                rows += len(group.rows)
                self.heard("readings", rows, reader.rows)
                if len(faults) > MOST_TOLD:
                    break
            else:
                faults += walk.end()
        faults += [f"{identity}: all its rows are missing" for identity in due if identity not in done]
        for fault in faults[:MOST_TOLD]:
            self.found.differs("readings", f"측정값이 봉인과 다름: {fault}", fault)
        if marked:
            self.found.differs(
                "used",
                f"사용 표시가 다른 측정값 {marked:,}건",
                f"{marked:,} readings are marked wrongly as used or not",
            )
        self.found.facts["readings"] = {"rows": rows, "used": used}
        if not faults:
            self.found.agrees(
                "readings", f"측정값 {rows:,}건(판정에 쓰일 수 있는 것 {used:,}건): 봉인된 것과 같음",
                f"{rows:,} readings ({used:,} of them used): as they were sealed",
            )  # fmt: skip
        return not faults

    def _judged(self, result: _Result, again: Mapping[str, Any]) -> None:
        """Compare KPI by KPI."""
        found, document = self.found, result.document
        same_code = document["code_version"] == f"pilotbed {VERSION}"
        if not same_code:
            text = f"{result.name}: {document['code_version']} → pilotbed {VERSION}"
            found.unchecked("note", f"{text}: 문장은 비교하지 않음", f"{text}: sentences are not compared")
        entries = {entry["id"]: entry for entry in again["kpis"]}
        for entry in document["kpis"]:
            other = entries.pop(entry["id"], None)
            answer = entry.get("verdict") or entry.get("status")
            changed = ("", entry["id"], "–") if other is None else next(differing(entry, other, words=same_code), None)
            name = f"{result.name.removeprefix('results/')} {entry['id']}"
            if changed is None:
                value = "–" if entry["value"] is None else f"{entry['value']:.9g} {entry['unit']}"
                found.agrees("kpi", f"{name}: {value}, {answer} — 같음", f"{name}: {value}, {answer} — the same")
            else:
                path, was, now = changed
                found.differs(
                    "kpi",
                    f"{name}: {path} 기록 {was}, 재계산 {now}",
                    f"{name}: {path} recorded {was}, recomputed {now}",
                )
        first, second = ({key: value for key, value in one.items() if key != "kpis"} for one in (document, again))
        changed = next(differing(first, second, words=same_code), None)
        if entries or changed is not None:
            path, was, now = changed or ("kpis", "–", ", ".join(entries))
            name = result.name.removeprefix("results/")
            found.differs(
                "overall",
                f"{name}: {path} 기록 {was}, 재계산 {now}",
                f"{name}: {path} recorded {was}, recomputed {now}",
            )


def _place(document: Mapping[str, Any], path: str) -> str:
    """A path with the KPI's id in the place of its number."""
    parts = path.split(".")
    if parts[0] == "kpis" and len(parts) > 1 and parts[1].isdecimal() and int(parts[1]) < len(document["kpis"]):
        return f"{document['kpis'][int(parts[1])]['id']} {'.'.join(parts[2:])}"
    return path

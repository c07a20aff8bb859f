"""The members of a bundle and its table of contents, the last member."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from core.canonical import canonical_json, sha256
from core.version import VERSION
from devices.plan.model import Plan
from telemetry.evidence.archive import Archive
from telemetry.evidence.chain import Link
from telemetry.evidence.damaged import Damaged

FORMAT: Final = "pilotbed-bundle/1"
NAME: Final = "manifest.json"
README: Final = "README.txt"
HEADS: Final = "leaves.parquet"
_MOST_BYTES: Final = 8 << 20


def result_name(kind: str, label: str, version: int) -> str:
    return f"results/{kind}-{label}-v{version}.json"


def plan_name(version: int) -> str:
    return f"plan/v{version}.yaml"


def document_name(sha256: str) -> str:
    """Of a file that proves what people recorded."""
    return f"documents/{sha256}"


class Content(BaseModel):
    """One member."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    bytes: int
    sha256: str


class Manifest(BaseModel):
    """What ``manifest.json`` says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bundle: str
    pilot: str
    title: str
    simulated: bool
    zone: str
    code_version: str
    results: list[str]
    seals: dict[str, Any]
    readings: dict[str, int]
    members: list[Content]


def about(plan: Plan, results: Sequence[str], links: Sequence[Link]) -> dict[str, Any]:
    """What the manifest says of a bundle besides its members and its readings: all of it follows from what is sealed.

    :param plan: in force at the last seal.
    """
    first, last = links[0].said, links[-1].said
    return {
        "pilot": plan.pilot, "title": plan.title, "simulated": plan.simulated, "zone": last.zone, "results": list(results),
        "seals": {
            "n": len(links), "first_day": first.day.isoformat(), "last_day": last.day.isoformat(),
            "interim": last.interim, "head": links[-1].seal.head,
        },
    }  # fmt: skip


def manifest_bytes(said: Mapping[str, Any], members: Sequence[tuple[str, int, str]]) -> bytes:
    """:param members: name, bytes and SHA-256 of each, in the order of the file."""
    return canonical_json(
        {
            "bundle": FORMAT,
            "code_version": f"pilotbed {VERSION}",
            **said,
            "members": [{"path": name, "bytes": size, "sha256": digest} for name, size, digest in members],
        }
    )


def read_manifest(archive: Archive) -> tuple[Manifest, str]:
    """The table of contents, and its own SHA-256.

    :raises Damaged: there is none of this format.
    """
    data = archive.read(NAME, most=_MOST_BYTES)
    try:
        found = Manifest.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise Damaged(f"{NAME} is none of a bundle: {where}: {first['msg']}.") from error
    if found.bundle != FORMAT:
        raise Damaged(f"{NAME} is of the format {found.bundle!r}; this version reads {FORMAT}.")
    return found, sha256(data)


def differences(found: Manifest, members: Sequence[tuple[str, int, str]]) -> list[str]:
    """How the members differ from the table of contents, which stands last."""
    faults: list[str] = []
    if not members or members[-1][0] != NAME:
        faults.append(f"{NAME} is not the last member")
    said = {one.path: one for one in found.members}
    listed = [name for name, _, _ in members if name != NAME]
    if [one.path for one in found.members] != listed:
        added, missing = set(listed) - said.keys(), said.keys() - set(listed)
        faults += [f"{name} is not in the manifest" for name in sorted(added)]
        faults += [f"{name} is missing" for name in sorted(missing)]
        if not added and not missing:
            faults.append("the members are not in the order of the manifest")
    for name, size, digest in members:
        one = said.get(name)
        if one is not None and (one.bytes, one.sha256) != (size, digest):
            faults.append(f"{name} was changed: its SHA-256 is {digest[:16]}…, the manifest says {one.sha256[:16]}…")
    return faults

"""What an export holds, as data: the last file that is written, so that where it is the rest is whole."""

from __future__ import annotations

import json
from typing import Any

from core.canonical import plain
from core.version import VERSION
from telemetry.export.asked import LAYOUT, Scope
from telemetry.export.folder import Folder


def manifest(scope: Scope, folder: Folder) -> bytes:
    """The bytes of ``manifest.json``."""
    return (json.dumps(plain(_document(scope, folder)), ensure_ascii=False, indent=1) + "\n").encode()


def _document(scope: Scope, folder: Folder) -> dict[str, Any]:
    ask, pilot = scope.ask, scope.pilot
    readings = [written for name, written in folder.files.items() if name.startswith("readings/")]
    return {
        "export": "pilotbed",
        "layout": LAYOUT,
        "code_version": f"pilotbed {VERSION}",
        "pilot": {
            "name": pilot.name,
            "title": pilot.title,
            "kind": pilot.kind,
            "company": {"id": pilot.company, "name": pilot.company_name},
            "site": {"id": pilot.site, "name": pilot.site_name},
            "period": {"start": pilot.window.start, "end": pilot.window.end},
            "zone": pilot.zone.key,
            "simulated": pilot.simulated,
        },
        "plan": {"version": scope.plan_version, "sha256": scope.plan_sha256},
        "as_of": scope.as_of,
        "from": ask.start,
        "to": ask.end,
        "window": None if scope.window is None else {"start": scope.window.start, "end": scope.window.end},
        "only": sorted(set(ask.only)),
        "format": ask.format,
        "shape": ask.shape,
        "zone": scope.zone,
        "readings": {
            "rows": sum(written.rows or 0 for written in readings),
            "values": sum(written.readings or 0 for written in readings),
        },
        "files": [
            {"path": name, "rows": written.rows, "bytes": written.bytes, "sha256": written.sha256}
            for name, written in sorted(folder.files.items())
        ],
    }

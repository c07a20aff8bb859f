"""``pilotbed doctor``: what this machine has and lacks, and what to do."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Final

import typer

from core.settings import settings
from pilotbed.stack.checkup import Finding, SettingShown, findings, settings_shown

_MARKS: Final = {"ok": "✓", "warning": "▲", "missing": "✕"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Check this machine, and say what to do. Exit code 2 if something required is missing."""
    found = findings(settings())
    shown = settings_shown(settings())
    if as_json:
        print(json.dumps({"findings": [asdict(one) for one in found], "settings": [asdict(one) for one in shown]}))
    else:
        _print(found, shown)
    if any(one.outcome == "missing" for one in found):
        raise typer.Exit(2)


def _print(found: list[Finding], shown: list[SettingShown]) -> None:
    width = max(len(one.subject) for one in found)
    for one in found:
        advice = f" → {one.advice}" if one.advice else ""
        print(f"{_MARKS[one.outcome]} {one.subject:<{width}}  {one.found}{advice}")
    print("\nSettings (environment variables, or names in lower case without PILOTBED_ in settings.toml)")
    for setting in shown:
        print(f"  {setting.variable} = {setting.value}{' (set)' if setting.given else ''}\n      {setting.description}")

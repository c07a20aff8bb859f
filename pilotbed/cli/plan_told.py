"""What is wrong with a plan, and what changes by it, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from devices.plan.diff import Change
from devices.plan.problem import Problem
from pilotbed.cli.tables import columns
from pilotbed.cli.tables import show as show_tables


def plain_change(change: Change) -> dict[str, Any]:
    """A change as JSON."""
    return {"path": change.path, "before": change.before, "after": change.after, "effect": change.effect}


def problems_plain(problems: Sequence[Problem]) -> dict[str, Any]:
    """Problems as JSON, each rule in both languages."""
    return {
        "problems": [
            {
                "line": item.line,
                "path": item.path,
                "value": item.value,
                "code": item.code,
                "rule": item.rule,
                "rule_ko": item.told("ko"),
                **({"profile": item.profile} if item.profile else {}),
            }
            for item in problems
        ]
    }


def print_problems(file: Path, problems: Sequence[Problem], language: str, to: Any) -> None:
    """Problems, one a line."""
    for item in problems:
        where = item.path or ("파일" if language == "ko" else "the file")
        where = f"{where} ({item.profile})" if item.profile else where
        if language == "ko":
            found = f"값 {item.value!r}" if item.value else "값 없음"
        else:
            found = f"found {item.value!r}" if item.value else "found nothing"
        print(f"{file}:{item.line}  {where}: {found} — {item.told(language)}", file=to)


def print_changes(changes: Sequence[Change]) -> None:
    """Changes as a table; nothing where there are none."""
    if not changes:
        return
    table = columns("effect", "path", "before", "after")
    for change in changes:
        table.add_row(change.effect, change.path, _short(change.before), _short(change.after))
    show_tables(table)


def _short(value: Any) -> str:
    text = "—" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"

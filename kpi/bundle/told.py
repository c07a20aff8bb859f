"""What a verification says, line by line, in both languages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

About = Literal[
    "archive",
    "seals",
    "key",
    "timestamps",
    "leaves",
    "lines",
    "readings",
    "used",
    "plan",
    "document",
    "baseline",
    "result",
    "kpi",
    "overall",
    "note",
]
State = Literal["agrees", "differs", "unchecked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was looked at."""

    about: About
    state: State
    ko: str
    en: str

    def text(self, language: str) -> str:
        return self.ko if language == "ko" else self.en


@dataclass(slots=True, kw_only=True)
class Verified:
    """All of it."""

    path: str
    pilot: str | None = None
    lines: list[Line] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        return not self.faults

    @property
    def faults(self) -> list[Line]:
        return [line for line in self.lines if line.state == "differs"]

    def agrees(self, about: About, ko: str, en: str) -> None:
        self.lines.append(Line(about=about, state="agrees", ko=ko, en=en))

    def differs(self, about: About, ko: str, en: str) -> None:
        self.lines.append(Line(about=about, state="differs", ko=ko, en=en))

    def unchecked(self, about: About, ko: str, en: str) -> None:
        self.lines.append(Line(about=about, state="unchecked", ko=ko, en=en))

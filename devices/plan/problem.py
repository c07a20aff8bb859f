"""What is wrong with a plan: as data, all of it at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeAlias

from core.errors import NegativeAnswer
from devices.plan.rules import told

Way: TypeAlias = "tuple[str | int, ...]"
"""A path in the plan: keys, and positions in lists."""


def dotted(way: Way) -> str:
    """``("evaluation", "interim", 0)`` → ``evaluation.interim[0]``."""
    text = ""
    for step in way:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def known(names: Sequence[str], most: int = 12) -> str:
    """A list of names for a sentence, cut where it is long."""
    shown = [str(name) for name in names[:most]]
    return ", ".join([*shown, f"… ({len(names)})"] if len(names) > most else shown) or "—"


def guess(found: str, names: Sequence[str]) -> str:
    """`` — did you mean …?`` where one of the names is close to what was found."""
    close = get_close_matches(str(found), [str(name) for name in names], n=1, cutoff=0.6)
    return f" → {close[0]}?" if close else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One rule that does not hold at one place of the file."""

    line: int
    path: str
    value: str
    """What was found, as it was written; empty where nothing stands."""
    code: str
    """The rule, a key of :data:`devices.plan.rules.RULES`."""
    values: Mapping[str, Any] = field(default_factory=dict)
    profile: str = ""
    """Where in a device template it stands, as ``file:line:column``; ``line`` is then where the plan names that file."""

    @classmethod
    def at(cls, line: int, way: Way, value: str, code: str, **values: Any) -> Problem:
        """A problem at a path."""
        return cls(line=line, path=dotted(way), value=value, code=code, values=values)

    @property
    def rule(self) -> str:
        """The rule in English."""
        return told(self.code, self.values)

    def told(self, language: str) -> str:
        """The rule in ``en`` or ``ko``."""
        return told(self.code, self.values, language)

    def __str__(self) -> str:
        where = f"{self.path or 'the file'} ({self.profile})" if self.profile else self.path or "the file"
        return f"line {self.line}: {where}: found {self.value or 'nothing'!s} — {self.rule}"


class PlanProblems(NegativeAnswer):
    """A plan that is not valid, with every problem found, in the order of the file."""

    def __init__(self, problems: Sequence[Problem], *, name: str = "the plan") -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line, problem.path, problem.code)))
        self.name = name
        first = self.problems[0]
        more = (
            f" (and {len(self.problems) - 1} more: `pilotbed plan check` lists all)" if len(self.problems) > 1 else ""
        )
        super().__init__(f"{name} is not valid: {first}{more}.")

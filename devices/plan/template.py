"""A device template as it was read for a plan: its tree, and where its parts belong in that plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from devices.plan.problem import Way
from devices.plan.profile import UsedProfile
from devices.plan.yaml_tree import Tree

OF_SLOTS: Final = ("topics", "select", "channels", "events")
"""What a template brings to a slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template that could be read."""

    used: UsedProfile
    tree: Tree
    first: Way
    """Where the plan names it first."""

    @property
    def content(self) -> Mapping[str, Any]:
        return self.tree.root if isinstance(self.tree.root, dict) else {}

    def part(self, key: str) -> Mapping[str, Any]:
        found = self.content.get(key)
        return found if isinstance(found, dict) else {}

    def way_in_plan(self, way: Way) -> Way:
        """Where a path of this file belongs in the plan that names it first."""
        if self.first[0] == "slots" and way[:1] and way[0] in OF_SLOTS:
            return (*self.first, *way)
        if self.first[0] == "connections" and way[:1] == ("connection",):
            return (*self.first, *way[1:])
        return (*self.first, "profile")

    def place(self, way: Way) -> str:
        """A path of this file, as ``file:line:column``."""
        line, column = self.tree.line_of(way), 1
        for length in range(len(way), 0, -1):
            if self.tree.origin(way[:length]) in self.tree.columns:
                column = self.tree.columns[self.tree.origin(way[:length])]
                break
        return f"{self.used.name}:{line}:{column}"

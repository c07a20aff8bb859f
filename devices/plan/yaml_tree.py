"""YAML 1.2 → plain dictionaries and lists, with the line of every path; nothing that a file can do takes us down.

Built on ruamel.yaml's events rather than its loader: a loader resolves ``no`` and ``1.10`` for us, expands aliases without
a bound, and forgets the lines of plain dictionaries.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from devices.plan.problem import Problem, Way
from devices.plan.written import Written

LARGEST_BYTES: Final = 512 * 1024
LARGEST_NODES: Final = 60_000
"""After aliases are written out: a plan of 100 slots with 20 channels each has some 30,000."""
DEEPEST: Final = 30

Position: TypeAlias = "dict[Way, int]"


class NoTree(Exception):
    """The file is no YAML that we take; ``problem`` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Graft:
    """A part of the plan that was written in another file: a device template's."""

    file: str
    """Its name, as it is shown."""
    tree: Tree
    way: Way
    """Where the part stands in that file."""
    used: Way
    """Where the plan names the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What the file says."""

    root: Any
    lines: Position
    """Path → line, from 1: that of the key, or of the list's item."""
    columns: Position
    """Path → column, from 1."""
    aliases: dict[Way, Way]
    """Where an alias stands → where its anchor does."""
    problems: list[Problem]
    """Duplicate keys and the like: the rest of the file can still be looked at."""
    nodes: int
    """How many entries it has, aliases written out."""
    grafts: Mapping[Way, Graft] = field(default_factory=dict)
    """What stands in other files, by where it belongs here."""

    def origin(self, way: Way) -> Way:
        """Where a path was written: below an alias, that is below its anchor."""
        for length in range(1, len(way) + 1):
            if way[:length] in self.aliases:
                return self.origin((*self.aliases[way[:length]], *way[length:]))
        return way

    def line_of(self, way: Way) -> int:
        """The line where a path was written, or that of the nearest thing above it that is in the file.

        Of what was written in another file: the line where that file is named.
        """
        return self.place(way)[0]

    def place(self, way: Way) -> tuple[int, str]:
        """That line, and for what was written in another file its place there, as ``file:line:column``; empty otherwise."""
        for length in range(len(way), -1, -1):
            line = self.lines.get(self.origin(way[:length]))
            if line is not None:
                return line, ""
            there = self._elsewhere(way[:length])
            if there is not None:
                return there
        return 1, ""

    def _elsewhere(self, way: Way) -> tuple[int, str] | None:
        for length in range(len(way), 0, -1):
            graft = self.grafts.get(way[:length])
            if graft is not None:
                inside = graft.tree.origin((*graft.way, *way[length:]))
                line, column = graft.tree.lines.get(inside), graft.tree.columns.get(inside, 1)
                return None if line is None else (self.line_of(graft.used), f"{graft.file}:{line}:{column}")
        return None


@dataclass(slots=True)
class _Open:
    """A collection that is being filled."""

    way: Way
    value: dict[str, Any] | list[Any]
    anchor: str | None
    key: str | None = None
    lost: bool = False
    """Its value goes nowhere: it stands under a key that was there already."""


@dataclass(slots=True)
class _Builder:
    lines: Position = field(default_factory=dict)
    columns: Position = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    anchors: dict[str, tuple[Way, Any]] = field(default_factory=dict)
    aliases: dict[Way, Way] = field(default_factory=dict)
    stack: list[_Open] = field(default_factory=list)
    nodes: int = 0
    root: Any = None

    def count(self, more: int, line: int) -> None:
        self.nodes += more
        if self.nodes > LARGEST_NODES:
            raise NoTree(Problem.at(line, (), f"> {LARGEST_NODES}", "yaml-nodes", most=LARGEST_NODES))

    def take(self, event: Event) -> None:
        line: int = event.start_mark.line + 1
        match event:
            case DocumentStartEvent():
                if event.version is not None and tuple(event.version) != (1, 2):
                    raise NoTree(Problem.at(line, (), "%YAML {}.{}".format(*event.version), "yaml-version"))
                if self.nodes:
                    raise NoTree(Problem.at(line, (), "---", "yaml-documents"))
            case CollectionEndEvent():
                self._close()
            case NodeEvent():
                self._node(event, line)

    def _node(self, event: NodeEvent, line: int) -> None:
        self.count(1, line)
        top = self.stack[-1] if self.stack else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            self._key(top, event, line)
            return
        way: Way = () if top is None else (*top.way, len(top.value) if isinstance(top.value, list) else top.key or "")
        if isinstance(top and top.value, list) or top is None:
            self._mark(way, event)
        tag = getattr(event, "tag", None)
        if tag is not None:
            self.problems.append(Problem.at(line, way, str(tag), "yaml-tag"))
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            if len(self.stack) >= DEEPEST:
                raise NoTree(Problem.at(line, way[:4], f"> {DEEPEST}", "yaml-depth", most=DEEPEST))
            self.stack.append(_Open(way, {} if isinstance(event, MappingStartEvent) else [], event.anchor))
        elif isinstance(event, AliasEvent):
            self._place(self._alias(event, way, line))
        elif isinstance(event, ScalarEvent):
            value = _scalar(event)
            if event.anchor is not None:
                self.anchors[event.anchor] = way, value
            self._place(value)

    def _key(self, top: _Open, event: NodeEvent, line: int) -> None:
        if not isinstance(event, ScalarEvent):
            raise NoTree(Problem.at(line, top.way, "[…]", "yaml-key"))
        key = str(event.value)
        way = (*top.way, key)
        assert isinstance(top.value, dict)
        if key == "<<":
            self.problems.append(Problem.at(line, way, "<<", "yaml-merge"))
            top.lost = True
        elif key in top.value:
            self.problems.append(Problem.at(line, way, key, "yaml-duplicate", first=self.lines[way]))
            top.lost = True
        else:
            self._mark(way, event)
        top.key = key

    def _mark(self, way: Way, event: NodeEvent) -> None:
        self.lines.setdefault(way, event.start_mark.line + 1)
        self.columns.setdefault(way, event.start_mark.column + 1)

    def _alias(self, event: AliasEvent, way: Way, line: int) -> Any:
        if event.anchor not in self.anchors:
            # Unknown, or one that contains itself: it is not finished yet.
            raise NoTree(Problem.at(line, way, f"*{event.anchor}", "yaml-alias"))
        self.aliases[way], value = self.anchors[event.anchor]
        self.count(size_of(value, LARGEST_NODES - self.nodes), line)
        return copy.deepcopy(value)

    def _close(self) -> None:
        done = self.stack.pop()
        if done.anchor is not None:
            self.anchors[done.anchor] = done.way, done.value
        self._place(done.value)

    def _place(self, value: Any) -> None:
        if not self.stack:
            self.root = value
            return
        top = self.stack[-1]
        if isinstance(top.value, list):
            top.value.append(value)
            return
        if not top.lost:
            top.value[top.key or ""] = value
        top.key, top.lost = None, False


def size_of(value: Any, most: int) -> int:
    """How many entries stand inside a value; stops counting a little after ``most``."""
    waiting, seen = [value], 0
    while waiting and seen <= most:
        item = waiting.pop()
        inside = list(item.values()) if isinstance(item, dict) else item if isinstance(item, list) else []
        seen += len(inside)
        waiting.extend(inside)
    return seen


def _scalar(event: ScalarEvent) -> Any:
    if event.style is not None or not event.implicit[0]:
        return str(event.value)
    return None if event.value in ("", "~", "null", "Null", "NULL") else Written(event.value)


def read_tree(source: bytes) -> Tree:
    """Read one YAML document.

    :raises NoTree: it is no YAML that we take. Duplicate keys and tags are in the tree's ``problems`` instead.
    """
    text = _decoded(source)
    builder = _Builder()
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.take(event)
    except MarkedYAMLError as error:
        raise NoTree(_syntax(text, error)) from error
    except (YAMLError, ValueError) as error:
        raise NoTree(Problem.at(1, (), "", "yaml-syntax", why=str(error).splitlines()[0])) from error
    if not isinstance(builder.root, dict):
        raise NoTree(Problem.at(1, (), _shown(builder.root), "yaml-mapping"))
    return Tree(
        root=builder.root,
        lines=builder.lines,
        columns=builder.columns,
        aliases=builder.aliases,
        problems=builder.problems,
        nodes=builder.nodes,
    )


def _syntax(text: str, error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    lines = text.splitlines() or [""]
    line = 1 if mark is None else mark.line + 1
    if line > len(lines):
        return Problem.at(len(lines), (), "the end of the file", "yaml-syntax", why=str(error.problem or error.context))
    found = lines[line - 1]
    if "\t" in found[: len(found) - len(found.lstrip())]:
        return Problem.at(line, (), found.strip()[:60], "yaml-tab")
    return Problem.at(line, (), found.strip()[:60], "yaml-syntax", why=str(error.problem or error.context))


def _decoded(source: bytes) -> str:
    if len(source) > LARGEST_BYTES:
        raise NoTree(Problem.at(1, (), f"{len(source)}", "yaml-size", most=LARGEST_BYTES))
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source[: error.start].count(b"\n") + 1
        raise NoTree(Problem.at(line, (), f"0x{source[error.start]:02x}", "yaml-encoding")) from error
    for line, content in enumerate(text.split("\n"), start=1):
        for sign in content:
            if (sign < " " and sign not in "\t\r") or sign in "\x7f\ufffe\uffff":
                raise NoTree(Problem.at(line, (), f"U+{ord(sign):04X}", "yaml-sign"))
    return text


def _shown(value: Any) -> str:
    return "nothing" if value is None else "a list" if isinstance(value, list) else str(value)[:60]

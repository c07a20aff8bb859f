"""A plan with what its device templates bring, as if it had been written out; where each part was written is kept.

A slot's own word goes before its template's: a channel field by field, topics and ``select`` as a whole. What a connection says
of itself goes before its template's word in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from devices.plan.problem import Problem, Way, guess, known
from devices.plan.profile import Profiles, UsedProfile
from devices.plan.profile_files import Find, NoProfile
from devices.plan.template import OF_SLOTS, Template
from devices.plan.yaml_tree import LARGEST_NODES, Graft, NoTree, Tree, read_tree, size_of

_SERIAL: Final = "{serial}"
_OF_CONNECTIONS: Final = ("protocol", "time", "clock", "values", "options")
_JOINED: Final = ("time", "options")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A plan's tree with its templates written out."""

    tree: Tree
    templates: tuple[Template, ...]
    problems: tuple[Problem, ...]
    unread: bool = False
    """Whether a template could not be read: then nobody knows what channels there are."""

    @property
    def profiles(self) -> Profiles:
        return tuple(sorted((one.used for one in self.templates), key=lambda used: used.name))


def resolve(tree: Tree, find: Find) -> Resolved:
    """Write out what the templates bring that a plan names.

    :raises NoTree: the plan would become too large.
    """
    slots, connections = _mapping(tree.root.get("slots")), _mapping(tree.root.get("connections"))
    if not any(isinstance(one, dict) and ("profile" in one or "without" in one) for one in _both(slots, connections)):
        return Resolved(tree=tree, templates=(), problems=())
    work = _Work(tree=tree, find=find, nodes=tree.nodes)
    speaking = {name: work.connection(name, raw) for name, raw in connections.items()}
    standing = {name: work.slot(name, raw, speaking) for name, raw in slots.items()}
    root = {**tree.root, "connections": speaking, "slots": standing}
    if not speaking:
        del root["connections"]
    return Resolved(
        tree=replace(tree, root=root, grafts=work.grafts),
        templates=tuple(one for one in work.templates.values() if one is not None),
        problems=tuple(work.problems),
        unread=None in work.templates.values(),
    )


@dataclass(slots=True, kw_only=True)
class _Work:
    tree: Tree
    find: Find
    nodes: int
    grafts: dict[Way, Graft] = field(default_factory=dict)
    templates: dict[str, Template | None] = field(default_factory=dict)
    """By name; None where it could not be read, which was told."""
    problems: list[Problem] = field(default_factory=list)

    def connection(self, name: str, raw: Any) -> Any:
        """A connection with what its template says of how the device speaks."""
        way: Way = ("connections", name)
        template = self._template(way, raw)
        if template is None:
            return raw
        if not isinstance(template.content.get("connection"), dict):
            self._tell((*way, "profile"), template.used.name, "profile-connection")
            return raw
        return self._spoken(way, raw, template, used=(*way, "profile"))

    def slot(self, name: str, raw: Any, speaking: dict[str, Any]) -> Any:
        """A slot with what its template brings; its connection, too, where it names none."""
        way: Way = ("slots", name)
        template = self._template(way, raw)
        if template is None:
            if isinstance(raw, dict) and raw.get("without") is not None and raw.get("profile") is None:
                self._tell((*way, "without"), _shown(raw["without"]), "without-profile")
            return raw
        whole = {**raw, **self._parts(way, raw, template)}
        if isinstance(template.content.get("connection"), dict):
            if raw.get("connection") is None and name not in speaking:
                own = ("connections", name)
                self.grafts[own] = self._graft(template, ("connection",), (*way, "profile"))
                speaking[name] = self._spoken(own, {}, template, used=(*way, "profile"))
                whole["connection"] = name
            else:
                self._require_protocol(way, raw.get("connection"), template, speaking)
        return whole

    def _parts(self, way: Way, raw: Mapping[str, Any], template: Template) -> dict[str, Any]:
        found: dict[str, Any] = {}
        left_out = self._left_out(way, raw, template)
        for key in OF_SLOTS:
            own, brought = raw.get(key), template.content.get(key)
            if brought is None or (own is not None and not isinstance(own, dict)):
                continue
            self.grafts[(*way, key)] = self._graft(template, (key,), (*way, "profile"))
            if key in ("channels", "events") and isinstance(brought, dict):
                some = {name: item for name, item in brought.items() if key != "channels" or name not in left_out}
                found[key] = _joined(some, own or {})
            elif own is None:
                found[key] = self._serial(way, raw, brought, is_topic=key == "topics")
            self._count(found.get(key), way)
        return found

    def _left_out(self, way: Way, raw: Mapping[str, Any], template: Template) -> set[str]:
        names = raw.get("without")
        if not isinstance(names, list):
            return set()
        there, own = list(template.part("channels")), _mapping(raw.get("channels"))
        for place, name in enumerate(names):
            where: Way = (*way, "without", place)
            if name not in there:
                self._tell(
                    where, _shown(name), "without-unknown", known=known(there, 30), guess=guess(str(name), there)
                )
            elif name in own:
                self._tell(where, _shown(name), "without-given")
        return {str(name) for name in names if name not in own}

    def _serial(self, way: Way, raw: Mapping[str, Any], brought: Any, *, is_topic: bool) -> Any:
        """The same with the serial number of the slot's device in it."""
        serial = _mapping(raw.get("device")).get("serial")
        if not isinstance(serial, str) or not any(_SERIAL in text for text in _texts(brought)):
            return brought
        if is_topic and not {"/", "+", "#"}.isdisjoint(serial):
            self._tell((*way, "device", "serial"), serial, "profile-serial")
            return brought
        if isinstance(brought, dict):
            return {key: _filled(item, serial) for key, item in brought.items()}
        return [_filled(item, serial) for item in brought]

    def _spoken(self, way: Way, raw: Mapping[str, Any], template: Template, *, used: Way) -> dict[str, Any]:
        brought = template.part("connection")
        found = {key: item for key, item in brought.items() if key in _OF_CONNECTIONS}
        for key, item in brought.items():
            self.grafts[(*way, key)] = self._graft(template, ("connection", key), used)
            if key in _JOINED and isinstance(item, dict) and isinstance(raw.get(key), dict):
                found[key] = {**item, **raw[key]}
            elif key in raw:
                found[key] = raw[key]
        self._count(found, used)
        return {**raw, **found}

    def _require_protocol(self, way: Way, name: Any, template: Template, speaking: Mapping[str, Any]) -> None:
        """A connection that the plan writes speaks what the device speaks."""
        if not isinstance(name, str) or not isinstance(speaking.get(name), dict):
            return
        theirs, ours = (str(one.get("protocol", "json")) for one in (template.part("connection"), speaking[name]))
        if theirs != ours:
            values = {"theirs": theirs, "connection": name, "ours": ours}
            self._tell((*way, "profile"), template.used.name, "profile-protocol", **values)

    def _template(self, way: Way, raw: Any) -> Template | None:
        """The template that a part of the plan names; None where it names none, or none that can be read."""
        name = raw.get("profile") if isinstance(raw, dict) else None
        if not isinstance(name, str) or not name:
            return None  # the model says what is wrong with it
        name = str(name)
        if name not in self.templates:
            self.templates[name] = self._read(name, way)
        return self.templates[name]

    def _read(self, name: str, way: Way) -> Template | None:
        use = (*way, "profile")
        try:
            source = self.find(name)
        except NoProfile as none:
            self._tell(use, name, none.code, **none.values)
            return None
        try:
            tree = read_tree(source)
        except NoTree as none_:
            found = none_.problem
            self._told(found, use, f"{name}:{found.line}")
            return None
        template = Template(used=UsedProfile(name=name, source=source), tree=tree, first=way)
        for problem in tree.problems:
            self._told(problem, use, f"{name}:{problem.line}")
        for within in (("profile",), ("connection", "profile")):
            if within in tree.lines:
                place = f"{name}:{tree.lines[within]}:{tree.columns[within]}"
                self._told(Problem.at(0, use, _at(tree.root, within), "profile-within"), use, place)
        return template

    def _graft(self, template: Template, way: Way, used: Way) -> Graft:
        return Graft(file=template.used.name, tree=template.tree, way=way, used=used)

    def _count(self, brought: Any, way: Way) -> None:
        self.nodes += size_of(brought, LARGEST_NODES)
        if self.nodes > LARGEST_NODES:
            line = self.tree.line_of(way)
            raise NoTree(Problem.at(line, way, f"> {LARGEST_NODES}", "yaml-nodes", most=LARGEST_NODES))

    def _tell(self, way: Way, found: str, code: str, **values: Any) -> None:
        self.problems.append(Problem.at(self.tree.line_of(way), way, found, code, **values))

    def _told(self, problem: Problem, use: Way, place: str) -> None:
        """A problem of a template's own file, at the place that names it."""
        here = Problem.at(self.tree.line_of(use), use, problem.value, problem.code, **problem.values)
        self.problems.append(replace(here, profile=place))


def _joined(brought: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Entries field by field: what stands nearer counts."""
    both: dict[str, Any] = dict(brought)
    for name, item in own.items():
        there = brought.get(name)
        both[name] = {**there, **item} if isinstance(there, dict) and isinstance(item, dict) else item
    return both


def _filled(item: Any, serial: str) -> Any:
    if not isinstance(item, str) or _SERIAL not in item:
        return item
    return item.replace(_SERIAL, str(serial))


def _texts(brought: Any) -> list[str]:
    some = brought.values() if isinstance(brought, dict) else brought if isinstance(brought, list) else ()
    return [item for item in some if isinstance(item, str)]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _both(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Any]:
    return [*one.values(), *other.values()]


def _shown(value: Any) -> str:
    return str(value) if isinstance(value, str) else "[…]" if isinstance(value, list) else "{…}"


def _at(root: Any, way: Way) -> str:
    for step in way:
        root = root[step]
    return _shown(root)

"""The plan file, read: text → tree with lines → model, then the checks; every problem at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from core.canonical import sha256
from core.errors import NotFound, PermanentError
from devices.plan.checks import Fault, faults
from devices.plan.draft import draft
from devices.plan.model import Plan
from devices.plan.problem import PlanProblems, Problem, Way, guess, known
from devices.plan.profile import Profile, Profiles
from devices.plan.profile_files import Find, finder, stored
from devices.plan.quality import TAG
from devices.plan.resolve import Resolved, resolve
from devices.plan.rules import RULES
from devices.plan.template import Template
from devices.plan.yaml_tree import LARGEST_BYTES, NoTree, Tree, read_tree

_ON_CHANNELS = frozenset({"kpis", "conditions", "calibrations", "overall"})
"""Parts of a plan that are about channels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFile:
    """A valid plan with its device templates written out, and the bytes that it was read from."""

    plan: Plan
    source: bytes
    sha256: str
    name: str
    """The file's name, for messages."""
    profiles: Profiles = ()
    """The templates that it names, to the byte."""
    _tree: Tree = field(repr=False, compare=False)

    def line_of(self, way: Way) -> int:
        """The line of a path such as ``("kpis", "pm25-limit", "target")``; of the nearest thing above it if it is not there."""
        return self._tree.line_of(way)

    def problems(self, found: Iterable[Fault]) -> PlanProblems:
        """What to raise for faults that only the registry can see."""
        return PlanProblems(_once([_of_check(self._tree, item) for item in found]), name=self.name)


def read_plan(file: Path | str | bytes, *, name: str | None = None, profiles: Profiles | None = None) -> PlanFile:
    """Read and check a plan.

    :param file: a path, or the file's bytes.
    :param name: what messages call it; the path if left out.
    :param profiles: the only device templates that there are; if left out, those shipped and those beside the file.
    :raises PlanProblems: it is not valid; every problem is in it.
    :raises NotFound: no such file.
    """
    source = file if isinstance(file, bytes) else _bytes_of(Path(file))
    shown = name or ("the plan" if isinstance(file, bytes) else str(file))
    find = finder(None if isinstance(file, bytes) else Path(file).parent) if profiles is None else stored(profiles)
    found = _resolved(source, find, shown)
    tree, problems = found.tree, [*found.tree.problems, *found.problems]
    plan: Plan | None = None
    try:
        plan = _plan(found)
    except ValidationError as error:
        problems += [_of_pydantic(tree, item) for item in error.errors(include_url=False)]
    for template in found.templates:
        problems += _of_template(template, tree)
    found_faults = [item for item in faults(draft(tree.root)) if not (found.unread and item.way[0] in _ON_CHANNELS)]
    problems += [_of_check(tree, item) for item in found_faults]
    if problems or plan is None:
        raise PlanProblems(_once(problems), name=shown)
    return PlanFile(plan=plan, source=source, sha256=sha256(source), name=shown, profiles=found.profiles, _tree=tree)


@lru_cache(maxsize=64)
def stored_plan(source: bytes, profiles: Profiles = ()) -> Plan:
    """The plan of bytes that were checked when they were applied; not checked again.

    :param profiles: the device templates that were stored with it.
    :raises PlanProblems: this version of the language cannot read them any more.
    """
    found = _resolved(source, stored(profiles), "the stored plan")
    if found.problems:
        raise PlanProblems(found.problems, name="the stored plan")
    try:
        return _plan(found)
    except ValidationError as error:
        problems = [_of_pydantic(found.tree, item) for item in error.errors()]
        raise PlanProblems(problems, name="the stored plan") from error


def _resolved(source: bytes, find: Find, name: str) -> Resolved:
    try:
        return resolve(read_tree(source), find)
    except NoTree as none:
        raise PlanProblems([none.problem], name=name) from none


def _plan(found: Resolved) -> Plan:
    """
    :raises ValidationError: it is none.
    """
    plan = Plan.model_validate(found.tree.root)
    plan.hold(found.profiles)
    return plan


def _bytes_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}: give the path of a plan file.") from None
    except OSError as error:
        raise PermanentError(f"The plan file {path} cannot be read: {error.strerror}.") from error


def _once(problems: list[Problem]) -> list[Problem]:
    """Each place and rule once: a check and the model may both have seen it, and several slots may use one template."""
    once = {(problem.line, problem.path, problem.code): problem for problem in problems}
    written: dict[tuple[str | int, str], Problem] = {}
    for problem in once.values():
        written.setdefault((problem.profile or id(problem), problem.code), problem)
    return list(written.values())


def _of_check(tree: Tree, found: Fault) -> Problem:
    value = shown_value(tree.root, found.way) if found.found is None else found.found
    return _problem(tree, found.way, value, found.code, found.values)


def _problem(tree: Tree, way: Way, value: str, code: str, values: Mapping[str, Any]) -> Problem:
    line, profile = tree.place(way)
    return replace(Problem.at(line, tree.origin(way), value, code, **values), profile=profile)


def _of_template(template: Template, tree: Tree) -> list[Problem]:
    """What is wrong with a template by itself, told where the plan names it."""
    try:
        Profile.model_validate(template.tree.root)
    except ValidationError as error:
        found = []
        for item in error.errors(include_url=False):
            way = _way(item)
            inside = _of_pydantic(template.tree, item, Profile)
            here = Problem.at(0, template.way_in_plan(way), inside.value, inside.code, **inside.values)
            line = tree.line_of((*template.first, "profile"))
            found.append(replace(here, line=line, profile=template.place(way)))
        return found
    return []


_CODES: Mapping[str, str] = {
    "missing": "missing",
    "string_type": "text",
    "string_pattern_mismatch": "name",
    "string_too_short": "not-empty",
    "float_type": "number",
    "finite_number": "number",
    "int_type": "whole",
    "bool_type": "truth",
    "date_type": "date",
    "date_from_datetime_parsing": "date",
    "dict_type": "mapping",
    "model_type": "mapping",
    "model_attributes_type": "mapping",
    "tuple_type": "list",
    "list_type": "list",
}


def _loc(error: ErrorDetails) -> Way:
    return tuple(step for step in error["loc"] if not str(step).startswith(TAG))


def _way(error: ErrorDetails) -> Way:
    """Where one of pydantic's errors stands."""
    loc = _loc(error)
    return loc[:-1] if loc and loc[-1] == "[key]" else loc


def _of_pydantic(tree: Tree, error: ErrorDetails, model: type[BaseModel] = Plan) -> Problem:
    """One of pydantic's errors in our words, with its line."""
    loc, way = _loc(error), _way(error)
    code, values = _rule_of(tree, way, error, model)
    if error["type"] == "missing":
        value = ""
    elif loc != way:
        value = str(way[-1])
    else:
        value = shown_value(tree.root, way)
    return _problem(tree, way, value, code, values)


def _rule_of(tree: Tree, way: Way, error: ErrorDetails, model: type[BaseModel]) -> tuple[str, dict[str, Any]]:
    kind, context = error["type"], error.get("ctx", {})
    if kind in RULES and kind not in _CODES:
        return kind, dict(context)
    match kind:
        case "extra_forbidden":
            names = keys_at(way[:-1], model)
            return "unknown-key", {"known": known(names, 30), "guess": guess(str(way[-1]), names)}
        case "literal_error":
            names = [name.strip("'") for name in str(context["expected"]).replace(" or ", ", ").split(", ")]
            return "one-of", {"known": known(names), "guess": guess(shown_value(tree.root, way), names)}
        case "too_short":
            return "at-least", {"least": context["min_length"]}
        case "too_long":
            return "exactly", {"count": context["max_length"]}
        case "greater_than_equal":
            return "low", {"least": _plain(context["ge"])}
        case "less_than_equal":
            return "high", {"most": _plain(context["le"])}
        case "greater_than":
            return "above", {"least": _plain(context["gt"])}
        case _ if kind in _CODES:
            return _CODES[kind], {}
        case _:
            return "other", {"why": error["msg"]}


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def keys_at(way: Way, model: type[BaseModel] = Plan) -> list[str]:
    """The keys that the plan's language knows at a path."""
    schema = model.model_json_schema(by_alias=True)
    here: Mapping[str, Any] = schema
    for step in way:
        found = [below for option in _options(schema, here) for below in _below(option, step)]
        if not found:
            return []
        here = found[0]
    return list(dict.fromkeys(key for option in _options(schema, here) for key in option.get("properties", {})))


def _options(schema: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What a part of the schema may be, references followed."""
    if "$ref" in here:
        yield from _options(schema, schema["$defs"][here["$ref"].rsplit("/", 1)[1]])
        return
    chosen = [here[way] for way in ("then", "else") if way in here]
    for option in (*here.get("anyOf", ()), *here.get("oneOf", ()), *chosen):
        yield from _options(schema, option)
    yield here


def _below(here: Mapping[str, Any], step: str | int) -> Iterator[Mapping[str, Any]]:
    if step in here.get("properties", {}):
        yield here["properties"][step]
    elif "patternProperties" in here:
        yield from here["patternProperties"].values()
    elif isinstance(here.get("additionalProperties"), dict):
        yield here["additionalProperties"]
    elif isinstance(here.get("items"), dict):
        yield here["items"]


def shown_value(root: Any, way: Way) -> str:
    """What stands at a path, short enough for a line; empty if nothing does."""
    for step in way:
        try:
            root = root[step]
        except (KeyError, IndexError, TypeError):
            return ""
    if isinstance(root, dict):
        text = "{" + ", ".join(map(str, root)) + "}"
    elif isinstance(root, list):
        text = "[" + ", ".join("…" if isinstance(item, dict | list) else str(item) for item in root) + "]"
    else:
        text = "" if root is None else str(root)
    return text if len(text) <= 80 else f"{text[:77]}…"

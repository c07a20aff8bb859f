"""What a device says of a state, and the state that the plan means by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from devices.plan.written import Written


def as_said(text: str) -> str:
    """How a number or truth value reads that a device may send for a key of ``source_states``.

    >>> as_said("1.0"), as_said("0.50"), as_said("True"), as_said("ERR")
    ('1', '0.5', 'true', 'ERR')
    """
    value = Written(text).resolved
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) <= 2**53 else repr(value)
    return str(value)


def as_keys(table: Any) -> Any:
    """A table whose keys may be numbers and truth values already, as other readers of YAML take them: as words.

    >>> as_keys({0: "stopped", 2.5: "idle", True: "running", "ERR": "fault"})
    {'0': 'stopped', '2.5': 'idle', 'true': 'running', 'ERR': 'fault'}
    """
    if not isinstance(table, dict):
        return table
    return {as_said(str(key)) if isinstance(key, bool | int | float) else key: state for key, state in table.items()}


def doubted(source_states: Mapping[str, str]) -> list[str]:
    """Keys that a device's value could be as well as another key's that means something else.

    >>> doubted({"1": "on", "1.0": "off", "2.0": "on", "2.00": "off"})
    ['2.00']
    """
    first: dict[str, str] = {}
    found = []
    for key, state in source_states.items():
        said = as_said(key)
        if said not in source_states and first.setdefault(said, state) != state:
            found.append(key)
    return found


def codes(states: Sequence[str], source_states: Mapping[str, str] | None = None) -> dict[str, int]:
    """What a device says → the state's number, its place in ``states``.

    >>> codes(["stopped", "running"]), codes(["stopped", "running"], {"0": "stopped", "1.0": "running"})
    ({'stopped': 0, 'running': 1}, {'0': 0, '1.0': 1, '1': 1})
    """
    by_name = {state: code for code, state in enumerate(states)}
    if source_states is None:
        return by_name
    found = {key: by_name[state] for key, state in source_states.items() if state in by_name}
    for key, code in list(found.items()):
        found.setdefault(as_said(key), code)
    return found

"""Every rule of the plan's language in one sentence, in English and Korean, by code.

A problem carries the code and the values; who shows it chooses the language.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic_core import PydanticCustomError

from devices.plan.rule_texts import (
    changes,
    connections,
    entered,
    file,
    kpis,
    parts,
    profiles,
    readings,
    references,
    versions,
)

RULES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        **file.RULES,
        **parts.RULES,
        **connections.RULES,
        **profiles.RULES,
        **kpis.RULES,
        **readings.RULES,
        **changes.RULES,
        **entered.RULES,
        **references.RULES,
        **versions.RULES,
    }
)


def told(code: str, values: Mapping[str, Any], language: str = "en") -> str:
    """The sentence of a rule, in English or Korean (``ko``)."""
    english, korean = RULES[code]
    return (korean if language == "ko" else english).format(**values)


def broken(code: str, **values: Any) -> PydanticCustomError:
    """What a validator of the model raises: the rule that does not hold."""
    english = RULES[code][0]
    # The template is one of the table's above, never input.
    return PydanticCustomError(code, english, values)

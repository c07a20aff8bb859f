"""What slots select by: values to compare with those of a message, as words."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator


def _word(value: Any) -> str:
    # 1.10 is a number to YAML, and would be looked for as 1.1.
    if isinstance(value, bool | float) or not isinstance(value, str | int) or value == "":
        raise ValueError("a word is needed; in quotes where YAML takes it for something else, as in '1.10'")
    return str(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, str | int | float | bool):
        return value
    raise ValueError("one value is needed, as it stands in the message: text, a number, true or false")


Word = Annotated[str, BeforeValidator(_word)]
"""A name that messages carry."""

Scalar = Annotated[Any, BeforeValidator(_scalar)]
"""A value that stands in a JSON document."""

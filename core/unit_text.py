"""Unit expressions as people write them, put into the words of pint: ``건/(1000 km)``, ``W*s``, ``(ug/m^3)*h``.

    expression = operand { ("*" | "·" | "/") operand }         from left to right, as in arithmetic
    operand    = "(" expression ")" | [number] [symbol] | name    with an optional power, ``^2`` or ``**2``

An expression does not begin with a number of something: in ``5 km`` the unit is km.

A symbol is the longest one of the table that fits, so ``대·일`` is a device-day and not a device times a day. A name is a full
SI name of three letters or more. Nothing is guessed: what does not read to the end is no expression.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_NUMBER = re.compile(r"\d[\d,_]*(?:\.\d+)?(?:[eE][-+]?\d+)?")
_NAME = re.compile(r"[A-Za-z_]{3,}")
_POWER = re.compile(r"\s*(?:\*\*|\^)\s*(-?\d+)")
_OPERATORS = {"*": "*", "·": "*", "/": "/"}
_OFFSET = frozenset({"degC", "degF", "centidegC"})


class NoExpressionError(ValueError):
    """The text does not read as an expression of units."""


class _Reader:
    def __init__(self, text: str, symbols: Mapping[str, str]) -> None:
        self.text = text
        self.at = 0
        self.symbols = symbols
        self.operators = 0

    def skip(self) -> str:
        """The next character that is no blank; empty at the end."""
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1
        return self.text[self.at : self.at + 1]

    def expression(self) -> str:
        made = self.operand()
        while (sign := self.skip()) in _OPERATORS and sign:
            self.at += 1
            self.operators += 1
            made += f"{_OPERATORS[sign]}{self.operand()}"
        return f"({made})"

    def operand(self) -> str:
        if self.skip() == "(":
            self.at += 1
            made = self.expression()
            if self.skip() != ")":
                raise NoExpressionError(self.text)
            self.at += 1
        elif number := _NUMBER.match(self.text, self.at):
            self.at = number.end()
            made = number[0].replace(",", "").replace("_", "")
            if number.start() > 0 and self.skip() not in ("", ")", "^", *_OPERATORS):
                self.operators += 1
                made = f"({made}*{self.unit()})"
        else:
            made = self.unit()
        if power := _POWER.match(self.text, self.at):
            self.at = power.end()
            made = f"({made})**({power[1]})"
        return made

    def unit(self) -> str:
        fitting = (name for name in self.symbols if name.strip("/") and self._fits(name))
        if name := max(fitting, key=len, default=""):
            self.at += len(name)
            return f"({self.symbols[name]})"
        if match := _NAME.match(self.text, self.at):
            self.at = match.end()
            return f"({match[0]})"
        raise NoExpressionError(self.text)

    def _fits(self, name: str) -> bool:
        end = self.at + len(name)
        following = self.text[end : end + 1]
        return self.text.startswith(name, self.at) and (
            following in ("", "(", ")", "^", *_OPERATORS) or following.isspace()
        )


def in_words_of_pint(text: str, symbols: Mapping[str, str]) -> str:
    """The expression with every symbol replaced by what the table says of it.

    In a product or quotient a temperature is a difference: 2 °C/h is no point on a scale.

    >>> in_words_of_pint("건/(1000 km)", {"건": "case", "km": "kilometer"})
    '((case)/((1000*(kilometer))))'

    :raises NoExpressionError: the text does not read to its end.
    """
    reader = _Reader(text, symbols)
    made = reader.expression()
    if reader.skip():
        raise NoExpressionError(text)
    if reader.operators:
        for name in _OFFSET:
            made = made.replace(f"({name})", f"(delta_{name})")
    return made

"""The stylesheet's colours: every pair of text and ground that occurs is readable, in light, dark and on paper."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

STYLE = files("dashboards").joinpath("static/pilotbed.css").read_text(encoding="utf-8")
HEX = re.compile(r"--([a-z-]+):\s*(#[0-9a-f]{6})")

# WCAG 2.2, 1.4.3: 4.5 for text; 1.4.11: 3 for marks, lines of charts, borders of what can be operated.
TEXT = [
    ("text", "card"), ("text", "page"), ("text", "sunk"), ("secondary", "card"), ("secondary", "page"),
    ("secondary", "sunk"), ("faint-small", "card"), ("faint-small", "page"), ("faint-small", "sunk"), ("link", "card"),
    ("link", "page"), ("link", "primary-pale"), ("on-primary", "primary"), ("on-primary", "primary-hover"),
    ("primary-hover", "card"), ("danger-text", "card"), ("good", "good-pale"), ("watch", "watch-pale"),
    ("bad", "bad-pale"), ("open", "open-pale"), ("none", "none-pale"), ("good", "card"), ("watch", "card"),
    ("bad", "card"), ("open", "card"), ("none", "card"),
    ("heat-pale-text", "heat-whole"), ("heat-pale-text", "heat-most"), ("heat-pale-text", "heat-some"),
    ("heat-deep-text", "heat-few"), ("heat-deep-text", "heat-nil"),
]  # fmt: skip
MARKS = [("data", "card"), ("data", "sunk"), ("faint", "card"), ("line-strong", "card"), ("primary", "card"),
         ("primary", "page"), ("bad", "sunk")]  # fmt: skip


def palette(block: str) -> dict[str, str]:
    return dict(HEX.findall(block))


LIGHT = palette(STYLE.split("@media", 1)[0])
DARK = LIGHT | palette(STYLE.split("prefers-color-scheme: dark", 1)[1].split("/* Ground", 1)[0])
PAPER = LIGHT | palette(STYLE.split("@media print", 1)[1])


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_formula_is_the_standards() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("name", ["light", "dark", "paper"])
def test_every_text_is_readable_on_its_ground(name: str) -> None:
    colours = {"light": LIGHT, "dark": DARK, "paper": PAPER}[name]
    found = {pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in TEXT}
    assert not {pair: value for pair, value in found.items() if value < 4.5}
    found = {pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in MARKS}
    assert not {pair: value for pair, value in found.items() if value < 3}


def test_the_colours_of_states_are_the_documents_too() -> None:
    assert (LIGHT["good"], LIGHT["watch"], LIGHT["bad"], LIGHT["open"], LIGHT["none"]) == (
        "#267337", "#8a5c00", "#bd2c0f", "#085691", "#58616a",
    )  # fmt: skip


def test_every_colour_that_is_used_is_defined_and_none_stands_bare() -> None:
    used = set(re.findall(r"var\(--([a-z-]+)\)", STYLE))
    defined = set(re.findall(r"--([a-z-]+):", STYLE))
    assert used <= defined
    rules = re.sub(r"(?s):root \{.*?\}", "", STYLE)
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b", rules)
    assert "@import" not in STYLE and "url(" not in STYLE and "@font-face" not in STYLE


def test_faint_text_is_never_small() -> None:
    sizes = [float(size) for size in re.findall(r"font-size: ([0-9.]+)px", STYLE)]
    # Code and the chart axis may have 14 px; nothing else is below 15.
    assert min(sizes) >= 14


def test_targets_are_large_enough_to_touch() -> None:
    for selector in (".button.compact", ".languages a", ".ranges a", ".tabs a", ".top nav a", "details > summary"):
        block = re.search(re.escape(selector) + r"[^{]*\{([^}]*)\}", STYLE)
        assert block is not None, selector
        height = re.search(r"min-height: (\d+)px", block[1])
        assert height is not None and int(height[1]) >= 44, selector

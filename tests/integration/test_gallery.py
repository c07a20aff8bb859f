"""The gallery: every example plan, judged on what its site sent, comes to the answer that was worked out by hand."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.database import Connection, connected
from core.errors import PermanentError
from devices.plan.reader import read_plan
from pilotbed.gallery import Example, examples, run
from pilotbed.gallery.page import section
from tests.conftest import _new_database

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples/plans/catalogue"
PAGE = ROOT / "docs/gallery.md"
ALL = examples(FOLDER)

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def store_of_all(database_server: str, template_database: str) -> Iterator[Connection]:
    name = f"pilotbed_test_{secrets.token_hex(6)}"
    with _new_database(database_server, name, template_database) as url, connected(url) as connection:
        yield connection


@pytest.mark.parametrize("example", ALL, ids=lambda example: example.name)
def test_an_example_comes_to_its_known_answer_and_stands_so_on_the_page(
    store_of_all: Connection, example: Example
) -> None:
    ran = run(store_of_all, example)
    assert not ran.differs
    picture = f"pictures/gallery/{example.name}.svg"
    assert section(ran, picture) in PAGE.read_text(encoding="utf-8"), (
        "write docs/gallery.md again: pilotbed gallery -o docs"
    )
    assert (PAGE.parent / picture).read_bytes().startswith(b"<svg")


def test_an_answer_that_is_not_met_is_told(store_of_all: Connection) -> None:
    example = next(one for one in examples(FOLDER, ("13",)))
    text = example.path.read_text(encoding="utf-8").replace("pilot: 13-lift-boarding", "pilot: 13-other")
    wrong = example.answer.model_copy(update={"value": 98.0, "low": 95.06, "verdict": "not_met"})
    changed = Example(name=example.name, path=example.path, plan=read_plan(text.encode()), answer=wrong)
    told = " ".join(run(store_of_all, changed).differs)
    assert "verdict met, worked out not_met" in told
    assert "value 100.0, worked out 98.0" in told
    assert "worked out 95.06" in told


def test_a_folder_without_answers_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="cannot be read"):
        examples(tmp_path)


def test_a_plan_without_an_answer_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "answers.yaml").write_text("{}")
    (tmp_path / "99-new.yaml").write_text("pilot: x")
    with pytest.raises(PermanentError, match=r"'99-new' .* has no answer in answers\.yaml, no story"):
        examples(tmp_path)


def test_an_example_that_is_not_there_is_named() -> None:
    with pytest.raises(PermanentError, match="begins with '77'"):
        examples(FOLDER, ("77",))

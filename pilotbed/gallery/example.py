"""One example: a plan file, what its site sent, and what it must come to, worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from core.errors import PermanentError
from devices.plan.reader import PlanFile, read_plan
from simulators.gallery import STORIES

FOLDER: Final = Path("examples/plans/catalogue")
_ANSWERS: Final = "answers.yaml"


class Answer(BaseModel):
    """What the KPI of an example must come to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kpi: str
    value: float | None
    """In the KPI's shown unit; None where there is none."""
    unit: str
    verdict: str
    low: float | None = None
    """The lower end of the interval, to as many digits as are written."""
    high: float | None = None
    ko: str
    """How it was worked out."""
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One row of the catalogue."""

    name: str
    path: Path
    plan: PlanFile
    answer: Answer


def examples(folder: Path = FOLDER, only: tuple[str, ...] = ()) -> list[Example]:
    """The examples of a folder, in the order of their numbers.

    :param only: names, or beginnings of names such as ``13``; all if left out.
    :raises PermanentError: the folder has no answers, a plan has none, or one of ``only`` is there under no name.
    """
    answers = _answers(folder / _ANSWERS)
    paths = {path.stem: path for path in sorted(folder.glob("[0-9]*.yaml"))}
    _agree(folder, paths, answers)
    for wanted in only:
        if not any(name.startswith(wanted) for name in paths):
            raise PermanentError(f"No example of {folder} begins with {wanted!r}: there are {', '.join(paths)}.")
    return [
        Example(name=name, path=path, plan=read_plan(path), answer=answers[name])
        for name, path in paths.items()
        if not only or name.startswith(only)
    ]


def _answers(path: Path) -> dict[str, Answer]:
    try:
        text: Any = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
        return TypeAdapter(dict[str, Answer]).validate_python(text)
    except OSError as error:
        raise PermanentError(
            f"{path} cannot be read ({error.strerror}): run this in the repository, or name its folder with --plans."
        ) from error
    except (YAMLError, ValidationError) as error:
        raise PermanentError(f"{path} holds no answers as they are written: {str(error).splitlines()[0]}") from error


def _agree(folder: Path, paths: dict[str, Path], answers: dict[str, Answer]) -> None:
    for name in paths.keys() ^ answers.keys() | paths.keys() - STORIES.keys():
        lacks = [
            what
            for what, there in (
                ("plan", paths),
                (f"answer in {_ANSWERS}", answers),
                ("story in simulators/gallery", STORIES),
            )
            if name not in there
        ]
        raise PermanentError(
            f"Example {name!r} of {folder} has no {', no '.join(lacks)}: each has a plan, a story, an answer."
        )

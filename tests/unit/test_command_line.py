"""The front door: what every subcommand has in common."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from core.errors import EnvironmentProblem, NegativeAnswer
from pilotbed import cli

ROOT = Path(__file__).parents[2]
THERE = [name for name, (module, _, _) in cli.COMMANDS.items() if find_spec(module) is not None]


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A command ``try`` whose function a test sets."""
    module = ModuleType("pilotbed_try")
    monkeypatch.setitem(sys.modules, "pilotbed_try", module)
    monkeypatch.setattr(cli, "COMMANDS", {"try": ("pilotbed_try", "command", "Try it.")})
    monkeypatch.setattr(cli, "find_spec", lambda name: name)
    return module


def test_help_is_there_at_once() -> None:
    best = min(_seconds_for("--help") for _ in range(5))
    assert best < 0.3


def _seconds_for(*arguments: str) -> float:
    """Of the processor: by the clock a busy machine would answer."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "pilotbed", *arguments], cwd=ROOT, capture_output=True, check=True, timeout=30
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_imports_no_subcommand() -> None:
    text = (
        "import sys\nfrom pilotbed import cli\ncli.run(['--help'])\n"
        "print([name for name in sys.modules if name.startswith(('pilotbed.cli.', 'psycopg', 'numpy', 'fastapi'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.splitlines()[-1] == "[]"
    for name in THERE:
        assert f"  {name}" in done.stdout


@pytest.mark.parametrize("name", THERE)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    module, attribute, _ = cli.COMMANDS[name]
    assert hasattr(import_module(module), attribute)
    assert cli.run([name, "--help"]) == 0
    assert f"Usage: pilotbed {name}" in capsys.readouterr().out


@pytest.mark.parametrize(("error", "code"), [(NegativeAnswer, 1), (EnvironmentProblem, 2)])
def test_an_error_is_one_line_and_its_exit_code(
    answering: ModuleType, capsys: pytest.CaptureFixture[str], error: type[Exception], code: int
) -> None:
    def command() -> None:
        raise error("The thing is wrong:\n  mend it.")

    answering.command = command  # type: ignore[attr-defined]
    assert cli.run(["try"]) == code
    assert capsys.readouterr() == ("", "pilotbed: The thing is wrong: mend it.\n")


def test_an_interrupt_is_quiet(answering: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        raise KeyboardInterrupt

    answering.command = command  # type: ignore[attr-defined]
    assert cli.run(["try"]) == 130
    assert capsys.readouterr().err.strip() == ""


def test_a_full_disk_is_one_line(answering: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        with Path("/dev/full").open("w") as full:
            full.write("x")

    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    answering.command = command  # type: ignore[attr-defined]
    assert cli.run(["try"]) == 2
    assert capsys.readouterr().err.startswith("pilotbed: No space is left on the disk")


def test_a_defect_is_not_hidden(answering: ModuleType) -> None:
    def command() -> None:
        raise ZeroDivisionError

    answering.command = command  # type: ignore[attr-defined]
    with pytest.raises(ZeroDivisionError):
        cli.run(["try"])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["tri"], "pilotbed: No such command 'tri'. Did you mean 'try'? `pilotbed --help` shows what it takes.\n"),
        (["try"], "pilotbed: Missing argument 'number'. `pilotbed try --help` shows what it takes.\n"),
        (["try", "1", "--far"], "pilotbed: No such option: --far. `pilotbed try --help` shows what it takes.\n"),
    ],
)
def test_wrong_use_is_one_line(
    answering: ModuleType, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    def command(number: int) -> None:
        print(number)

    answering.command = command  # type: ignore[attr-defined]
    assert cli.run(arguments) == 2
    assert capsys.readouterr() == ("", complaint)


def test_a_reader_that_has_gone_is_no_error() -> None:
    command = f"{sys.executable} -m pilotbed doctor | head -1"
    kept = os.environ | {"PILOTBED_WEB_PORT": "0", "PILOTBED_MQTT_PORT": "0"}
    done = subprocess.run(
        ["sh", "-c", command], cwd=ROOT, env=kept, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("pilotbed ")

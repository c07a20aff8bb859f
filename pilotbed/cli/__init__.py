"""The command ``pilotbed``. A subcommand's module is imported when it is called, so that ``--help`` is there at once."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

import pilotbed
from core.errors import PilotbedError

COMMANDS: Final[dict[str, tuple[str, str, str]]] = {
    "demo": ("pilotbed.cli.demo", "demo", "The whole platform with simulated pilots."),
    "up": ("pilotbed.cli.up", "up", "The whole platform on embedded parts, until Ctrl-C."),
    "serve": ("pilotbed.cli.serve", "serve", "The web server alone."),
    "collect": ("pilotbed.cli.collect", "collect", "A collector alone: from the broker into the store."),
    "work": ("pilotbed.cli.work", "work", "The background jobs alone."),
    "migrate": ("pilotbed.cli.migrate", "migrate", "Bring the database to this version."),
    "broker-setup": ("pilotbed.cli.broker_setup", "broker_setup", "Write a broker's configuration and first users."),
    "plan": ("pilotbed.cli.plan", "app", "Check, apply, show and compare plan files."),
    "user": ("pilotbed.cli.user", "app", "Add, list and disable the people who log in."),
    "device": ("pilotbed.cli.device", "app", "List devices, renew secrets, replace, withdraw."),
    "intake": ("pilotbed.cli.intake", "app", "The account of a day: what arrived, what did not, and why."),
    "quality": ("pilotbed.cli.quality", "quality", "What was noticed about the data, and how complete each day is."),
    "quarantine": ("pilotbed.cli.quarantine", "app", "List, show and replay what could not be taken."),
    "outage": ("pilotbed.cli.outage", "app", "Record and list outages."),
    "exclusion": ("pilotbed.cli.exclusion", "app", "Record and list intervals left out of judgement."),
    "label": ("pilotbed.cli.label", "app", "Record and list truth labels."),
    "manual": ("pilotbed.cli.manual", "app", "Record and list what people observed."),
    "baseline": ("pilotbed.cli.baseline", "app", "Hand in and list baselines from before the pilot."),
    "evaluate": ("pilotbed.cli.evaluate", "evaluate", "Judge a pilot: a month, a date, or finally."),
    "report": ("pilotbed.cli.report", "app", "Write the monthly opinion."),
    "seal": ("pilotbed.cli.seal", "app", "List, check and make the daily seals."),
    "bundle": ("pilotbed.cli.bundle", "bundle", "Pack the evidence that proves a pilot's results."),
    "verify": ("pilotbed.cli.verify", "verify", "Recompute a bundle's results, offline."),
    "export": ("pilotbed.cli.export", "export", "Write a pilot's readings to CSV or Parquet."),
    "audit": ("pilotbed.cli.audit", "audit", "Who changed what, and when."),
    "protocol": ("pilotbed.cli.protocol", "app", "Try a message against a protocol's decoder."),
    "simulate": ("pilotbed.cli.simulate", "app", "Send what a site would send, or replay a recording."),
    "gallery": ("pilotbed.cli.gallery", "gallery", "Judge an example of each KPI, and compare with its known answer."),
    "bench": ("pilotbed.cli.bench", "app", "Measure this machine's intake."),
    "doctor": ("pilotbed.cli.doctor", "doctor", "Check this machine, and say what to do."),
}
"""Name → module, attribute (a function, or a Typer application for a group), and its line in ``--help``.

One whose module does not exist is not a command.
"""


class _Lazy(TyperGroup):
    """A group that knows its commands' names and lines, and imports one when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (the base class's signature)
        return [name for name, (module, _, _) in COMMANDS.items() if find_spec(module) is not None]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """What stands in ``--help`` for it."""
        if cmd_name not in self.list_commands(ctx):
            return None
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name][2], rich_markup_mode=None)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        # The base class takes the names for its "Did you mean" from here.
        self.commands = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        name, _, rest = super().resolve_command(ctx, args)
        return name, None if name is None else _loaded(name), rest


def _loaded(name: str) -> Any:
    module, attribute, line = COMMANDS[name]
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        command = typer.main.get_command(found)
        command.help = command.help or line
    else:
        single = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
        single.command(name)(found)
        command = typer.main.get_command(single)
    command.name = name
    return command


def group(help: str) -> typer.Typer:  # noqa: A002 (typer's own word)
    """A Typer application for a group of subcommands, in our manner."""
    return typer.Typer(
        help=help,
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


_UsageProblem: Final[Any] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code. Errors go to stderr in one line."""
    if list(arguments) == ["--version"]:
        print(f"pilotbed {pilotbed.__version__}")
        return 0
    program = _Lazy(
        name="pilotbed",
        help="Pilotbed: the data platform behind city pilots. Durable intake, evidence, verdicts, documents.",
        rich_markup_mode=None,
        no_args_is_help=True,
    )
    try:
        returned = program.main(list(arguments), prog_name="pilotbed", standalone_mode=False)
        sys.stdout.flush()
    except PilotbedError as problem:
        return _complain(str(problem), problem.exit_code)
    except _UsageProblem as problem:
        return _misused(problem)
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:
        # The reader of our output has gone, as `| head` does. Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as problem:
        if problem.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        where = f" for {problem.filename}" if problem.filename else ""
        return _complain(f"No space is left on the disk{where}: free some, then start again.", 2)
    return returned if isinstance(returned, int) else 0


def _complain(text: str, exit_code: int) -> int:
    line = " ".join(text.split())
    print(f"pilotbed: {line}", file=sys.stderr)
    return exit_code


def _misused(problem: Any) -> int:
    if type(problem).__name__ == "NoArgsIsHelpError":
        print(problem.format_message())
        return 2
    context = getattr(problem, "ctx", None)
    path = context.command_path if context is not None else "pilotbed"
    text = problem.format_message()
    end = "" if text.endswith((".", "?")) else "."
    return _complain(f"{text}{end} `{path} --help` shows what it takes.", 2)


def main() -> None:
    """The entry point."""
    sys.exit(run(sys.argv[1:]))

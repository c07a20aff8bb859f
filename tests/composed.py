"""What the tests of compose.yaml share: the file as Compose reads it, the Dockerfile, and its services as processes."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pilotbed.stack.account import child_account
from pilotbed.stack.child import start_child
from pilotbed.stack.mosquitto_binaries import find_program
from pilotbed.stack.ports import answers

ROOT = Path(__file__).parents[1]
PILOTBED = [sys.executable, "-P", "-m", "pilotbed"]
FILE = ROOT / "compose.yaml"
EXAMPLE = ROOT / ".env.example"
OUR_IMAGE = "pilotbed"

# ${NAME:?message} must be given, ${NAME:-default} may be.
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<kind>:[-?])(?P<rest>[^}]*)\}")


def compose() -> dict[str, Any]:
    """The file with its merges resolved and its variables as they stand."""
    return dict(YAML(typ="safe", pure=True).load(FILE.read_text(encoding="utf-8")))


def services() -> dict[str, dict[str, Any]]:
    return dict(compose()["services"])


def ours() -> dict[str, dict[str, Any]]:
    """The services that run Pilotbed itself."""
    return {name: service for name, service in services().items() if service["image"].split(":")[0] == OUR_IMAGE}


def environment(service: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """A service's variables with those of ``.env`` put in; one without a value is passed on, or stays unset."""
    found = {}
    for name, value in service.get("environment", {}).items():
        if value is not None:
            found[name] = interpolated(str(value), given)
        elif name in given:
            found[name] = given[name]
    return found


def interpolated(text: str, given: Mapping[str, str]) -> str:
    """
    :raises KeyError: a variable that must be given is not, or is empty.
    """

    def value(match: re.Match[str]) -> str:
        if found := given.get(match["name"]):
            return found
        if match["kind"] == ":?":
            raise KeyError(match["name"])
        return match["rest"]

    return VARIABLE.sub(value, text)


def required() -> set[str]:
    """The variables without which Compose refuses to start."""
    return {match["name"] for match in VARIABLE.finditer(FILE.read_text(encoding="utf-8")) if match["kind"] == ":?"}


def some_secrets() -> dict[str, str]:
    """A value for each of them."""
    return {name: secrets.token_hex(24) for name in required()}


def dockerfile() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, each with its arguments in one line."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    pairs = (line.split(maxsplit=1) for line in joined.splitlines())
    return [(instruction, rest) for instruction, rest in pairs]


def copied() -> list[tuple[str, str]]:
    """What the Dockerfile copies from the build context: source and destination."""
    found = [rest.split() for instruction, rest in dockerfile() if instruction == "COPY"]
    return [(source, destination) for source, destination in (words for words in found if len(words) == 2)]


def run(*arguments: str, variables: Mapping[str, str], timeout_s: float = 60.0) -> subprocess.CompletedProcess[str]:
    """``pilotbed …`` as in a container: with these variables of Pilotbed's and no others."""
    return subprocess.run(
        [*PILOTBED, *arguments],
        env=process_environment(variables), capture_output=True, text=True, timeout=timeout_s, check=False,
        stdin=subprocess.DEVNULL, cwd="/",
    )  # fmt: skip


def process_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """What a container's process has, beyond what it is given."""
    return {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **variables}


@contextmanager
def mosquitto_on(folder: Path, port: int) -> Iterator[None]:
    """This machine's Mosquitto on a folder that ``broker-setup`` wrote."""
    child = start_child(
        "Mosquitto",
        [str(find_program()), "-c", str(folder / "mosquitto.conf")],
        account=child_account(),
        output=folder / "broker.log",
    )
    try:
        end = time.monotonic() + 20
        while not answers("127.0.0.1", port):
            assert child.exit_code() is None, (folder / "broker.log").read_text(encoding="utf-8")
            assert time.monotonic() < end, "the broker does not listen"
            time.sleep(0.02)
        yield
    finally:
        child.stop()

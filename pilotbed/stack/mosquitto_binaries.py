"""Where Mosquitto and its dynamic security plugin are, and how to get them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.errors import EnvironmentProblem

_PLUGIN: Final = "mosquitto_dynamic_security"
OLDEST: Final = (2, 0, 0)
BOUNDED: Final = (2, 0, 22)
"""From this version on the broker heeds a client's Receive Maximum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """One Mosquitto installation."""

    program: Path
    plugin: Path
    version: tuple[int, ...]


def how_to_get() -> str:
    """What to type to have Mosquitto, on this kind of machine."""
    if sys.platform == "darwin":
        return "brew install mosquitto"
    if shutil.which("apt-get", path=f"{os.environ.get('PATH', '')}:/usr/bin"):
        return "apt-get install mosquitto (with sudo unless you are root)"
    return "install Eclipse Mosquitto 2 with your system's package manager"


def find_program(override: Path | None = None) -> Path:
    """The ``mosquitto`` to use: the one named, else on the PATH or in an ``sbin`` beside it.

    :raises EnvironmentProblem: there is none; the message says how to get it.
    """
    if override is not None:
        if not os.access(override, os.X_OK):
            raise EnvironmentProblem(f"PILOTBED_MOSQUITTO names {override}, which is not a program.")
        return override
    found = shutil.which("mosquitto", path=_search_path())
    if found is None:
        raise EnvironmentProblem(
            f"Mosquitto, the MQTT broker, is not installed: {how_to_get()}; or point PILOTBED_MQTT_URL at a broker."
        )
    return Path(found)


def _search_path() -> str:
    """The PATH, and the ``sbin`` beside each ``bin`` on it: packages put servers there, where users do not look."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    beside = [folder.with_name("sbin") for folder in folders if folder.name == "bin"]
    return os.pathsep.join(str(folder) for folder in [*folders, *beside])


def program_version(program: Path) -> tuple[int, ...]:
    """The version that ``mosquitto`` states of itself.

    :raises EnvironmentProblem: it does not run, or states none.
    """
    try:
        # It exits 3 after printing its help.
        text = subprocess.run([str(program), "-h"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise EnvironmentProblem(f"{program} does not run on this machine: {error}.") from error
    match = re.search(r"version (\d+)\.(\d+)\.(\d+)", text)
    if match is None:
        raise EnvironmentProblem(f"{program} states no version: is it Eclipse Mosquitto? Set PILOTBED_MOSQUITTO.")
    return tuple(int(part) for part in match.groups())


def find_plugin(program: Path, override: Path | None = None) -> Path:
    """The dynamic security plugin that belongs to ``program``.

    :raises EnvironmentProblem: there is none; the message says where it was looked for.
    """
    if override is not None:
        if not override.is_file():
            raise EnvironmentProblem(f"PILOTBED_MOSQUITTO_PLUGIN names {override}, which does not exist.")
        return override
    for candidate in _plugin_places(program):
        if candidate.is_file():
            return candidate
    raise EnvironmentProblem(
        f"Mosquitto's dynamic security plugin ({_PLUGIN}.so) is not beside {program}: install the full Mosquitto"
        f" ({how_to_get()}), or name the file with PILOTBED_MOSQUITTO_PLUGIN."
    )


def _plugin_places(program: Path) -> Iterator[Path]:
    prefixes = dict.fromkeys([program.parent.parent, Path(os.path.realpath(program)).parent.parent, Path("/usr")])
    for prefix in prefixes:
        for folder in (prefix / "lib", prefix / "lib64"):
            for suffix in ("so", "dylib"):
                yield folder / f"{_PLUGIN}.{suffix}"
                yield folder / "mosquitto" / f"{_PLUGIN}.{suffix}"
                # Debian's folders for each architecture.
                yield from sorted(folder.glob(f"*-linux-*/{_PLUGIN}.{suffix}"))


def find_broker(program: Path | None = None, plugin: Path | None = None) -> Broker:
    """The Mosquitto to use, with its plugin.

    :raises EnvironmentProblem: a part is missing or too old.
    """
    found = find_program(program)
    version = program_version(found)
    if version < OLDEST:
        raise EnvironmentProblem(
            f"{found} is Mosquitto {'.'.join(map(str, version))}; 2.0 or newer is needed for MQTT 5 and its dynamic"
            f" security: {how_to_get()}."
        )
    return Broker(program=found, plugin=find_plugin(found, plugin), version=version)

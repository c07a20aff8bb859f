"""The supervisor with real, small child programs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import EnvironmentProblem
from pilotbed.stack.program import Program
from pilotbed.stack.supervisor import Part, Step, Stopped, Supervisor

pytestmark = pytest.mark.timeout(60)

_TELLS = """
import signal, sys, time
def tell(what):
    with open(sys.argv[1], "a") as file:
        file.write(f"{what} {sys.argv[2]}\\n")
def end(*_):
    tell("ended"); sys.exit(0)
signal.signal(signal.SIGTERM, end)
tell("began")
while True: time.sleep(0.05)
"""
_CRASHES = "import sys, time; time.sleep(0.1); print('first line'); print('the disk is on fire'); sys.exit(3)"
_STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
)


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def told(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def telling(file: Path, name: str) -> Program:
    return Program(name, [sys.executable, "-c", _TELLS, str(file), name], ready=lambda: f"began {name}" in told(file))


def test_parts_start_in_order_and_stop_in_reverse(tmp_path: Path) -> None:
    file = tmp_path / "told"
    steps: list[str] = []
    parts: list[Part] = [
        telling(file, "first"),
        Step(name="between", do=lambda: steps.append(" ".join(told(file)))),
        telling(file, "second"),
    ]
    supervisor = Supervisor(parts, say=lambda _: None)
    supervisor.start()
    supervisor.stop()
    assert steps == ["began first"]
    assert told(file) == ["began first", "began second", "ended second", "ended first"]


def test_what_crashes_is_started_again_ever_later_and_each_time_said(tmp_path: Path) -> None:
    said: list[str] = []
    crashing = Program("leaky", [sys.executable, "-c", _CRASHES], log=tmp_path / "leaky.log", say=said.append)
    steady = telling(tmp_path / "told", "steady")
    supervisor = Supervisor([steady, crashing], say=said.append)
    supervisor.start()
    try:
        end = time.monotonic() + 20
        while sum("ended unasked" in line for line in said) < 3 and time.monotonic() < end:
            supervisor.tend()
            time.sleep(0.02)
        assert steady.exit_code() is None
    finally:
        supervisor.stop()
    crashes = [line for line in said if "ended unasked" in line]
    because = f"leaky ended unasked (exit code 3; the disk is on fire; all of it is in {tmp_path}/leaky.log)"
    assert crashes == [f"{because}: it is started again in {wait} s." for wait in ("0.5", "1.0", "2.0")]
    assert said.count("leaky runs again.") == 2
    assert "first line" in (tmp_path / "leaky.log").read_text()
    assert told(tmp_path / "told") == ["began steady", "ended steady"]


def test_a_killed_program_is_named_by_its_signal(tmp_path: Path) -> None:
    said: list[str] = []
    program = telling(tmp_path / "told", "victim")
    supervisor = Supervisor([program], say=said.append)
    supervisor.start()
    said.clear()
    try:
        assert program.pid is not None
        os.kill(program.pid, signal.SIGKILL)
        assert within(5, lambda: program.exit_code() is not None)
        supervisor.tend()
        assert said == ["victim ended unasked (killed by SIGKILL): it is started again in 0.5 s."]
        time.sleep(0.6)
        supervisor.tend()
        assert said[-1] == "victim runs again."
        assert program.exit_code() is None
    finally:
        supervisor.stop()


def test_a_stubborn_one_is_killed_within_its_bound(tmp_path: Path) -> None:
    said: list[str] = []
    log = tmp_path / "log"
    stubborn = Program(
        "stubborn",
        [sys.executable, "-c", _STUBBORN],
        log=log,
        say=said.append,
        patience_s=0.5,
        ready=lambda: log.exists() and "deaf" in log.read_text(),
    )
    stubborn.start()
    pid = stubborn.pid
    begun = time.monotonic()
    stubborn.stop()
    assert time.monotonic() - begun < 3
    assert said == ["stubborn did not end within 0 s and was killed."]
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_when_one_fails_at_the_start_those_before_it_are_stopped(tmp_path: Path) -> None:
    def fail() -> None:
        raise EnvironmentProblem("nothing works here")

    file = tmp_path / "told"
    parts: list[Part] = [telling(file, "first"), Step(name="failing", do=fail), telling(file, "never")]
    with pytest.raises(EnvironmentProblem, match="nothing works here"):
        Supervisor(parts, say=lambda _: None).start()
    assert told(file) == ["began first", "ended first"]


def test_a_part_that_cannot_start_again_is_tried_later(tmp_path: Path) -> None:
    said: list[str] = []
    command = [sys.executable, "-c", "pass"]
    program = Program("gone", command, say=said.append)
    supervisor = Supervisor([program], say=said.append)
    supervisor.start()
    assert within(5, lambda: program.exit_code() is not None)
    program._command[0] = str(tmp_path / "missing")
    # With the launcher that ties it to us, that starts, and says itself that the program is missing.
    expected = "gone ended unasked" if Path("/usr/bin/setpriv").exists() else "gone does not start"
    supervisor.tend()
    time.sleep(0.6)
    supervisor.tend()
    within(5, lambda: program.exit_code() is not None)
    supervisor.tend()
    supervisor.stop()
    assert expected in said[-1]


def test_one_that_cannot_be_tended_is_started_again() -> None:
    said: list[str] = []

    class Troubled:
        name = "troubled"
        starts = 0

        def start(self) -> None:
            self.starts += 1

        def stop(self) -> None: ...

        def exit_code(self) -> int | None:
            return None

        def last_words(self) -> str:
            return ""

        def tend(self) -> None:
            if self.starts == 1:
                raise EnvironmentProblem("its port was taken")

    troubled = Troubled()
    supervisor = Supervisor([troubled], say=said.append)
    supervisor.start()
    supervisor.tend()
    time.sleep(0.6)
    supervisor.tend()
    supervisor.tend()
    assert said == [
        "troubled is in trouble (its port was taken): it is started again in 0.5 s.",
        "troubled runs again.",
    ]


def test_a_signal_during_the_start_stops_what_began(tmp_path: Path) -> None:
    file = tmp_path / "told"
    supervisor: Supervisor
    slow = Program(
        "slow", [sys.executable, "-c", _TELLS, str(file), "slow"], ready=lambda: False,
        wait=lambda seconds: supervisor.pause(seconds),
    )  # fmt: skip
    interrupt = Step(name="interrupt", do=lambda: os.kill(os.getpid(), signal.SIGTERM))
    supervisor = Supervisor([telling(file, "first"), interrupt, slow], say=lambda _: None)
    before = signal.getsignal(signal.SIGTERM)
    with supervisor.signals(), pytest.raises(Stopped):
        supervisor.start()
    assert told(file)[0] == "began first"
    assert told(file)[-1] == "ended first"
    assert signal.getsignal(signal.SIGTERM) is before


def test_children_do_not_hear_the_terminals_interrupt(tmp_path: Path) -> None:
    program = telling(tmp_path / "told", "apart")
    program.start()
    try:
        assert program.pid is not None
        assert os.getsid(program.pid) == program.pid
    finally:
        program.stop()


_OWNER = """
import sys, time
from pilotbed.stack.program import Program
program = Program("orphan", [sys.executable, "-c", sys.argv[1], sys.argv[2], "orphan"])
program.start()
print(program.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_a_program_ends_cleanly_when_its_owner_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "told"
    command = [sys.executable, "-c", _OWNER, _TELLS, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as owner:
        assert owner.stdout is not None
        owner.stdout.readline()
        assert within(10, lambda: told(file) == ["began orphan"])
        owner.kill()
    assert within(10, lambda: told(file) == ["began orphan", "ended orphan"])


_SAYS = (
    "import sys, time; print('loading'); time.sleep(0.3); print('Pages at nowhere'); sys.stdout.flush(); time.sleep(60)"
)


def test_a_program_is_ready_when_it_says_so(tmp_path: Path) -> None:
    program = Program("pages", [sys.executable, "-u", "-c", _SAYS], says_when_ready="Pages at ", ready_within_s=20)
    began = time.monotonic()
    program.start()
    try:
        assert 0.3 <= time.monotonic() - began < 10
        assert program.exit_code() is None
    finally:
        program.stop()


def test_a_program_that_ends_before_it_is_ready_stops_the_start(tmp_path: Path) -> None:
    ending = Program(
        "pages", [sys.executable, "-c", "print('the port is taken'); raise SystemExit(2)"], says_when_ready="Pages at "
    )
    first = telling(tmp_path / "told", "first")
    supervisor = Supervisor([first, ending], say=lambda _: None)
    with pytest.raises(EnvironmentProblem, match="pages ended before it was ready: the port is taken"):
        supervisor.start()
    assert told(tmp_path / "told") == ["began first", "ended first"]


def test_a_program_that_ends_before_it_is_ready_is_tried_again_later(tmp_path: Path) -> None:
    """Once it ran, its port may be taken for a while: that stops nobody else."""
    said: list[str] = []
    flag = tmp_path / "taken"
    text = (
        "import pathlib, sys, time\n"
        "if pathlib.Path(sys.argv[1]).exists(): print('the port is taken'); sys.exit(2)\n"
        "print('Pages at nowhere', flush=True)\n"
        "while not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.02)\n"
    )
    program = Program("pages", [sys.executable, "-c", text, str(flag)], says_when_ready="Pages at ", say=said.append)
    supervisor = Supervisor([program], say=said.append)
    supervisor.start()
    try:
        flag.touch()

        def tended(word: str) -> bool:
            supervisor.tend()
            return any(word in line for line in said)

        assert within(20, lambda: tended("pages does not start (pages ended before it was ready: the port is taken)"))
        flag.unlink()
        assert within(20, lambda: tended("pages runs again."))
    finally:
        supervisor.stop()

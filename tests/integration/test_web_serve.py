"""``pilotbed serve`` as a process: it says where it listens, answers, ends cleanly, and names what is in its way."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from core.database import Connection

PATIENCE_S = 60


@contextmanager
def serving(database_url: str, folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PILOTBED_DATABASE_URL": database_url, "PILOTBED_DATA_DIR": str(folder)}
    command = [sys.executable, "-m", "pilotbed", "serve", *arguments]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=20)


def address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        line = process.stderr.readline()
        if found := re.search(r"http://\S+", line):
            return found[0]
        assert line or process.poll() is None
    raise AssertionError("it did not say where it listens")


def until_it_answers(url: str) -> httpx.Response:
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return httpx.get(url, timeout=20)
        except httpx.TransportError:
            assert time.monotonic() < until
            time.sleep(0.1)


def test_it_serves_until_it_is_asked_to_end(database_url: str, connection: Connection, tmp_path: Path) -> None:
    with serving(database_url, tmp_path, "--port", "0") as process:
        url = address(process)
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
        assert until_it_answers(f"{url}/readyz").status_code == 200
        assert "로그인" in httpx.get(f"{url}/login").text
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=30)
    assert process.returncode in (0, -signal.SIGTERM)
    assert "Traceback" not in rest and "GET /login" not in rest
    key = tmp_path / "web" / "session-key"
    assert key.stat().st_mode & 0o077 == 0 and len(key.read_text().strip()) >= 32


def test_the_database_gone_is_said_with_a_reference_and_its_return_is_noticed(
    database_url: str, connection: Connection, tmp_path: Path
) -> None:
    unreachable = database_url.replace(str(httpx.URL(database_url).port), str(free_port()))
    with serving(unreachable, tmp_path, "--port", "0") as process:
        url = address(process)
        assert until_it_answers(f"{url}/healthz").text == "ok\n"
        assert httpx.get(f"{url}/readyz", timeout=30).status_code == 503
        cookie = {"cookie": "pilotbed_session=forged"}
        page = httpx.get(f"{url}/login", headers=cookie, timeout=30)
        assert page.status_code == 200, "a page that needs no database is there without one"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_busy_port_is_one_line(database_url: str, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        with serving(database_url, tmp_path, "--port", port) as process:
            _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2
    assert said.count("\n") == 1 and port in said and "PILOTBED_WEB_PORT" in said


def test_help_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    from pilotbed.cli import run

    assert run(["serve", "--help"]) == 0
    assert "--host" in capsys.readouterr().out

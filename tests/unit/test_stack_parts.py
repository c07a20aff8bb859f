"""The local stack's small parts, without a server."""

from __future__ import annotations

import doctest
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import EnvironmentProblem
from core.settings import Settings
from devices.access import BrokerUser
from devices.credentials import PasswordRecord, password_record
from pilotbed.stack import backoff, broker_memory, dynsec, postgres_cluster
from pilotbed.stack.account import Account, barrier, make_folder
from pilotbed.stack.backoff import Backoff
from pilotbed.stack.broker_log import worth_keeping
from pilotbed.stack.broker_memory import Door, machine_memory_bytes, resident_bytes
from pilotbed.stack.checkup import settings_shown
from pilotbed.stack.lock import Busy, FolderLock
from pilotbed.stack.log_file import LogFile
from pilotbed.stack.ports import free_port, is_free, require_free
from pilotbed.stack.secret import read_or_make_secret, write_private


@pytest.mark.parametrize("module", [backoff, broker_memory, postgres_cluster])
def test_its_examples_are_true(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert result.attempted > 0
    assert result.failed == 0


# --- back-off


@given(st.lists(st.floats(0, 59), min_size=1, max_size=40))
def test_waits_grow_to_their_bound_while_crashes_follow_each_other(ran: list[float]) -> None:
    state, now, waits = Backoff(), 0.0, []
    for ran_s in ran:
        started_at = now
        now += ran_s
        state = state.crashed(started_at=started_at, now=now)
        waits.append(state.restart_at - now)
        now = state.restart_at
    assert waits == sorted(waits) or all(abs(a - b) < 1e-3 for a, b in zip(waits, sorted(waits), strict=True))
    assert waits[0] >= backoff.FIRST_S - 1e-3 and waits[-1] <= backoff.LONGEST_S + 1e-3


def test_after_a_calm_time_the_first_wait_is_short_again() -> None:
    state = Backoff(crashes=9, restart_at=0)
    assert state.crashed(started_at=0, now=backoff.CALM_S).crashes == 1


# --- who may pass where


def test_the_closed_folder_on_the_way_is_found(stack_folder: Path) -> None:
    stranger = Account(name="stranger", uid=54321, gid=54321)
    stack_folder.chmod(0o711)
    closed = stack_folder / "a" / "b"
    closed.mkdir(parents=True)
    closed.parent.chmod(0o711)
    closed.chmod(0o700)
    assert barrier(closed / "c", stranger) == closed
    assert barrier(closed.parent / "other", stranger) is None


def test_ourselves_pass_everywhere(tmp_path: Path) -> None:
    assert barrier(tmp_path, None) is None


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir(mode=0o750)
    make_folder(there / "new" / "newer")
    assert there.stat().st_mode & 0o777 == 0o750
    assert (there / "new").stat().st_mode & 0o066 == 0


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentProblem, match=f"{tmp_path}/file"):
        make_folder(tmp_path / "file" / "below")


# --- locks, secrets, ports


def test_a_lock_says_who_holds_it(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    assert not second.is_held()
    first.acquire()
    first.acquire()
    assert second.is_held()
    with pytest.raises(Busy, match=f"in use by process {os.getpid()} "):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_a_lock_dies_with_its_process(tmp_path: Path) -> None:
    take = "import sys; from pathlib import Path; from pilotbed.stack.lock import FolderLock; FolderLock(Path(sys.argv[1])).acquire(); sys.exit()"  # noqa: E501
    subprocess.run([sys.executable, "-c", take, str(tmp_path)], check=True, cwd=Path(__file__).parents[2], timeout=30)
    assert not FolderLock(tmp_path).is_held()


def test_a_secret_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    assert read_or_make_secret(file, lambda: "first") == "first"
    assert read_or_make_secret(file, lambda: "second") == "first"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_private_file_is_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("a longer text than the next")
    write_private(file, "short")
    assert file.read_text() == "short"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_taken_port_is_named_with_its_setting() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not is_free("127.0.0.1", port)
        with pytest.raises(EnvironmentProblem, match=f"Port {port} on 127.0.0.1, wanted for tests, .*PILOTBED_X"):
            require_free("127.0.0.1", port, what="tests", setting="PILOTBED_X")
    assert is_free("127.0.0.1", free_port())


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(EnvironmentProblem, match=r"Nothing can listen on 192\.0\.2\.1:"):
        is_free("192.0.2.1", 1)


# --- the broker's users' file


def user(name: str, *, publish: tuple[str, ...] = ()) -> BrokerUser:
    return BrokerUser(
        username=name, password=PasswordRecord(hash="aGFzaA==", salt="c2FsdA=="), publish=publish, subscribe=()
    )


def test_everything_not_named_is_denied() -> None:
    document = json.loads(dynsec.generate([user("dev", publish=("pilots/p/s/#",))]))
    assert document["defaultACLAccess"] == {
        "publishClientSend": False,
        "publishClientReceive": False,
        "subscribe": False,
        "unsubscribe": True,
    }
    assert document["roles"] == [
        {
            "rolename": "user-dev",
            "acls": [{"acltype": "publishClientSend", "topic": "pilots/p/s/#", "priority": 0, "allow": True}],
        }
    ]


def test_replacing_users_leaves_the_others() -> None:
    before = dynsec.generate([user("a", publish=("x",)), user("b")])
    after = json.loads(dynsec.replace_users(before, [user("a", publish=("y",)), user("c")]))
    assert sorted(client["username"] for client in after["clients"]) == ["a", "b", "c"]
    rights = {role["rolename"]: [rule["topic"] for rule in role["acls"]] for role in after["roles"]}
    assert rights == {"user-a": ["y"], "user-b": [], "user-c": []}


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"clients": {}, "roles": []}'])
def test_a_damaged_file_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):
        dynsec.replace_users(text, [])


def test_a_collector_hears_all_and_says_little() -> None:
    collector = dynsec.collector_user("collector-1", password_record("x"))
    assert "#" in collector.subscribe
    assert not any(topic.endswith("readings") or topic == "#" for topic in collector.publish)


# --- the broker's log


_COMMON = (
    b"Received PUBLISH from dev (d0, q1, r0, m1, 'pilots/p/s/readings', ... (52 bytes))\n"
    b"Sending PUBACK to dev (m1, rc0)\n"
    b"Saving in-memory database to /x/mosquitto.db.\n"
)
_RARE = b"Denied PUBLISH from dev (d0, q1, r0, m1, 'pilots/o''/re (x)', ... (7 bytes))\n"


def test_common_lines_go_and_rare_ones_stay() -> None:
    assert worth_keeping(_COMMON * 50) == []
    assert worth_keeping(_COMMON + _RARE + _COMMON) == [_RARE.rstrip()]
    assert worth_keeping(b"mosquitto version 2.0.11 running\n") == [b"mosquitto version 2.0.11 running"]


def test_a_log_file_stays_small(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "log", largest_bytes=1000)
    for number in range(100):
        log.write([b"line %d" % number])
    log.close()
    assert (tmp_path / "log").stat().st_size <= 1100
    assert (tmp_path / "log.1").stat().st_size <= 1100
    assert b"line 99" in (tmp_path / "log").read_bytes() + (tmp_path / "log.1").read_bytes()


# --- the broker's memory


def test_a_door_shut_for_another_reason_than_the_queue_opens_at_once() -> None:
    shut = Door(limit_bytes=1000).shut(saved_bytes=10)
    assert shut.may_open(resident_bytes=100, saved_bytes=10)
    assert not shut.may_open(resident_bytes=600, saved_bytes=10)


def test_memory_is_measured() -> None:
    assert 10_000_000 < resident_bytes(os.getpid()) < machine_memory_bytes()
    assert resident_bytes(2**22 + 1) == 0


# --- what the doctor shows


def test_every_setting_is_described_and_no_secret_shown() -> None:
    shown = settings_shown(Settings(session_key="hush-hush", database_url="postgresql://a:hush-hush@h/d"))
    assert all(one.description for one in shown)
    assert "hush-hush" not in repr(shown)
    assert {one.variable for one in shown if one.given} == {"PILOTBED_SESSION_KEY", "PILOTBED_DATABASE_URL"}

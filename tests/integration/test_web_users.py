"""People in the registry, and the commands that add, list and close them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from core.audit import entries
from core.database import Connection, connected
from core.errors import NotFound, PermanentError
from core.settings import settings
from dashboards import users
from dashboards.users import Gate, TooManyFailures, UserError, WrongCredentials
from pilotbed.cli import run

PASSWORD = "a-password-for-tests"


def test_the_first_admin_is_made_once(connection: Connection) -> None:
    password = users.ensure_first_admin(connection)
    assert password is not None
    assert users.ensure_first_admin(connection) is None
    person = Gate().authenticate(connection, "admin", password, address="127.0.0.1")
    assert person.role == "admin"


def test_two_starts_at_once_make_one_admin(connection: Connection, database_url: str) -> None:
    with connected(database_url) as other, other.transaction():
        first = users.ensure_first_admin(other)
        connection.execute("SET lock_timeout = '200ms'")
        with pytest.raises(Exception, match="lock timeout"):
            users.ensure_first_admin(connection)
    connection.execute("SET lock_timeout = 0")
    assert first is not None and users.ensure_first_admin(connection) is None


def test_a_disabled_first_admin_does_not_come_back_by_itself(connection: Connection) -> None:
    users.ensure_first_admin(connection)
    users.disable(connection, "admin", who="cli:test")
    assert users.ensure_first_admin(connection) is None


@pytest.mark.parametrize(
    ("role", "scope", "said"),
    [
        ("officer", {}, "--site"),
        ("company", {"sites": ["a"]}, "--site does not fit"),
        ("committee", {"companies": ["a"]}, "--company does not fit"),
        ("admin", {"pilots": ["a"]}, "an admin sees every pilot"),
        ("mayor", {}, "'mayor'"),
    ],
)
def test_a_role_takes_its_own_scope(connection: Connection, role: str, scope: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        users.add(connection, name="kim", role=role, who="cli:test", **scope)
    assert users.everybody(connection) == []


@pytest.mark.parametrize("name", ["", " kim", "-kim", "kim lee", "김\0", "a" * 64, "김철수/"])
def test_an_unusable_name_is_refused(connection: Connection, name: str) -> None:
    with pytest.raises(UserError, match="cannot be taken"):
        users.add(connection, name=name, role="admin", who="cli:test")


def test_a_taken_name_is_refused_and_nothing_of_it_changes(connection: Connection) -> None:
    users.add(connection, name="김철수", role="admin", password=PASSWORD, who="cli:test")
    with pytest.raises(UserError, match="is taken"):
        users.add(connection, name="김철수", role="officer", sites=["x"], who="cli:test")
    assert [(one.name, one.role) for one in users.everybody(connection)] == [("김철수", "admin")]
    assert len(entries(connection)) == 1


def test_an_unknown_person_cannot_be_disabled_or_changed(connection: Connection) -> None:
    with pytest.raises(NotFound, match="'kim'"):
        users.disable(connection, "kim", who="cli:test")
    with pytest.raises(NotFound, match="'kim'"):
        users.change_password(connection, "kim", None, who="cli:test")


def test_names_are_throttled_apart_and_addresses_together(connection: Connection) -> None:
    users.add(connection, name="kim", role="admin", password=PASSWORD, who="cli:test")
    gate = Gate(per_name=2, per_address=4)
    for _ in range(2):
        with pytest.raises(WrongCredentials):
            gate.authenticate(connection, "kim", "wrong", address="a", now=0)
    with pytest.raises(TooManyFailures) as caught:
        gate.authenticate(connection, "KIM", PASSWORD, address="b", now=30)
    assert caught.value.wait_s == pytest.approx(30)
    for name in ("lee", "park"):
        with pytest.raises(WrongCredentials):
            gate.authenticate(connection, name, "wrong", address="a", now=0)
    with pytest.raises(TooManyFailures):
        gate.authenticate(connection, "choi", "wrong", address="a", now=1)
    assert gate.authenticate(connection, "kim", PASSWORD, address="a", now=61).name == "kim"


def test_a_stored_password_of_another_form_is_an_error_not_an_open_door(connection: Connection) -> None:
    users.add(connection, name="kim", role="admin", password=PASSWORD, who="cli:test")
    connection.execute("UPDATE person SET password = %s", [PASSWORD])
    with pytest.raises(PermanentError, match="no scrypt form"):
        Gate().authenticate(connection, "kim", PASSWORD, address="a")


@pytest.fixture
def on_this_database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PILOTBED_DATABASE_URL", database_url)
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_the_commands_add_list_change_and_disable(
    on_this_database: None, connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["user", "add", "kim", "--role", "officer", "--site", "cityhall", "--json"]) == 0
    printed = capsys.readouterr()
    added = json.loads(printed.out)
    assert added["unknown"] == ["cityhall"], "no pilot has that site yet: a slip should be seen"
    assert Gate().authenticate(connection, "kim", added["password"], address="a").sites == ["cityhall"]

    assert run(["user", "password", "kim"]) == 0
    changed = capsys.readouterr().out.split()[6]
    assert Gate().authenticate(connection, "kim", changed, address="a").name == "kim"

    assert run(["user", "disable", "kim"]) == 0
    assert run(["user", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out.splitlines()[-1])["users"]
    assert [(one["name"], one["role"], one["sites"]) for one in listed] == [("kim", "officer", ["cityhall"])]
    assert listed[0]["disabled_at"] is not None


def test_a_wrong_use_is_one_line_and_exit_2(
    on_this_database: None, connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["user", "add", "kim", "--role", "officer"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "--site" in error and "kim" in error
    assert run(["user", "disable", "kim"]) == 2
    assert connection.execute("SELECT count(*) AS n FROM person").fetchone() == {"n": 0}

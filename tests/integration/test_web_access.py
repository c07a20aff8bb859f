"""Who gets in, and who sees what: every route against every kind of person, on a real database and a real server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute

from core.database import Connection
from core.settings import Settings
from dashboards import users
from dashboards.access import PUBLIC
from dashboards.routes import ALL
from pilotbed.jobs.sealing import sealer
from telemetry.seals.close import seal_now
from tests.web import PASSWORD, PEOPLE, Web, apply, feed, form_token, judge_month, log_in, people, plan_text, web


@pytest.fixture
def site(database_url: str, connection: Connection) -> Iterator[Web]:
    apply(connection, plan_text("air"))
    apply(connection, plan_text("harbour-air", site="harbour", company="rival"))
    feed(connection, "air", hours=2)
    judge_month(connection, "air")
    people(connection)
    with web(database_url) as running:
        yield running


ROLES = {
    "/connect": ("admin", "officer", "company"), "/arrivals": ("admin", "officer", "company"),
    "/labels/new": ("admin", "officer"), "/manual/new": ("admin", "officer"), "/withdraw": ("admin", "officer"),
    "/exclusions/ask": ("company",),
}  # fmt: skip
"""Who alone may open an address that ends so."""
NOT_THERE = (
    "/labels/new",
    "/manual/new",
    "/withdraw",
    "{number}",
    "{sha256}",
    "{key}.csv",
    "compared/{what}.svg",
    "change.svg",
)
"""Of what ends so the pilot of these tests has nothing."""


def routes(site: Web) -> list[tuple[str, str]]:
    """Every (method, path) of the application."""
    assert [getattr(part, "original_router", part) for part in site.app.routes] == list(ALL), "one beside the routers?"
    found = []
    for route in (route for router in ALL for route in router.routes):
        assert isinstance(route, APIRoute), f"{route} has no dependencies: who may open it?"
        found += [(method, route.path) for method in sorted(route.methods or ())]
    return found


def filled(path: str, pilot: str, month: str = "2026-01") -> str:
    values = {
        "{pilot}": pilot, "{slot}": "platform-1", "{name}": "pm25", "{month}": month,
        "{kind}": "month", "{label}": month, "{key}": "pm25-limit", "{what}": "pairs", "{number}": "1", "{entry}": "1",
        "{sha256}": "0" * 64,
    }  # fmt: skip
    for key, value in values.items():
        path = path.replace(key, value)
    assert "{" not in path, f"{path} has a parameter that this test does not know"
    return path


def test_every_route_that_is_not_on_the_public_list_denies_a_stranger(site: Web) -> None:
    asked = routes(site)
    assert {path for _, path in asked} > PUBLIC
    assert len(asked) > 20
    for method, path in asked:
        if path in PUBLIC:
            continue
        with site.visitor() as browser:
            answer = browser.request(method, filled(path, "air"))
        if answer.status_code == 303:
            assert answer.headers["location"].startswith("/login"), (method, path)
        else:
            assert answer.status_code in (401, 403), (method, path, answer.status_code)
        assert "air 실증" not in answer.text, (method, path)


def test_the_numbers_for_machines_are_for_this_machine_and_for_admins(site: Web) -> None:
    with site.visitor() as stranger:
        assert stranger.get("/metrics").status_code == 303
    with site.logged_in("officer") as officer:
        assert officer.get("/metrics").status_code == 303
    with site.logged_in("admin") as admin:
        assert "pilotbed_readings_today" in admin.get("/metrics").text
    assert "pilotbed_readings_today" in httpx.get(f"{site.address}/metrics").text


@pytest.mark.parametrize("name", [name for name in PEOPLE if name.endswith("elsewhere")])
def test_who_sees_another_pilot_finds_nothing_of_this_one(site: Web, name: str) -> None:
    with site.logged_in(name) as browser:
        for method, path in routes(site):
            if "{pilot}" not in path:
                continue
            answer = browser.request(method, filled(path, "air"))
            unknown = browser.request(method, filled(path, "xyz"))
            if answer.status_code == 403:  # closed to the role, whatever the pilot
                open_to = next((roles for end, roles in ROLES.items() if path.endswith(end)), ("admin",))
                assert method != "GET" or name.partition("-")[0] not in open_to, path
                assert unknown.status_code == 403, path
                continue
            assert answer.status_code == unknown.status_code == 404, (method, path, answer.status_code)
            # Not even the difference between "not yours" and "not there" is told.
            same = [text.replace(f"/{pilot}", "/") for text, pilot in ((answer.text, "air"), (unknown.text, "xyz"))]
            assert same[0] == same[1], path
        assert "air 실증" not in browser.get("/").text.replace("harbour-air 실증", "")
        assert [pilot["pilot"] for pilot in browser.get("/api/v1/pilots").json()["pilots"]] == ["harbour-air"]


@pytest.mark.parametrize("name", [name for name in PEOPLE if not name.endswith("elsewhere")])
def test_who_may_see_a_pilot_sees_all_its_pages(site: Web, connection: Connection, name: str, tmp_path: Path) -> None:
    seal_now(connection, "air", sealer(connection, Settings(seal_key=tmp_path / "seal.key")))
    row = connection.execute("SELECT max(label) AS month FROM result").fetchone()
    assert row is not None
    with site.logged_in(name) as browser:
        for method, path in routes(site):
            if "{pilot}" not in path or method != "GET":
                continue
            answer = browser.get(filled(path, "air", row["month"]))
            if any(path.endswith(end) and name not in roles for end, roles in ROLES.items()):
                assert answer.status_code == 403, path
            elif path.endswith(NOT_THERE):
                assert answer.status_code == 404, path
            else:
                assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])


def test_a_scope_that_shrinks_takes_effect_at_once(site: Web, connection: Connection) -> None:
    with site.logged_in("officer") as browser:
        assert browser.get("/pilots/air").status_code == 200
        connection.execute("UPDATE person SET sites = '{harbour}' WHERE name = 'officer'")
        assert browser.get("/pilots/air").status_code == 404


def test_a_wrong_password_an_unknown_and_a_closed_account_are_told_the_same(site: Web, connection: Connection) -> None:
    connection.execute("UPDATE person SET disabled_at = now() WHERE name = 'company'")
    texts = []
    for name, password in (("officer", "wrong-password"), ("nobody", PASSWORD), ("company", PASSWORD)):
        with site.visitor() as browser:
            answer = log_in(browser, name, password)
        assert answer.status_code == 401
        texts.append(answer.text.replace(f'value="{name}"', "").replace(form_token(answer.text), ""))
    assert texts[0] == texts[1] == texts[2]


def test_the_sixth_failure_of_a_minute_waits_in_words_and_so_does_the_right_password(site: Web) -> None:
    with site.visitor() as browser:
        assert [log_in(browser, "officer", "wrong").status_code for _ in range(5)] == [401] * 5
        page = log_in(browser, "officer", PASSWORD)
    assert page.status_code == 429
    assert "뒤에 다시 시도하실 수 있습니다" in page.text
    assert 0 < int(page.headers["retry-after"]) <= 60
    with site.logged_in("company"):
        pass  # others are not kept waiting


def test_odd_names_are_refused_like_wrong_ones(site: Web) -> None:
    with site.visitor() as browser:
        for name in ("", "\0", "admin\0", "a" * 150, "'; DROP TABLE person; --", "Ａdmin"):
            assert log_in(browser, name, "wrong-password").status_code == 401
        assert log_in(browser, "a" * 1000, PASSWORD).status_code == 400


def test_log_in_and_out_are_in_the_audit_log_and_passwords_nowhere(site: Web, connection: Connection) -> None:
    with site.logged_in("officer") as browser, site.visitor() as other:
        log_in(other, "officer", "wrong-password")
        token = form_token(browser.get("/").text)
        assert browser.post("/logout", data={"form_token": token}).status_code == 303
    rows = connection.execute(
        "SELECT who, what FROM audit WHERE object = 'person officer' ORDER BY audit_id"
    ).fetchall()
    assert [(row["who"], row["what"]) for row in rows] == [
        ("officer", "person.login"),
        ("address:192.0.2.7", "person.login_failed"),
        ("officer", "person.logout"),
    ]
    kept = str(
        connection.execute("SELECT * FROM audit").fetchall() + connection.execute("SELECT * FROM person").fetchall()
    )
    assert PASSWORD not in kept and "wrong-password" not in kept


def test_a_copied_cookie_ends_with_the_log_out(site: Web) -> None:
    with site.logged_in("officer") as browser, site.visitor() as thief:
        thief.cookies.set("pilotbed_session", browser.cookies["pilotbed_session"])
        assert thief.get("/").status_code == 200
        browser.post("/logout", data={"form_token": form_token(browser.get("/").text)})
        assert thief.get("/").status_code == 303


def test_disabling_or_another_password_ends_the_session(site: Web, connection: Connection) -> None:
    with site.logged_in("officer") as browser:
        users.disable(connection, "officer", who="cli:test")
        assert browser.get("/").status_code == 303
    with site.logged_in("company") as browser:
        another = users.change_password(connection, "company", None, who="cli:test")
        assert browser.get("/").status_code == 303
    with site.logged_in("company", another) as browser:
        assert browser.get("/").status_code == 200


def session_cookie(answer: httpx.Response) -> str:
    return next(line for line in answer.headers.get_list("set-cookie") if line.startswith("pilotbed_session="))


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(site: Web) -> None:
    with site.visitor() as browser:
        cookie = session_cookie(log_in(browser, "officer", PASSWORD))
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Secure" not in cookie
    with site.visitor(scheme="https") as browser:
        page = browser.get("/login")
        visit = page.headers["set-cookie"].split(";")[0]
        data = {"name": "officer", "password": PASSWORD, "form_token": form_token(page.text)}
        answer = browser.post("/login", data=data, headers={"cookie": visit})
    assert "Secure" in session_cookie(answer)
    assert answer.headers["strict-transport-security"].startswith("max-age=")


def test_a_form_without_its_token_changes_nothing(site: Web) -> None:
    data = {"name": "officer", "password": PASSWORD}
    with site.visitor() as browser, site.visitor() as other:
        token = form_token(other.get("/login").text)
        browser.get("/login")
        assert browser.post("/login", data=data).status_code == 403
        assert browser.post("/login", data=data | {"form_token": token}).status_code == 403
        assert other.post("/login", data=data | {"form_token": token}).status_code == 303
    with site.logged_in("company") as inside:
        assert inside.post("/logout", data={"form_token": token}).status_code == 403
        assert inside.get("/").status_code == 200


def test_a_log_in_leads_back_to_where_it_was_asked_for_and_nowhere_else(site: Web) -> None:
    with site.visitor() as browser:
        asked = browser.get("/pilots/air?span=7d").headers["location"]
        assert asked == "/login?next=/pilots/air%3Fspan%3D7d"
        page = browser.get(asked).text
        assert 'name="next" value="/pilots/air?span=7d"' in page
        answer = log_in(browser, "officer", PASSWORD, next="/pilots/air?span=7d")
        assert answer.headers["location"] == "/pilots/air?span=7d"
    with site.visitor() as browser:
        assert 'name="next" value="/"' in browser.get("/login?next=//evil.example/").text
        assert log_in(browser, "officer", PASSWORD, next="//evil.example/").headers["location"] == "/"


def test_an_endless_form_is_refused_before_it_fills_the_memory(site: Web) -> None:
    def endless() -> Iterator[bytes]:
        yield b"name="
        for _ in range(64):
            yield b"a" * 65_536

    form = {"content-type": "application/x-www-form-urlencoded"}
    with site.visitor() as browser:
        assert browser.post("/login", content=b"name=" + b"a" * 1_000_000, headers=form).status_code == 400
        with suppress(httpx.WriteError, httpx.RemoteProtocolError):  # it may close before everything was sent
            assert browser.post("/login", content=endless(), headers=form).status_code == 400
        assert browser.get("/login").status_code == 200


def test_a_program_without_a_session_is_told_so_as_a_problem(site: Web) -> None:
    with site.visitor() as program:
        answer = program.get("/api/v1/pilots")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 401

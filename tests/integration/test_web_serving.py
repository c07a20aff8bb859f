"""How the site is served: headers, static files, errors in words, health for machines, the interface's description."""

from __future__ import annotations

import gzip
import re
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from psycopg import sql

from core.database import Connection
from dashboards.server import listening
from tests.web import Web, apply, feed, plan_text, web_of_air


@pytest.fixture
def site(database_url: str, connection: Connection) -> Iterator[Web]:
    with web_of_air(database_url, connection) as running:
        yield running


@pytest.fixture
def officer(site: Web) -> Iterator[httpx.Client]:
    with site.logged_in("officer") as browser:
        yield browser


def test_headers_keep_the_pages_to_themselves(officer: httpx.Client) -> None:
    for path in ("/", "/nowhere", "/healthz", "/api/v1/pilots"):
        headers = officer.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "*" not in policy
        assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"
        assert "server" not in headers


def test_static_files_are_kept_for_ever_compressed_and_revalidated(officer: httpx.Client) -> None:
    page = officer.get("/").text
    style = re.search(r'href="(/static/pilotbed\.[0-9a-f]{12}\.css)"', page)
    assert style is not None
    answer = officer.get(style[1])
    assert answer.headers["cache-control"].endswith("immutable") and answer.headers["content-encoding"] == "gzip"
    plain = officer.get(style[1], headers={"accept-encoding": "identity"})
    assert plain.text == answer.text and "content-encoding" not in plain.headers
    again = officer.get(style[1], headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert officer.get("/static/../users.py").status_code == 404
    assert officer.get("/static/%2e%2e%2fusers.py").status_code == 404


def test_the_chart_library_is_one_file_of_ours(site: Web, officer: httpx.Client, connection: Connection) -> None:
    feed(connection, "air", hours=1)
    found = re.search(r'src="(/static/vega\.[0-9a-f]{12}\.js)"', officer.get("/pilots/air").text)
    assert found is not None
    with officer.stream("GET", found[1]) as answer:
        packed = b"".join(answer.iter_raw())
    assert len(packed) < 350_000 and b"vegaEmbed" in gzip.decompress(packed)


def test_the_interface_describes_itself_and_pages_through_pilots(site: Web, connection: Connection) -> None:
    apply(connection, plan_text("bee"))
    with site.logged_in("admin") as admin:
        schema = admin.get("/api/v1/openapi.json").json()
        first = admin.get("/api/v1/pilots?limit=1").json()
        second = admin.get(f"/api/v1/pilots?limit=1&after={first['next']}").json()
        wrong = admin.get("/api/v1/pilots?limit=0")
    assert set(schema["paths"]) == {
        "/api/v1/pilots", "/api/v1/pilots/{pilot}", "/api/v1/pilots/{pilot}/evaluation", "/api/v1/pilots/{pilot}/intake",
        "/api/v1/pilots/{pilot}/completeness", "/api/v1/pilots/{pilot}/findings",
    }  # fmt: skip
    assert [first["pilots"][0]["pilot"], second["pilots"][0]["pilot"], second["next"]] == ["air", "bee", None]
    assert (wrong.status_code, wrong.headers["content-type"]) == (400, "application/problem+json")
    assert "limit" in wrong.json()["detail"]


def test_health_is_told_to_machines(site: Web, connection: Connection) -> None:
    connection.execute("INSERT INTO heartbeat (process, started_at, at) VALUES ('work', now(), now())")
    assert httpx.get(f"{site.address}/healthz").text == "ok\n"
    assert httpx.get(f"{site.address}/readyz").json()["status"] == "ready"
    numbers = httpx.get(f"{site.address}/metrics")
    assert numbers.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line for line in numbers.text.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r'[a-z_]+(\{[a-z_]+="[^"]*"\})? [0-9.e+-]+', line) for line in lines), lines
    assert any(line.startswith('pilotbed_heartbeat_age_seconds{process="work"}') for line in lines)


def test_not_ready_without_this_versions_tables(site: Web, connection: Connection) -> None:
    connection.execute("DELETE FROM migration WHERE name LIKE '0001%'")
    answer = httpx.get(f"{site.address}/readyz")
    assert answer.status_code == 503 and "0001" in answer.json()["detail"]


def test_an_unforeseen_error_has_a_reference_and_hides_its_cause(
    site: Web, officer: httpx.Client, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    connection.execute("ALTER TABLE intake_slot RENAME TO elsewhere")
    for path in ("/pilots/air", "/live.json"):
        answer = officer.get(path)
        assert answer.status_code == 500
        assert "intake_slot" not in answer.text
        found = re.search(r"[0-9A-F]{4}-[0-9A-F]{4}", answer.text)
        assert found is not None and found[0] in caplog.text
        assert answer.headers["content-security-policy"]
    assert "받은 측정값은 그대로 보관되어 있고" in officer.get("/pilots/air").text


def test_the_database_gone_is_told_in_words_and_its_return_is_noticed(
    officer: httpx.Client, database_server: str, database_url: str, connection: Connection
) -> None:
    name = sql.Identifier(urlsplit(database_url).path.removeprefix("/"))
    with psycopg.connect(database_server, autocommit=True) as admin:
        admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pilotbed-test-web'"
        )
        page = officer.get("/pilots/air")
        assert page.status_code == 503
        assert "장비가 보낸 자료는 중계기에 남아 있다가" in page.text
        assert re.search(r"[0-9A-F]{4}-[0-9A-F]{4}", page.text)
        program = officer.get("/api/v1/pilots")
        assert program.status_code == 503 and program.headers["content-type"] == "application/problem+json"
        admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
    until = time.monotonic() + 40
    while officer.get("/pilots/air").status_code != 200:
        assert time.monotonic() < until


def test_a_head_request_is_answered_like_a_get_without_its_body(site: Web, officer: httpx.Client) -> None:
    with site.visitor() as stranger:
        answer = stranger.head("/login")
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-type"].startswith("text/html")
        assert stranger.head("/").status_code == 303
    assert officer.head("/nowhere").status_code == 404


def test_answers_do_not_wait_for_acknowledgements() -> None:
    with listening("127.0.0.1", 0) as ours:
        # What asyncio looks at before it turns Nagle's algorithm off.
        assert ours.proto == socket.IPPROTO_TCP

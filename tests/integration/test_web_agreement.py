"""A KPI beside its reference on the pages; and what the company is not shown of a slot that is not its own."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import numpy as np
import pytest

from core.database import Connection, connected
from kpi.evaluate import evaluate
from kpi.results import store
from tests.agreeing import START, UNTIL, agreement, beside, heard_whole, truth
from tests.conftest import _new_database
from tests.evaluated import hours
from tests.web import Web, people, web

PLACE = "/pilots/hall/results/final/2025-11-01/acc"


@pytest.fixture(scope="module")
def site(database_server: str, template_database: str) -> Iterator[Web]:
    with _new_database(database_server, "pilotbed_test_agreement", template_database) as url:
        with connected(url) as connection:
            people(connection)
            connection.execute("UPDATE person SET companies = '{c}' WHERE name = 'company'")
            connection.execute("UPDATE person SET sites = '{s}' WHERE name = 'officer'")
            made = beside(connection, agreement("relative_error", "> 80 %"))
            r = truth(len(hours(START, UNTIL)))
            heard_whole(made, np.round(r * 1.1, 1), r)
            store(connection, evaluate(connection, "hall", final=True), who="cli:test")
        with web(url) as running:
            yield running


@pytest.fixture(params=["officer", "company"])
def browser(site: Web, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    with site.logged_in(request.param) as client:
        yield client


def test_the_page_names_the_reference_and_asks_for_its_charts(browser: httpx.Client) -> None:
    page = browser.get(PLACE)
    assert page.status_code == 200
    assert "KTL-2025-7" in page.text and "사업단" in page.text and "회귀직선" in page.text
    for what in ("pairs", "difference"):
        assert f"{PLACE}/compared/{what}.json?version=1" in page.text
        answer = browser.get(f"{PLACE}/compared/{what}.json?version=1")
        assert answer.json()["spec"]["width"] == "container"
        image = browser.get(f"{PLACE}/compared/{what}.svg")
        assert image.headers["content-type"] == "image/svg+xml" and "같은 값" in image.text
    assert browser.get(f"{PLACE}/compared/else.json").status_code in (400, 404, 422)
    assert browser.get("/pilots/hall/results/final/2025-11-01/none/compared/pairs.json").status_code == 404


def test_the_companys_pages_say_nothing_of_the_references_way_in(site: Web, connection: Connection) -> None:
    del connection
    for who, seen in (("officer", True), ("company", False)):
        with site.logged_in(who) as client:
            text = client.get("/pilots/hall/connect").text
            assert "hall.a" in text
            assert ("hall.bam" in text) == seen, who

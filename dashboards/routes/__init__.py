"""The addresses and what answers there. Every route needs a log-in unless ``dashboards.access.PUBLIC`` names it."""

from __future__ import annotations

from fastapi import APIRouter

from dashboards.routes import api, charts, documents, health, home, intake, login, pilot, static

ALL: tuple[APIRouter, ...] = (
    login.router,
    home.router,
    pilot.router,
    intake.router,
    charts.router,
    documents.router,
    api.router,
    health.router,
    static.router,
)

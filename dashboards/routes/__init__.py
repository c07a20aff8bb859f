"""The addresses and what answers there. Every route needs a log-in unless ``dashboards.access.PUBLIC`` names it."""

from __future__ import annotations

from fastapi import APIRouter

from dashboards.routes import (
    api,
    charts,
    documents,
    health,
    home,
    intake,
    login,
    pilot,
    quality,
    results,
    seals,
    static,
)

ALL: tuple[APIRouter, ...] = (
    login.router,
    home.router,
    pilot.router,
    results.router,
    intake.router,
    quality.router,
    charts.router,
    documents.router,
    seals.router,
    api.router,
    health.router,
    static.router,
)

"""The addresses and what answers there. Every route needs a log-in unless ``dashboards.access.PUBLIC`` names it."""

from __future__ import annotations

from fastapi import APIRouter

from dashboards.routes import (
    api,
    changes,
    charts,
    compared,
    documents,
    exclusions,
    health,
    home,
    intake,
    labels,
    login,
    manual,
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
    compared.router,
    changes.router,
    documents.router,
    exclusions.router,
    manual.router,
    labels.router,
    seals.router,
    api.router,
    health.router,
    static.router,
)

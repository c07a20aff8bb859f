"""The web application: put together here, from parts that each do one thing."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI

from dashboards import errors
from dashboards.assets import chart_library
from dashboards.frame import Frame
from dashboards.routes import ALL
from dashboards.site import Site
from dashboards.visit import admit


def create_app(site: Site) -> FastAPI:
    """The application over the parts of one process. The pool is opened with it and closed with it."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        site.pool.open(wait=False)
        # Two seconds the first time: whoever opens a page with charts before waits for the rest of them.
        threading.Thread(target=chart_library, args=(site.folder,), name="chart-library", daemon=True).start()
        try:
            yield
        finally:
            site.pool.close(timeout=5.0)

    app = FastAPI(
        title="Pilotbed",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        dependencies=[Depends(admit)],
    )
    app.state.site = site
    errors.install(app)
    for router in ALL:
        app.include_router(router)
    app.add_middleware(Frame)
    return app

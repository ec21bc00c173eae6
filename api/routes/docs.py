"""`/docs`: the API described and tried out in the browser, from files that come with the service."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

_ASSETS = "/docs/assets"
router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def show_docs() -> HTMLResponse:
    """Return the page; nothing on it is fetched from elsewhere."""
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Einthoven API",
        swagger_js_url=f"{_ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{_ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{_ASSETS}/favicon.png",
    )


def add_docs(app: FastAPI) -> None:
    """Add the page and its files."""
    app.include_router(router)
    app.mount(_ASSETS, StaticFiles(packages=[("fastapi_offline", "static")]), "docs assets")

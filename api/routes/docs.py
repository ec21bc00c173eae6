"""`/docs`: the API described and tried out in the browser, from files that come with the service."""

from __future__ import annotations

import base64
import re
from hashlib import sha256

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

_ASSETS = "/docs/assets"
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
router = APIRouter(include_in_schema=False)


def _page() -> HTMLResponse:
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Einthoven API",
        swagger_js_url=f"{_ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{_ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{_ASSETS}/favicon.png",
        swagger_ui_parameters={"displayRequestDuration": True, "filter": True, "docExpansion": "list"},
    )
    inline = _SCRIPT.findall(bytes(page.body).decode())
    hashes = " ".join(f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'" for text in inline)
    page.headers["Content-Security-Policy"] = (
        # Nothing from elsewhere, and of scripts only those of the page; the look is set by elements themselves.
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:;"
        " connect-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'"
    )
    return page


_PAGE = _page()


@router.get("/docs")
async def show_docs() -> HTMLResponse:
    """Return the page; nothing on it is fetched from elsewhere."""
    return _PAGE


def add_docs(app: FastAPI) -> None:
    """Add the page and its files."""
    app.include_router(router)
    app.mount(_ASSETS, StaticFiles(packages=[("fastapi_offline", "static")]), "docs assets")

"""All pages of the editor, to be registered as one."""

from __future__ import annotations

from issuer_app.design import web, web_checks, web_signing, web_templates

__all__ = ["pages"]

assert web_checks.pages is web_signing.pages is web_templates.pages is web.pages  # each adds its own routes
pages = web.pages

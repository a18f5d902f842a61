"""The part of the API's description that `web.py` answers."""

from __future__ import annotations

from issuer_app.describing import HEX64, TEXT, TIME, Part, objects, paged_list, ref

__all__ = ["part"]


def part() -> Part:
    """Certificates whose base has ended."""
    item = objects(
        ("certificate", "base", "schema", "issuer", "state", "validUntil"), certificate=TEXT, base=TEXT, schema=HEX64,
        issuer=TEXT, state={"enum": ["revoked", "suspended", "expired", "unknown"]}, validUntil=TIME,
    )  # fmt: skip
    listed = paged_list("listDepending", "Certificates in force whose base does not stand any more, oldest first",
                        "certificates:read", ref("Depending"))  # fmt: skip
    return Part({"/api/v1/depending": {"get": listed}}, {"Depending": item})

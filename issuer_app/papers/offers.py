"""OpenID for Verifiable Credential Issuance 1.0, as much of it as hands an issued certificate to the holder's wallet.

The pre-authorised flow without a proof: the file exists, is bound to nobody's key, and whoever has the holder's link has it
already. A code is of one link, works once and for some minutes; what signs it is the key of this app's cookies, so nothing is
stored until one is used, and that only until it would have ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Any, Final
from urllib.parse import quote, urlsplit

from itsdangerous import BadData, URLSafeSerializer

from credentials.schema import Schema
from credentials.vcdm import contexts_of
from weid.suites import Random

__all__ = ["GRANT", "Codes", "issuer_of", "metadata", "offer", "offer_link", "server"]

GRANT: Final = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
MINUTES: Final = 10
_TOKEN, _CREDENTIAL = "/openid4vci/token", "/openid4vci/credential"


def issuer_of(public: str | None) -> str | None:
    """The credential issuer's identifier: the public address of this app, if wallets can find its metadata there."""
    parts = urlsplit(public or "")
    return public if parts.scheme == "https" and parts.path in ("", "/") else None


def offer_link(issuer: str, token: str) -> str:
    """What a wallet app opens, or scans: where the offer for the holder of this link is."""
    return f"openid-credential-offer://?credential_offer_uri={quote(f'{issuer}/c/{token}/offer.json', safe='')}"


def offer(issuer: str, schema: bytes, code: str) -> dict[str, Any]:
    """The offer itself."""
    return {"credential_issuer": issuer, "credential_configuration_ids": [schema.hex()],
            "grants": {GRANT: {"pre-authorized_code": code}}}  # fmt: skip


def metadata(issuer: str, names: Mapping[str, str], schemas: Iterable[Schema]) -> dict[str, Any]:
    """/.well-known/openid-credential-issuer: each kind as a file with a Data Integrity proof, bound to no key."""
    return {
        "credential_issuer": issuer,
        "credential_endpoint": f"{issuer}{_CREDENTIAL}",
        "display": _display(names),
        "credential_configurations_supported": {
            schema.digest.hex(): {
                "format": "ldp_vc",
                "credential_definition": {
                    "@context": contexts_of(schema.digest),
                    "type": ["VerifiableCredential", schema.type],
                },
                "credential_metadata": {"display": _display(dict(schema.title))},
            }
            for schema in schemas
        },
    }


def server(issuer: str) -> dict[str, Any]:
    """/.well-known/oauth-authorization-server: the issuer is its own, for this one grant, and clients need no name."""
    return {"issuer": issuer, "token_endpoint": f"{issuer}{_TOKEN}", "response_types_supported": [],
            "grant_types_supported": [GRANT], "token_endpoint_auth_methods_supported": ["none"],
            "pre-authorized_grant_anonymous_access_supported": True}  # fmt: skip


class Codes:
    """Codes and access tokens of one app."""

    def __init__(self, key: bytes) -> None:
        self._signers = {use: URLSafeSerializer(key, salt=f"openid4vci-{use}") for use in ("code", "access")}
        self._used: dict[str, int] = {}
        self._lock = Lock()

    def make(self, use: str, link: str, *, at: int, random: Random) -> str:
        """A `code` or an `access` token for a link (by its digest), good for some minutes."""
        return str(self._signers[use].dumps([link, at + MINUTES, random(16).hex()]))

    def read(self, use: str, text: str, at: int) -> str | None:
        """The link of a code or token; None for one that is none or has ended. A code is used up by this."""
        try:
            link, until, nonce = self._signers[use].loads(text[:1_000])
        except (BadData, TypeError, ValueError):
            return None
        if at >= until:
            return None
        return link if use == "access" or self._first(str(nonce), int(until), at) else None

    def _first(self, nonce: str, until: int, at: int) -> bool:
        """Whether this was not used before; remembered until it would have ended anyhow."""
        with self._lock:
            self._used = {known: end for known, end in self._used.items() if end > at}
            if nonce in self._used:
                return False
            self._used[nonce] = until
            return True


def _display(names: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "locale": language} for language, name in sorted(names.items())]

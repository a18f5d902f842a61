"""One verdict out of many checks: the first that matches, in this order (design §2, R26).

Data decides: every failing or unknown code belongs to a verdict, and the verdict named first below wins. A code that
says our own data is missing never leads to `tampered`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from credentials.data_model import CODES
from credentials.report import Check, Outcome

__all__ = ["NO_ROOT", "VERDICTS", "VERDICT_OF", "decide"]

NO_ROOT: Final = "no-trust-root"
VERDICTS: Final = (
    "trust-conflict", "not-a-credential", "unsupported", "incomplete", "tampered", "issuer-unknown",
    "issuer-not-authorised", "issuer-key-ended", "revoked", "suspended", "not-yet-valid", "expired", "rule-failed",
    "not-bound", "replayed", "code-too-old", "clock-differs", "stale", "undecided", "legacy-authentic", "specimen",
    "valid-bearer", "valid",
)  # fmt: skip

_CODES: Final[Mapping[str, str]] = {
    "trust-conflict": "trust-conflict",
    "not-a-credential": "not-a-credential malformed too-large internal-error bad-proof-chain bad-proof-purpose "
    + " ".join(CODES),
    "unsupported": "unsupported type-not-accepted suite-not-accepted schema-mismatch unsafe-text schema-unknown "
    "lifetime-exceeded bind-mismatch status-missing data-loss bad-jsonld base-proof",
    "incomplete": "mandatory-hidden claims-missing",
    "tampered": "bad-signature bad-disclosure id-mismatch bad-presentation legacy-salt-shifted",
    "issuer-unknown": "issuer-unknown issuer-not-in-trust-data not-resolvable document-missing",
    "issuer-not-authorised": "not-accredited accreditation-unknown not-recognised recognition-unknown "
    "recognition-ended recognition-distrusted recognition-purpose recognition-schema key-wrong-role "
    "status-not-published issuer-not-key-owner issuer-suspended foreign-key-usage not-a-signer not-cosigned "
    "cosignature-withdrawn cosigned-out-of-order",
    "issuer-key-ended": "issuer-deactivated key-compromised issued-after-end not-in-register foreign-certificate-period",
    "revoked": "revoked",
    "suspended": "suspended",
    "not-yet-valid": "not-yet-valid",
    "expired": "expired",
    "rule-failed": "rule-failed",
    "not-bound": "holder-proof-missing holder-key-mismatch bad-holder-signature chain-mismatch binding-required "
    "challenge-missing challenge-mismatch challenge-unknown gate-mismatch gate-unknown challenge-schema",
    "replayed": "replayed",
    "code-too-old": "code-too-old challenge-expired",
    "clock-differs": "clock-differs clock-behind-trust",
    "stale": "trust-stale status-stale",
    "legacy-authentic": "legacy-authority-unknown legacy-status-unknown legacy-cpt-unknown",
    "specimen": "specimen",
}
VERDICT_OF: Final[Mapping[str, str]] = MappingProxyType(
    {code: verdict for verdict, codes in _CODES.items() for code in codes.split()}
)
_RANK: Final = {name: rank for rank, name in enumerate(VERDICTS)}
_DECIDING: Final = frozenset({Outcome.FAILED, Outcome.UNKNOWN})


def decide(checks: Iterable[Check], *, bearer: bool) -> str:
    """The verdict; `bearer` says nothing ties the credential to the person showing it."""
    found = "valid-bearer" if bearer else "valid"
    rootless = False
    for check in checks:
        if check.outcome in _DECIDING:
            rootless = rootless or check.code == NO_ROOT
            fallback = "undecided" if check.outcome is Outcome.UNKNOWN else "unsupported"
            name = VERDICT_OF.get(check.code, fallback)
            if _RANK[name] < _RANK[found]:
                found = name
    # R21: with nothing pinned no signature was checked, so "expired" or "not bound" would say too much.
    return "undecided" if rootless and _RANK[found] > _RANK["incomplete"] else found

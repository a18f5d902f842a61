"""Every error this project raises on purpose.

WeidError                       code: a stable string, part of the API
|- MalformedError (ValueError)  bytes or text that do not parse
|- KeyMaterialError             a key that cannot be used
|- UnknownSuiteError            an algorithm we do not know
|- SignatureError               a signature that does not verify
|- ResolutionError              a DID that gives no document
|  |- NotRegisteredError
|  `- DeactivatedError
|- RegistryError                the registry says no
|  |- RejectedError             an operation broke a rule; `code` names the rule
|  |- ConflictError             two truths about one log: stop and keep the evidence
|  |- ProofError                a Merkle proof that does not prove
|  |- RollbackError             older than what was seen before
|  `- TrustError                not covered by the pinned root
|- IssueError                   a credential that may not be made
|  |- SchemaError
|  |- StatusFullError
|  `- DisclosureError
`- VerificationFailed           only from Report.require(); carries .report
"""

from __future__ import annotations

from typing import Any, ClassVar


class WeidError(Exception):
    """The root: everything else is one of these, so callers need one except clause."""

    default_code: ClassVar[str] = "weid-error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code: str = code or self.default_code


class MalformedError(WeidError, ValueError):
    """Bytes or text that are not exactly what an encoder would have printed."""

    default_code = "malformed"


class KeyMaterialError(WeidError):
    """A key that is off its curve, of the wrong length, or locked by another passphrase."""

    default_code = "key-material"


class UnknownSuiteError(WeidError):
    """An algorithm name or number outside the closed table of suites."""

    default_code = "unknown-suite"


class SignatureError(WeidError):
    """A signature that does not verify, whatever the reason."""

    default_code = "bad-signature"


class ResolutionError(WeidError):
    """A DID that cannot be turned into a document."""

    default_code = "resolution"


class NotRegisteredError(ResolutionError):
    """The registry is complete and does not know this DID."""

    default_code = "not-registered"


class DeactivatedError(ResolutionError):
    """The DID was deactivated, which is final."""

    default_code = "deactivated"


class RegistryError(WeidError):
    """The registry cannot do what was asked."""

    default_code = "registry"


class RejectedError(RegistryError):
    """An operation that the state machine refused; `code` is the rule it broke."""

    default_code = "rejected"


class ConflictError(RegistryError):
    """Two statements about one log that cannot both be true."""

    default_code = "conflict"


class ProofError(RegistryError):
    """An inclusion or consistency proof that does not prove."""

    default_code = "bad-proof"


class RollbackError(RegistryError):
    """Something older than what was already signed or seen."""

    default_code = "rollback"


class TrustError(RegistryError):
    """Data that no pinned root vouches for."""

    default_code = "untrusted"


class IssueError(WeidError):
    """A credential that may not be made."""

    default_code = "issue"


class SchemaError(IssueError):
    """A schema that is not usable, or claims that do not fit it."""

    default_code = "schema"


class StatusFullError(IssueError):
    """A status list without a free index."""

    default_code = "status-full"


class DisclosureError(IssueError):
    """A disclosure that the credential does not allow."""

    default_code = "disclosure"


class VerificationFailed(WeidError):
    """Raised by Report.require() when the outcome is not PASSED."""

    default_code = "verification-failed"

    def __init__(self, message: str, *, report: Any) -> None:
        super().__init__(message)
        self.report = report

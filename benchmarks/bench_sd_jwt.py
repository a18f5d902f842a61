"""SD-JWT with ES256: issue, present with key binding and verify, ours beside the package sd-jwt in one run."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from benchmarks.bench_integrity import claims
from benchmarks.timing import in_turn, line, per_second
from credentials.sd_jwt import answer, confirmed_key, issue, read_sd_jwt, verify, verify_binding
from weid.codec import b64u
from weid.keys import LocalSigner
from weid.suites import suite

AUDIENCE, NONCE = "https://verifier.example", "n-0S6_WzA2Mj"
AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
SHOWN = 3
PLAIN = {"iss": "https://issuer.example", "vct": "urn:example:twelve"}


def main() -> None:
    """The twelve claims all hidden, three of them shown to a verifier who asks for key binding.

    The signatures are the library's, ours and the peer's alike: what they cost is the floor under both.
    """
    ours, theirs, floors = our_work(), their_work(), signatures()
    for what, work in ours.items():
        if theirs is None:
            line(f"SD-JWT ES256 {what}", per_second(work), "/s", "peer not run: the package sd-jwt is missing")
            continue
        rate, peer, floor = in_turn((work, theirs[what], floors[what]))
        line(f"SD-JWT ES256 {what}", rate, "/s", "goal ≥ 3 × peer")
        line(f"  peer sd-jwt {what}", peer, "/s", f"ours {rate / peer:.1f} ×")
        line("  its signatures alone", floor, "/s", f"at most {floor / peer:.1f} × with no other work at all")


def signatures() -> dict[str, Callable[[], object]]:
    """The signing or checking that no implementation can leave out, straight from the library."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key, algorithm = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(hashes.SHA256())
    public, message = key.public_key(), secrets.token_bytes(1200)
    signature = key.sign(message, algorithm)

    def signed() -> bytes:
        return key.sign(message, algorithm)

    def checked() -> None:
        public.verify(signature, message, algorithm)
        public.verify(signature, message, algorithm)

    return {"issue": signed, "present": signed, "verify": checked}


def our_work() -> dict[str, Callable[[], object]]:
    """What the figures are of, by name."""
    issuer, holder = (
        LocalSigner(suite("p256").generate(secrets.token_bytes), "p256", "k", role) for role in ("assert", "present")
    )
    values: dict[str, Any] = {**PLAIN, **claims()}
    hide = [(name,) for name in claims()]
    show = hide[:SHOWN]

    def issued() -> str:
        return issue(values, hide, signer=issuer, random=secrets.token_bytes, holder=holder.public_key)

    def presented() -> str:
        return answer(full, show, holder, audience=AUDIENCE, nonce=NONCE, at=AT)

    def verified() -> None:
        token = read_sd_jwt(shown)
        said = verify(token, issuer.public_key).claims
        verify_binding(token, confirmed_key(said), audience=AUDIENCE, nonce=NONCE)
        assert len(said) == len(PLAIN) + SHOWN + 1

    full = issued()
    shown = presented()
    return {"issue": issued, "present": presented, "verify": verified}


def their_work() -> dict[str, Callable[[], object]] | None:
    """The same with the package of the RFC's authors; None where it is not installed."""
    try:
        from jwcrypto.jwk import JWK
        from sd_jwt.common import SDObj
        from sd_jwt.holder import SDJWTHolder
        from sd_jwt.issuer import SDJWTIssuer
        from sd_jwt.verifier import SDJWTVerifier
    except ImportError:
        return None

    def pair() -> tuple[Any, Any]:
        secret = suite("p256").generate(secrets.token_bytes)
        public = dict(LocalSigner(secret, "p256", "k", "assert").public_key.jwk())
        return JWK(**public, d=b64u(secret)), JWK(**public)

    (issuer, issuer_key), (holder, holder_key) = pair(), pair()
    values: dict[Any, Any] = {**PLAIN, **{SDObj(name): value for name, value in claims().items()}}
    show = dict.fromkeys(list(claims())[:SHOWN], True)

    def issued() -> str:
        return str(SDJWTIssuer(values, issuer, holder_key, extra_header_parameters={"typ": "dc+sd-jwt"}).sd_jwt_issuance)

    def presented() -> str:
        wallet = SDJWTHolder(full)
        wallet.create_presentation(show, NONCE, AUDIENCE, holder)
        return str(wallet.sd_jwt_presentation)

    def verified() -> None:
        said = SDJWTVerifier(shown, lambda name, header: issuer_key, AUDIENCE, NONCE).get_verified_payload()
        assert len(said) == len(PLAIN) + SHOWN + 1

    full = issued()
    shown = presented()
    return {"issue": issued, "present": presented, "verify": verified}

"""Codes of other systems made anew by encoders of their own: cbor2, joserfc, cryptography and zlib, none of our readers."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
from Cryptodome.Hash import keccak
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.jwk import ECKey

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
OIDS = {"t": "1.3.6.1.4.1.1847.2021.1.1", "v": "1.3.6.1.4.1.1847.2021.1.2", "r": "1.3.6.1.4.1.1847.2021.1.3"}


def b45(data: bytes) -> str:
    """RFC 9285, encoding."""
    out = ""
    for place in range(0, len(data), 2):
        piece = data[place : place + 2]
        number, letters = int.from_bytes(piece, "big"), 3 if len(piece) == 2 else 2
        for _ in range(letters):
            out += ALPHABET[number % 45]
            number //= 45
    return out


@dataclass(frozen=True)
class Signer:
    """A key and the certificate of it."""

    key: Any
    der: bytes

    @property
    def kid(self) -> bytes:
        return hashlib.sha256(self.der).digest()[:8]

    def sign(self, data: bytes) -> bytes:
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            r, s = decode_dss_signature(self.key.sign(data, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        return self.key.sign(data)

    @property
    def alg(self) -> int:
        return -7 if isinstance(self.key, ec.EllipticCurvePrivateKey) else -37 if isinstance(self.key, rsa.RSAPrivateKey) else -8


def signer(
    kind: str = "p256", *, uses: tuple[str, ...] = (), days: tuple[int, int] = (-400, 400), may_sign: bool = True
) -> Signer:
    """A fresh key with a certificate of its own from `days` before and after NOW."""
    key: Any = ec.generate_private_key(ec.SECP256R1()) if kind == "p256" else rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "UT"), x509.NameAttribute(x509.NameOID.COMMON_NAME, "DSC")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(NOW + timedelta(days=days[0])).not_valid_after(NOW + timedelta(days=days[1]))
        .add_extension(x509.KeyUsage(may_sign, False, not may_sign, False, False, False, False, False, False), critical=True)
    )  # fmt: skip
    if uses:
        made = made.add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(use) for use in uses]), critical=False)
    return Signer(key, made.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))


def cose(
    signer: Signer, claims: Mapping[Any, Any], *, tagged: bool = True, kid: bytes | None = None, loose: bool = False
) -> bytes:
    """A COSE_Sign1; `loose` puts the kid into the unprotected header."""
    named = {4: signer.kid if kid is None else kid} if kid != b"" else {}
    protected = cbor2.dumps({1: signer.alg, **({} if loose else named)})
    payload = cbor2.dumps(claims)
    signature = signer.sign(cbor2.dumps(["Signature1", protected, b"", payload]))
    value = [protected, named if loose else {}, payload, signature]
    return cbor2.dumps(cbor2.CBORTag(18, value) if tagged else value)


DOSE = {
    "ver": "1.3.0", "nam": {"fn": "Silva", "gn": "Ana", "fnt": "SILVA", "gnt": "ANA"}, "dob": "1990-02-03",
    "v": [{"tg": "840539006", "vp": "1119349007", "mp": "EU/1/20/1528", "ma": "ORG-100030215", "dn": 2, "sd": 2, "dt": "2026-01-05",
           "co": "UT", "is": "Ministry of Utopia", "ci": "URN:UVCI:01:UT:187/37512422923"}],
}  # fmt: skip
TEST = {
    "ver": "1.3.0", "nam": {"fn": "Silva", "gn": "Ana", "fnt": "SILVA", "gnt": "ANA"}, "dob": "1990-02-03",
    "t": [{"tg": "840539006", "tt": "LP6464-4", "sc": "2026-02-28T10:00:00Z", "tr": "260415000", "tc": "Test centre", "co": "UT",
           "is": "Ministry of Utopia", "ci": "URN:UVCI:01:UT:1"}],
}  # fmt: skip


def cwt(content: Mapping[str, Any], *, issued: int = SECONDS - 86400, until: int = SECONDS + 86400) -> dict[Any, Any]:
    """The claims around a certificate's content."""
    return {1: "UT", 4: until, 6: issued, -260: {1: content}}


def dcc(signer: Signer, content: Mapping[str, Any] = DOSE, *, level: int = 9, **more: Any) -> str:
    """The text of a code."""
    times = {name: more.pop(name) for name in ("issued", "until") if name in more}
    return "HC1:" + b45(zlib.compress(cose(signer, cwt(content, **times), **more), level))


IDENTITY = {1: "3918592438", 4: "Ana Silva", 8: "19900203", 9: 2, 10: "1 Road\nTown", 16: b"\xff\xd8picture", 75: "unknown"}


def claim_169(signer: Signer, content: Mapping[int, Any] = IDENTITY, **more: Any) -> str:
    """The text of an identity code, which has no prefix."""
    claims = {1: "https://id.example", 4: SECONDS + 86400, 5: SECONDS - 86400, 169: dict(content)}
    return b45(zlib.compress(cose(signer, claims, **more), 9))


def ed_signer() -> Signer:
    return Signer(ed25519.Ed25519PrivateKey.generate(), b"ed")


def jwk_of(signer: Signer) -> dict[str, str]:
    """The public JWK of a key of P-256 or Ed25519."""
    public = signer.key.public_key()
    if isinstance(signer.key, ed25519.Ed25519PrivateKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": _b64u(public.public_bytes(Encoding.Raw, PublicFormat.Raw))}
    numbers = public.public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": _b64u(numbers.x.to_bytes(32, "big")), "y": _b64u(numbers.y.to_bytes(32, "big"))}


BUNDLE = {
    "resourceType": "Bundle", "type": "collection",
    "entry": [
        {"fullUrl": "resource:0", "resource": {"resourceType": "Patient", "name": [{"family": "Silva", "given": ["Ana", "M."]}],
                                               "birthDate": "1990-02-03"}},
        {"fullUrl": "resource:1", "resource": {
            "resourceType": "Immunization", "status": "completed", "patient": {"reference": "resource:0"},
            "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "207"}]},
            "occurrenceDateTime": "2026-01-05", "performer": [{"actor": {"display": "General Hospital"}}], "lotNumber": "0000001"}},
    ],
}  # fmt: skip
ISSUER = "https://cards.example/issuer"


class CardIssuer:
    """A key of an issuer of cards, signed with by joserfc."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", auto_kid=True)

    def jwk(self, **more: Any) -> dict[str, Any]:
        return {**self.key.as_dict(private=False), "use": "sig", "alg": "ES256", "kid": self.key.kid, **more}

    def card(self, *, rid: str | None = None, **more: Any) -> str:
        """The compact JWS."""
        content: dict[str, Any] = {
            "type": ["https://smarthealth.cards#health-card"],
            "credentialSubject": {"fhirVersion": "4.0.1", "fhirBundle": BUNDLE},
        }
        if rid is not None:
            content["rid"] = rid
        payload = json.dumps({"iss": ISSUER, "nbf": SECONDS - 3600, "vc": content, **more}, separators=(",", ":"))
        squeezer = zlib.compressobj(9, wbits=-15)
        packed = squeezer.compress(payload.encode()) + squeezer.flush()
        header = {"alg": "ES256", "zip": "DEF", "kid": self.key.kid}
        return str(jws.serialize_compact(header, packed, self.key, registry=jws.JWSRegistry(strict_check_header=False)))


def digits(card: str) -> str:
    return "".join(f"{ord(letter) - 45:02d}" for letter in card)


def shc(card: str) -> str:
    return "shc:/" + digits(card)


def chunks(card: str, count: int) -> list[str]:
    size = -(-len(card) // count)
    pieces = [card[place : place + size] for place in range(0, len(card), size)]
    return [f"shc:/{number}/{len(pieces)}/{digits(piece)}" for number, piece in enumerate(pieces, 1)]


def keccak256(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()


@dataclass(frozen=True)
class EthereumKey:
    """A secp256k1 key, its address, and the signatures a wallet makes (EIP-191)."""

    key: ec.EllipticCurvePrivateKey

    @classmethod
    def fresh(cls) -> EthereumKey:
        return cls(ec.generate_private_key(ec.SECP256K1()))

    @property
    def address(self) -> str:
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return "0x" + keccak256(point[1:])[-20:].hex()

    @property
    def did(self) -> str:
        return f"did:ethr:{self.address}"

    def sign_message(self, message: bytes) -> str:
        digest = keccak256(b"\x19Ethereum Signed Message:\n" + str(len(message)).encode() + message)
        der = self.key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))
        r, s = decode_dss_signature(der)
        raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        from weid.did import address_of
        from weid.recovery import recover

        parity = next(bit for bit in (0, 1) if "0x" + address_of(recover(digest, raw, bit)).hex() == self.address)
        return "0x" + raw.hex() + ("1b" if parity == 0 else "1c")


def salted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: salted(item) for name, item in value.items()}
    if isinstance(value, list):
        return [salted(item) for item in value]
    kind = "boolean" if isinstance(value, bool) else "number" if isinstance(value, int) else "string"
    return f"{uuid.uuid4()}:{kind}:{str(value).lower() if isinstance(value, bool) else value}"


def flat(value: Any, path: str = "") -> dict[str, str]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        return {path: value}
    return {name: leaf for key, item in items for name, leaf in flat(item, f"{path}.{key}" if path else str(key)).items()}


def stringify(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def leaf(path: str, value: str) -> str:
    return keccak256(stringify({path: value})).hex()


def wrapped(data: Mapping[str, Any], beside: list[str] | None = None) -> dict[str, Any]:
    """An OpenAttestation 2.0 document, alone or in a batch with other documents' hashes."""
    held = salted(data)
    target = keccak256(stringify(sorted(leaf(path, value) for path, value in flat(held).items())))
    root, proof = target, []
    for other in beside or []:
        proof.append(other)
        root = keccak256(b"".join(sorted((root, bytes.fromhex(other)))))
    signature = {"type": "SHA3MerkleProof", "targetHash": target.hex(), "proof": proof, "merkleRoot": root.hex()}
    return {"version": "https://schema.openattestation.com/2.0/schema.json", "data": held, "signature": signature}


def attested(key: EthereumKey, *, beside: list[str] | None = None, revocation: str = "NONE") -> dict[str, Any]:
    """One that a did:ethr signed."""
    value = wrapped({
        "id": "A-1", "recipient": {"name": "Ana Silva"}, "points": 5, "final": True,
        "issuers": [{"id": key.did, "name": "School", "revocation": {"type": revocation},
                     "identityProof": {"type": "DNS-DID", "location": "school.example", "key": f"{key.did}#controller"}}],
    }, beside)  # fmt: skip
    value["proof"] = [{
        "type": "OpenAttestationSignature2018", "created": "2026-01-01T00:00:00Z", "proofPurpose": "assertionMethod",
        "verificationMethod": f"{key.did}#controller",
        "signature": key.sign_message(bytes.fromhex(value["signature"]["merkleRoot"])),
    }]  # fmt: skip
    return value


def attested_3(key: EthereumKey) -> dict[str, Any]:
    """One of version 3.0 that a did:ethr signed."""
    document: dict[str, Any] = {
        "version": "https://schema.openattestation.com/3.0/schema.json", "@context": ["https://www.w3.org/2018/credentials/v1"],
        "type": ["VerifiableCredential"], "issuanceDate": "2026-01-01T00:00:00Z", "issuer": {"id": "https://school.example"},
        "credentialSubject": {"name": "Ana Silva", "points": 5},
        "openAttestationMetadata": {"proof": {"type": "OpenAttestationProofMethod", "method": "DID", "value": key.did,
                                              "revocation": {"type": "NONE"}}},
    }  # fmt: skip
    salts = [{"value": hashlib.sha256(path.encode()).hexdigest(), "path": path} for path in _paths(document)]
    held = dict(_paths(document))
    lines = sorted(leaf(item["path"], f"{item['value']}:{held[item['path']]}") for item in salts)
    root = keccak256(stringify(lines))
    proof = {
        "type": "OpenAttestationMerkleProofSignature2018", "proofPurpose": "assertionMethod", "targetHash": root.hex(), "proofs": [],
        "merkleRoot": root.hex(), "salts": base64.b64encode(stringify(salts)).decode(), "privacy": {"obfuscated": []},
        "key": f"{key.did}#controller", "signature": key.sign_message(root),
    }  # fmt: skip
    return {**document, "proof": proof}


def _paths(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {
            name: leaf for key, item in value.items() for name, leaf in _paths(item, f"{path}.{key}" if path else key).items()
        }
    if isinstance(value, list):
        return {name: leaf for place, item in enumerate(value) for name, leaf in _paths(item, f"{path}[{place}]").items()}
    return {path: value}


def _b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

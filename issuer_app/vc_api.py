"""The issuing half of the W3C CCG's VC-API (vcalm): issue and derive, one instance for each key and cryptosuite.

An instance signs what its caller hands it, if the data model allows it and every word in it means something: it is for
programs that have decided already. The desk's own certificates, whose right the registry checks, go another way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, jsonify, request

from credentials import bbs_2023, data_integrity, ecdsa_sd
from credentials.bbs import BbsPublicKey, BbsSigner
from credentials.data_integrity import CRYPTOSUITES
from credentials.data_model import ENVELOPED, check_credential, texts
from credentials.jsonld.quads import quads_of
from issuer_app import enveloped
from weid.canon import JSON, parse_json
from weid.errors import MalformedError, WeidError
from weid.keys import Signer
from weid.suites import Random

__all__ = ["Instance", "blueprint"]

MAX_BODY: Final = 1 << 20
_ISSUE_OPTIONS: Final = frozenset({"mandatoryPointers", "credentialId", "type", "created"})


@dataclass(frozen=True, slots=True)
class Instance:
    """One issuer: its key, named by a verification method, and the cryptosuite, or form of envelope, it signs with."""

    signer: Signer | BbsSigner
    cryptosuite: str

    @property
    def issuer(self) -> str:
        """The DID that its credentials are by."""
        return self.signer.kid.partition("#")[0]


def blueprint(
    instances: Mapping[str, Instance],
    *,
    clock: Callable[[], datetime],
    random: Random,
    allowed: Callable[[], bool],
    prefix: str = "/vc-api",
) -> Blueprint:
    """The routes `PREFIX/<instance>/credentials/issue` and `…/derive`; `allowed` says whether this request may sign."""
    routes = Blueprint("vc-api-issuer", __name__, url_prefix=prefix)

    @routes.post("/<name>/credentials/issue")
    def issue(name: str) -> Response:
        if not allowed():
            return _problem(401, "bad-key", "An API key is needed: Authorization: Bearer …")
        instance = instances.get(name)
        if instance is None:
            return _problem(404, "not-found", "no such instance")
        try:
            made = _issued(instance, _body(), clock(), random)
        except WeidError as error:
            return _problem(400, error.code, str(error))
        return _made(made)

    @routes.post("/<name>/credentials/derive")
    def derive(name: str) -> Response:
        instance = instances.get(name)
        if instance is None:
            return _problem(404, "not-found", "no such instance")
        try:
            made = _derived(_body(), random)
        except WeidError as error:
            return _problem(400, error.code, str(error))
        return _made(made)

    return routes


def _issued(instance: Instance, body: Mapping[str, JSON], at: datetime, random: Random) -> dict[str, JSON]:
    document, options = body.get("credential"), body.get("options", {})
    if not isinstance(document, dict) or not isinstance(options, dict) or set(options) - _ISSUE_OPTIONS:
        raise MalformedError("a body has credential, and options that are understood", code="bad-request")
    issuer = document.setdefault("issuer", instance.issuer)
    if isinstance(options.get("credentialId"), str):
        document.setdefault("id", options["credentialId"])
    check_credential(document)
    named = issuer.get("id") if isinstance(issuer, dict) else issuer
    if named != instance.issuer:
        raise MalformedError(f"this instance issues as {instance.issuer}", code="issuer-not-key-owner")
    pointers = options.get("mandatoryPointers", [])
    if not isinstance(pointers, list) or not all(isinstance(item, str) for item in pointers):
        raise MalformedError("mandatoryPointers are JSON pointers", code="bad-request")
    mandatory = [str(item) for item in pointers]
    if instance.cryptosuite in enveloped.FORMS:
        return enveloped.issued(document, instance.cryptosuite, instance.signer, mandatory=mandatory, random=random)
    document = data_integrity.with_context(document)
    quads_of(document)
    created = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(instance.signer.public_key, BbsPublicKey):
        return bbs_2023.sign(document, instance.signer, created=created, mandatory=mandatory, random=random)
    if CRYPTOSUITES[instance.cryptosuite].disclosing:
        return ecdsa_sd.sign(document, instance.signer, created=created, mandatory=mandatory, random=random)
    if pointers:
        raise MalformedError(f"{instance.cryptosuite} shows the whole credential", code="bad-request")
    return data_integrity.sign(document, instance.signer, created=created, cryptosuite=instance.cryptosuite)


def _derived(body: Mapping[str, JSON], random: Random) -> dict[str, JSON]:
    document, options = body.get("verifiableCredential"), body.get("options", {})
    pointers = options.get("selectivePointers", []) if isinstance(options, dict) else None
    if not isinstance(document, dict) or not isinstance(pointers, list) or not all(isinstance(p, str) for p in pointers):
        raise MalformedError("a body has verifiableCredential and selectivePointers", code="bad-request")
    chosen = [str(pointer) for pointer in pointers]
    if ENVELOPED in texts(document.get("type")):
        return enveloped.shown(document, chosen)
    proof = data_integrity.read_proof(document)
    if proof.cryptosuite == bbs_2023.CRYPTOSUITE:
        return bbs_2023.derive(document, proof, chosen, random=random)
    if proof.cryptosuite != ecdsa_sd.CRYPTOSUITE:
        raise MalformedError(f"{proof.cryptosuite[:40]} shows the whole credential", code="bad-request")
    return ecdsa_sd.derive(document, proof, chosen)


def _body() -> dict[str, Any]:
    request.max_content_length = MAX_BODY
    value = parse_json(request.get_data(cache=False), max_bytes=MAX_BODY)
    if not isinstance(value, dict):
        raise MalformedError("a body is a JSON object", code="bad-request")
    return value


def _made(document: Mapping[str, JSON]) -> Response:
    response = jsonify({"verifiableCredential": document})
    response.status_code = 201
    return response


def _problem(status: int, code: str, detail: str) -> Response:
    response = jsonify({"type": f"urn:weid:problem:{code}", "title": code, "status": status, "detail": detail})
    response.status_code, response.mimetype = status, "application/problem+json"
    return response

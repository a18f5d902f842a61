"""The issuing half of the W3C CCG's VC-API (vcalm): issue, derive and status, one instance for each key and cryptosuite.

An instance signs what its caller hands it, if the data model allows it and every word in it means something: it is for
programs that have decided already. The desk's own certificates, whose right the registry checks, go another way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from flask import Blueprint, Response, json, jsonify

from credentials import bbs_2023, data_integrity, ecdsa_sd
from credentials.bbs import BbsPublicKey, BbsSigner
from credentials.bitstring import ENTRY_TYPE, read_entry
from credentials.data_integrity import CRYPTOSUITE_OF, CRYPTOSUITES
from credentials.data_model import ENVELOPED, V2, check_credential, texts
from credentials.jsonld.quads import quads_of
from issuer_app import enveloped
from issuer_app.problems import problem
from issuer_app.published import Published, answer
from issuer_app.status_book import StatusBook
from issuer_app.vc_status import add_status_routes, json_body
from weid.canon import JSON
from weid.codec import minutes
from weid.errors import MalformedError, WeidError
from weid.keys import Signer
from weid.suites import Random

if TYPE_CHECKING:
    from issuer_app.desk import Desk

__all__ = ["Instance", "blueprint"]

_MALFORMED: Final = "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR"
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_ISSUE_OPTIONS: Final = frozenset({"mandatoryPointers", "credentialId", "type", "created"})


@dataclass(frozen=True, slots=True)
class Instance:
    """One issuer: its key, named by a verification method, the cryptosuite or form of envelope it signs with, and its
    status lists, if any."""

    signer: Signer | BbsSigner
    cryptosuite: str
    book: StatusBook | None = None

    @property
    def issuer(self) -> str:
        """The DID that its credentials are by."""
        return self.signer.kid.partition("#")[0]

    @property
    def listing(self) -> str | None:
        """The cryptosuite that signs its status lists, or None: then its credentials have no place in a list.

        What a holder could show a part of is no list, and neither is an envelope to a reader of lists: there a plain
        cryptosuite of the same key signs, if there is one. A place would make each showing of a BBS credential recognisable.
        """
        key, kind = self.signer.public_key, CRYPTOSUITES.get(self.cryptosuite)
        if self.book is None or isinstance(key, BbsPublicKey):
            return None
        return CRYPTOSUITE_OF.get(key.suite) if kind is None or kind.disclosing else kind.name


def blueprint(
    instances: Mapping[str, Instance],
    *,
    clock: Callable[[], datetime],
    random: Random,
    allowed: Callable[[], bool],
    prefix: str = "/vc-api",
    public: Callable[[], str | None] = lambda: None,
    slow: Callable[[], None] = lambda: None,
    desk: Desk | None = None,
) -> Blueprint:
    """The routes `PREFIX/<instance>/credentials/issue`, `…/derive`, `…/status` and the lists of an instance.

    `allowed` says whether this request may sign, derive (which costs as much) or change anything, and counts it; `slow`
    counts those for lists, which anybody may fetch. With a `public` address credentials of instances that have lists say
    where these are. Certificates of the `desk` change their status below PREFIX itself.
    """
    routes = Blueprint("vc-api-issuer", __name__, url_prefix=prefix)

    def lists_of(name: str) -> str | None:
        base = public()
        return None if base is None else f"{base}{prefix}/{name}/status"

    @routes.post("/<name>/credentials/issue")
    def issue(name: str) -> Response:
        if not allowed():
            return _problem(401, "bad-key", "An API key is needed: Authorization: Bearer …")
        instance = instances.get(name)
        if instance is None:
            return _problem(404, "not-found", "no such instance")
        try:
            made = _issued(instance, json_body(), clock(), random, lists_of(name))
        except WeidError as error:
            return _problem(400, error.code, str(error))
        return _made(made)

    @routes.post("/<name>/credentials/derive")
    def derive(name: str) -> Response:
        if not allowed():
            return _problem(401, "bad-key", "An API key is needed: Authorization: Bearer …")
        instance = instances.get(name)
        if instance is None:
            return _problem(404, "not-found", "no such instance")
        try:
            made = _derived(json_body(), random)
        except WeidError as error:
            return _problem(400, error.code, str(error))
        return _made(made)

    @routes.get("/<name>/status/<number>/<purpose>")
    def status_list(name: str, number: str, purpose: str) -> Response:
        slow()
        instance, base = instances.get(name), lists_of(name)
        found = None
        if instance is not None and base is not None and _NUMBER.fullmatch(number):
            found = _listed(instance, int(number), purpose, base, minutes(clock()))
        return _problem(404, "not-found", "no such status list") if found is None else answer(found, minutes(clock()))

    add_status_routes(routes, _books(instances), clock=clock, allowed=allowed, desk=desk)
    return routes


def _books(instances: Mapping[str, Instance]) -> dict[str, StatusBook | None]:
    return {name: item.book if item.listing else None for name, item in instances.items()}


def _listed(instance: Instance, number: int, purpose: str, base: str, at: int) -> Published | None:
    plain = instance.listing
    if instance.book is None or plain is None or isinstance(instance.signer.public_key, BbsPublicKey):
        return None
    return instance.book.published(number, purpose, instance.signer, base, at, cryptosuite=plain)


def _issued(
    instance: Instance, body: Mapping[str, JSON], at: datetime, random: Random, lists: str | None
) -> dict[str, JSON]:  # fmt: skip
    document, options = body.get("credential"), body.get("options", {})
    if not isinstance(document, dict) or not isinstance(options, dict) or set(options) - _ISSUE_OPTIONS:
        raise MalformedError("a body has credential, and options that are understood", code="bad-request")
    issuer = document.setdefault("issuer", instance.issuer)
    name = options.get("credentialId")
    if name is not None and not isinstance(name, str):
        raise MalformedError("credentialId is a text", code="bad-request")
    if name is not None:
        document.setdefault("id", name)
    check_credential(document)
    named = issuer.get("id") if isinstance(issuer, dict) else issuer
    if named != instance.issuer:
        raise MalformedError(f"this instance issues as {instance.issuer}", code="issuer-not-key-owner")
    pointers = options.get("mandatoryPointers", [])
    if not isinstance(pointers, list) or not all(isinstance(item, str) for item in pointers):
        raise MalformedError("mandatoryPointers are JSON pointers", code="bad-request")
    mandatory = [str(item) for item in pointers]
    _check_entries(document)
    if lists is not None and instance.book is not None and instance.listing and _may_have_status(document):
        held = document.setdefault("id", UUID(bytes=random(16), version=4).urn)
        document["credentialStatus"] = instance.book.entries(name or str(held), lists, random=random)
        if _discloses(instance.cryptosuite):
            mandatory.append("/credentialStatus")  # else its holder might show it without
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


def _discloses(cryptosuite: str) -> bool:
    kind = CRYPTOSUITES.get(cryptosuite)
    return cryptosuite == "vc+sd-jwt" if kind is None else kind.disclosing


def _may_have_status(document: Mapping[str, JSON]) -> bool:
    """Whoever brings a status keeps it; version 1.1 has no words for ours (Bitstring Status List 2)."""
    contexts = document.get("@context")
    return "credentialStatus" not in document and isinstance(contexts, list) and contexts[:1] == [V2]


def _check_entries(document: Mapping[str, JSON]) -> None:
    """What a caller's own entries say keeps the rules of their kind; MalformedError `status-entry-malformed`."""
    value = document.get("credentialStatus")
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict) and ENTRY_TYPE in texts(item.get("type")):
            read_entry(item)


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


def _made(document: Mapping[str, JSON]) -> Response:
    response = jsonify({"verifiableCredential": document})
    response.status_code = 201
    return response


def _problem(status: int, code: str, detail: str) -> Response:
    """A problem document; a value that breaks a rule of the data model has the name that W3C gave it (VCDM 2.0, 7.1)."""
    response = problem(status, code, code, detail)
    if code == "status-entry-malformed" or code.startswith("vcdm-"):
        response.set_data(json.dumps({**json.loads(response.get_data()), "type": _MALFORMED}, ensure_ascii=False))
    return response

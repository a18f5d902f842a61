"""The page of what this verifier trusts: the pin, the bundles and their age, and import by file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, g, render_template, request

from credentials.references import Reference
from registry.genesis import fingerprint
from verifier_app.anchor_lines import anchor_lines
from verifier_app.checker import AGES, BundleLine, registry_name
from verifier_app.frame import checker, state_of, t
from verifier_app.languages import in_words, texts
from verifier_app.moments import Moment, moment, old
from weid.errors import MalformedError, ProofError, SignatureError, WeidError

__all__ = ["Refused", "refusal_key", "room", "show_page"]

room = Blueprint("trust", __name__, url_prefix="/trust")
_BROKEN: Final = frozenset(
    {"wrong-snapshot", "wrong-size", "wrong-state", "wrong-register", "no-signature", "bad-signature", "bad-proof"}
)


@dataclass(frozen=True, slots=True)
class Home:
    """The pinned registry."""

    origin: str
    fingerprint: str
    profile: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """One bundle as the page shows it."""

    name: str
    origin: str
    fingerprint: str
    standing: str
    size: int
    moment: Moment
    age_text: str
    state: str


@dataclass(frozen=True, slots=True)
class Line:
    """One status list or schema of others as the page shows it; a plain schema has no age."""

    kind: str
    url: str
    issuer: str
    moment: Moment | None
    age_text: str
    state: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a bundle, list or schema was not taken."""

    sentence: str
    code: str
    detail: str = ""


def refusal_key(error: WeidError) -> str:
    """The text that says why a bundle was refused: by its name where we have words, else by its family."""
    if error.code in _BROKEN or isinstance(error, SignatureError | ProofError):
        return "refused.tampered"
    if f"refused.{error.code}" in texts("en"):
        return f"refused.{error.code}"
    return "refused.malformed" if isinstance(error, MalformedError) else "refused.other"


@room.get("")
def page() -> str:
    """What is pinned and held."""
    return show_page()


@room.post("/bundle")
def bundle() -> str | tuple[str, int]:
    """Import by file: taken whole, or refused by name with nothing changed."""
    upload = request.files.get("file")
    data = b"" if upload is None else upload.read()
    if not data:
        return show_page(refused=Refused(t("problem.empty"), "empty")), 400
    held = checker()
    try:
        made = held.import_bundle(data)
    except WeidError as error:
        return show_page(refused=Refused(t(refusal_key(error)), error.code)), 422
    if made.same:
        return show_page(imported=t("trust.imported.same"))
    label = in_words(made.names, g.language) or made.origin
    return show_page(imported=t("trust.imported", label=label, time=moment(made.log_time, held.settings.zone).text))


@room.post("/reference")
def reference() -> str | tuple[str, int]:
    """A status list or schema by file: taken, or refused with its name and the reason."""
    upload = request.files.get("file")
    data = b"" if upload is None else upload.read()
    if upload is None or not data:
        return show_page(refused=Refused(t("problem.empty"), "empty")), 400
    try:
        made = checker().keep_reference(data, (upload.filename or "file")[:80])
    except WeidError as error:
        return show_page(refused=Refused(t(refusal_key(error)), error.code, str(error))), 422
    return show_page(imported=t("trust.kept", url=made.url))


def show_page(*, imported: str = "", refused: Refused | None = None) -> str:
    """The page, with what was just taken or why it was not."""
    held = checker()
    store = held.store()
    home = None
    if store is not None:
        home = Home(store.root.origin, store.fingerprint, store.root.profile)
    conflict = "" if store is None or store.conflict is None else t("trust.conflict.sentence")
    bundles = tuple(_bundle(line) for line in held.bundles())
    brought = held.references.at_hand()
    lines = tuple(_line(item) for item in brought.found)
    faults = tuple(reason.replace(f"{path.parent}/", "") for path, reason in brought.faults)  # nobody's business where
    return render_template(
        "trust.html", home=home, bundles=bundles, lines=lines, faults=faults, imported=imported, refused=refused,
        conflict=conflict, anchors=anchor_lines(held),
        source="" if held.settings.trust_url is None else urlsplit(held.settings.trust_url).netloc,
    )  # fmt: skip


def _line(item: Reference) -> Line:
    held = checker()
    if item.as_of is None:
        return Line(item.kind, item.url, item.issuer, None, "", "fresh")
    now = held.now()
    ended = item.until is not None and now >= item.until
    state = "stale" if ended else state_of(now - item.as_of, AGES)
    return Line(
        item.kind, item.url, item.issuer, moment(item.as_of, held.settings.zone), old(now - item.as_of, g.language), state
    )


def _bundle(line: BundleLine) -> Bundle:
    held = checker()
    age = held.now() - line.log_time
    return Bundle(
        registry_name(line, g.language), line.origin, fingerprint(line.genesis), line.standing, line.size,
        moment(line.log_time, held.settings.zone), old(age, g.language), state_of(age, held.ages),
    )  # fmt: skip

"""`weid verify`: the one pipeline on a file, a code's text, a picture or standard input. Nothing is ever fetched."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_cli.holder import AT, LANG
from wallet_cli.options import FILE, HELD
from wallet_cli.state import echo, echo_json, now, read_input
from weid.errors import MalformedError, WeidError

if TYPE_CHECKING:
    from credentials.policy import Policy
    from credentials.presentation import Challenge
    from credentials.report import Report
    from credentials.verify_presentation import PresentationReport

_MARK = {"PASSED": "+", "FAILED": "x", "UNKNOWN": "?", "SKIPPED": "-"}


@click.command()
@click.argument("what")
@AT
@LANG
@click.option("--json", "as_json", is_flag=True, help="Print the whole report as JSON.")
@click.option("--explain", is_flag=True, help="Say of every check how it ended and why.")
@click.option("--pack", "folder", type=HELD, help="A pack with requests.")
@click.option("--request", "name", help="Which request of the pack to check against.")
@click.option("--challenge", help="The challenge you showed (file or text), for live answers.")
@click.option("--nonce", help="The challenge that a W3C proof must answer (a presentation, or an SD-JWT with key binding).")
@click.option("--domain", help="The domain or audience that such a proof must name.")
@click.option("--status-list", "lists", multiple=True, type=click.Path(exists=True, path_type=Path),
              help="A status list credential, or a folder of them; may be given again.")  # fmt: skip
@click.option("--schema", "schemas", multiple=True, type=click.Path(exists=True, path_type=Path),
              help="A JSON Schema or schema credential, or a folder of them; may be given again.")  # fmt: skip
@click.option(
    "--issue-proof", "proofs", multiple=True, type=FILE, help="A proof of issue of the certificate; may be given again."
)
@click.option("--trust-issuer", "issuers", multiple=True, metavar="DID", help="An issuer you trust without a registry.")
@click.option("--proof-only", is_flag=True, help="Check the signature alone, not whether the issuer may issue this.")
def verify(
    what: str, at: str | None, lang: str, as_json: bool, explain: bool, folder: Path | None, name: str | None,
    challenge: str | None, nonce: str | None, domain: str | None, issuers: tuple[str, ...], proof_only: bool,
    lists: tuple[Path, ...], schemas: tuple[Path, ...], proofs: tuple[Path, ...],
) -> None:  # fmt: skip
    """Check a credential offline: FILE, the code's text, a picture, or - for standard input.

    Exit code: 0 valid, 1 not valid, 2 usage or unreadable file, 3 cannot be decided (old or missing trust data).
    The verdict goes to standard output, the words to standard error.
    """
    from credentials.references import with_references
    from credentials.verify import verify as run
    from wallet_cli.issue_proof import with_issue_proofs
    from wallet_cli.references import bring
    from wallet_cli.trust import load_facts
    from weid.codec import minutes

    moment = now(at)
    policy, items = _policy(folder, name, challenge, proof_only), _inputs(read_input(what))
    if nonce is not None or domain is not None:
        policy = replace(policy, proof_challenge=nonce, proof_domain=domain)
    policy = replace(policy, trusted_issuers=frozenset(issuers))
    try:
        policy = with_references(policy, bring(lists, schemas).load())
    except MalformedError as error:
        raise click.UsageError(str(error)) from error
    try:
        facts = load_facts(moment)
    except WeidError as error:
        _cannot_decide(error, as_json)
        sys.exit(3)
    try:
        facts = with_issue_proofs(facts, proofs, at=minutes(moment))
    except MalformedError as error:
        raise click.UsageError(f"{error} [{error.code}]") from error
    if _is_presentation(items[0]):
        from credentials.verify_presentation import verify_presentation

        whole = verify_presentation(items[0], facts=facts, policy=policy, at=moment)
        _show_presentation(whole, lang, as_json, explain)
        sys.exit(whole.exit_code)
    reports = [run(data, facts=facts, policy=policy, at=moment) for data in items]
    for report in reports:
        if as_json:
            echo_json(report.to_json(), indent=1)
        else:
            _print(report, lang, explain)
    codes = [report.exit_code for report in reports]
    sys.exit(1 if 1 in codes else max(codes))  # of several codes one that is not valid decides


def _cannot_decide(error: WeidError, as_json: bool) -> None:
    """Our own trust data cannot be used: that says nothing about the credential."""
    if as_json:
        echo_json({"verdict": "undecided", "outcome": "UNKNOWN", "exitCode": 3, "authentic": False,
                   "reason": error.code, "credential": None}, indent=1)  # fmt: skip
    else:
        click.echo("undecided")
    echo(f"Nothing can be decided: {error} [{error.code}]", err=True)


def _inputs(data: bytes) -> list[bytes]:
    """Each code of a picture, or the one thing that was given."""
    from credentials.foreign.reading import items_in
    from credentials.reading import is_picture, texts_in

    if not is_picture(data):
        text = data.strip() if data[:1].isascii() else data  # the last byte of CBOR may look like white space
        return [*items_in(text.split() if text.startswith(b"shc:/") else [text])]  # a card may be in several codes
    try:
        texts = texts_in(data)
    except MalformedError as error:
        raise click.UsageError(f"the picture cannot be read: {error}") from error
    if not texts:
        raise click.UsageError("no code was found in the picture; try a sharper or larger one")
    return [*items_in([text.encode() for text in texts])]


def _policy(folder: Path | None, name: str | None, challenge: str | None, proof_only: bool) -> Policy:
    from credentials.policy import Policy

    if proof_only:
        return Policy(require_accreditation=False)

    asked = None if challenge is None else _challenge(read_input(challenge))
    if folder is None:
        if asked is None:
            return Policy()
        return Policy(challenge=asked, purpose=asked.purpose, require_binding="challenge")
    from credentials.requests import policy_for
    from wallet_cli.pack import load_pack

    if name is None:
        raise click.UsageError("--pack needs --request")
    try:
        return policy_for(load_pack(folder), name, challenge=asked)
    except MalformedError as error:
        raise click.UsageError(str(error)) from error


def _challenge(data: bytes) -> Challenge:
    from credentials.carrier import from_text
    from credentials.presentation import read_challenge
    from credentials.reading import texts_in

    try:
        (text,) = texts_in(data)
        return read_challenge(from_text(text).data)
    except ValueError as error:  # MalformedError is one, and so is another number of codes
        raise click.UsageError(f"the challenge cannot be read: {error}") from error


def _print(report: Report, lang: str, explain: bool) -> None:
    from credentials.foreign.naming import limit
    from credentials.wording import verdict

    words = verdict(report.verdict, lang)
    echo(report.verdict)
    echo(f"{words.word}. {words.sentence} {words.do}", err=True)
    shown = report.presented
    if report.authentic is not None and shown is not None:
        issuer = shown.issuer_names.get(lang) or shown.issuer
        echo(f"{shown.title.get(lang) or shown.type}, by {issuer} ({shown.registry})", err=True)
        for claim, value in report.authentic.items():
            label = shown.labels.get(claim, {}).get(lang) or claim
            text = shown.texts.get(claim, {}).get(lang) or value
            echo(f"  {label}: {text}", err=True)
        for claim in shown.hidden:
            label = shown.labels.get(claim, {}).get(lang) or claim
            echo(f"  {label}: (not shown in this code)", err=True)
        _print_path(report, lang)
    if shown is not None and (limits := limit(shown.form, lang)):
        echo(f"  {limits}", err=True)
    for age in report.ages:
        echo(f"  {age.what} as of {age.age} minutes ago: {age.label}", err=True)
    if explain:
        for check in report:
            mark = _MARK[check.outcome.value]
            echo(f" {mark} {check.outcome.value:<7} {check.id:<24} {check.code}: {check.sentence(lang)}", err=True)
    else:
        _print_reasons(report, lang)
    if any(check.code == "document-missing" for check in report):
        echo("Bring the issuer's DID document: `weid trust document fetch DID`, or `add FILE`.", err=True)
    if any(check.code == "issuer-not-in-trust-data" for check in report) and shown is not None and limit(shown.form, lang):
        echo("Import a list of that system's keys: `weid trust import-anchors KIND FILE`.", err=True)
    if any(check.code == "no-trust-root" for check in report):
        echo("Run `weid trust add GENESIS` with the genesis file of the registry you trust.", err=True)


def _print_path(report: Report, lang: str) -> None:
    """Who gave the issuer its right, from the committee down."""
    from credentials.wording import path_words
    from weid.codec import rfc3339

    for number, link in enumerate(report.path):
        if not number:
            echo(f"  {path_words('title', lang)}:", err=True)
        times = {name: None if count is None else rfc3339(count) for name, count in
                 (("since", link.since), ("until", link.until), ("ended", link.ended))}  # fmt: skip
        parts = [] if link.level is None else [path_words(f"{link.role}-level", lang, level=link.level)]
        parts += [path_words("period", lang, **times)] if link.since is not None else []
        parts += [path_words("ended", lang, **times)] if link.ended is not None else []
        name = link.names.get(lang) or link.names.get("en") or link.id
        echo(f"   {'> ' * number}{path_words(link.role, lang)}: {', '.join([name, *parts])}", err=True)


def _is_presentation(data: bytes) -> bool:
    """Whether it calls itself a W3C presentation; `verify_presentation` reads it strictly."""
    from credentials.data_model import texts
    from weid.canon import parse_json

    if data[:1] != b"{":
        return False
    try:
        value = parse_json(data)
    except WeidError:
        return False
    return isinstance(value, dict) and "VerifiablePresentation" in texts(value.get("type"))


def _show_presentation(whole: PresentationReport, lang: str, as_json: bool, explain: bool) -> None:
    """The outcome of the whole on standard output, then every credential in it as if it came alone."""
    if as_json:
        echo_json(whole.to_json(), indent=1)
        return
    click.echo({0: "valid", 1: "not-valid"}.get(whole.exit_code, "undecided"))
    for check in whole:
        if explain or check.outcome.value in ("FAILED", "UNKNOWN"):
            mark = _MARK[check.outcome.value]
            echo(f" {mark} {check.outcome.value:<7} {check.id:<24} {check.code}: {check.sentence(lang)}", err=True)
    for report in whole.credentials:
        _print(report, lang, explain)


def _print_reasons(report: Report, lang: str) -> None:
    """What is missing or wrong, each once: a verdict alone does not say what to do about it."""
    told = set()
    for check in report:
        if check.outcome.value in ("PASSED", "SKIPPED") or check.code in told:
            continue
        told.add(check.code)
        words, said = check.sentence(lang), check.evidence.get("description")
        if isinstance(said, dict):  # a rule says what it asks
            words = f"{words} {said.get(lang) or said.get('en', '')}".rstrip()
        known = ("at", "reason", "source") if check.id == "status" else ()  # when, why and by whom it was revoked
        since = [str(check.evidence[name]) for name in known if check.evidence.get(name)]
        more = f" ({', '.join(since)})" if since else ""
        echo(f"  {_MARK[check.outcome.value]} {words}{more} [{check.code}]", err=True)

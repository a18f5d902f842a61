"""`weid envelope`: one W3C document in or out of a JWT, SD-JWT or COSE_Sign1, under a key in a file (VC-JOSE-COSE 1.0)."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from wallet_cli.options import FILE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.envelope import Enveloped
    from weid.canon import JSON

__all__ = ["envelope"]

FORMS: Final = ("vc+jwt", "vc+sd-jwt", "vc+cose", "vp+jwt", "vp+sd-jwt", "vp+cose")
KEY: Final = click.option("--key", "key_file", required=True, type=FILE,
                          help="A JWK, or a verification method with publicKeyJwk and secretKeyJwk.")  # fmt: skip


@click.group()
def envelope() -> None:
    """Sign or open one W3C document in a JWT, SD-JWT or COSE envelope with a JWK.

    What it proves is that this key signed this document. Whose key it is, whether the issuer may issue, and what the
    status and the time are, `weid verify` asks.
    """


@envelope.command()
@click.argument("file", type=FILE)
@KEY
@click.option("--form", required=True, type=click.Choice(FORMS), help="Media type, without application/.")
@click.option("--hide", multiple=True, metavar="POINTER",
              help="JSON pointer to a member that the holder may leave out (SD-JWT); may be repeated.")  # fmt: skip
@click.option("--kid", help="Which of the signer's keys this is [the id of the method, else the kid of the JWK].")
@click.option("--enclosed", is_flag=True, help="Print the envelope as an object with a data: URL, for a presentation.")
def sign(file: Path, key_file: Path, form: str, hide: tuple[str, ...], kid: str | None, enclosed: bool) -> None:
    """Sign the credential or presentation in FILE and print the envelope; COSE is printed as base64."""
    from credentials.envelope import enclose
    from credentials.sealing import check_sealable, pointed, seal
    from weid.codec import b64
    from weid.errors import KeyMaterialError
    from weid.keys import LocalSigner

    document, key = _object(file), _object(key_file)
    jwk = _jwk(key, "secretKeyJwk")
    name = kid or key.get("id") or jwk.get("kid")  # of an issuer that is a URL, kid is the method's whole URL (3.1.3)
    if not isinstance(name, str):
        raise KeyMaterialError("the key has no kid; say it with --kid", code="kid-missing")
    signer = LocalSigner.from_jwk(jwk, name, "assert" if form.startswith("vc+") else "present")
    check_sealable(document, form)
    data = seal(document, form, signer, random=secrets.token_bytes, hide=[pointed(document, item) for item in hide])
    if enclosed:
        click.echo(json.dumps(enclose(form, data), ensure_ascii=False))
    else:
        click.echo(b64(data) if form.endswith("+cose") else data.decode("ascii"))


@envelope.command("open")
@click.argument("file", type=FILE)
@KEY
@click.option("--form", type=click.Choice(FORMS), help="Media type that it must be, without application/ [any].")
def open_(file: Path, key_file: Path, form: str | None) -> None:
    """Check the envelope in FILE with a public key, and print what it signs as JSON: form, kid, claims, document.

    Exit code 1 unless exactly this key signed it. `exp` and `nbf` are printed among the claims and not judged.
    """
    from weid.errors import MalformedError
    from weid.keys import PublicKey

    value = _read(file.read_bytes())
    if form is not None and value.form != form:
        raise MalformedError(f"the envelope is a {value.form}, not a {form}", code="wrong-typ")
    jwk = _jwk(_object(key_file), "publicKeyJwk")
    value.verify(PublicKey.from_jwk({name: item for name, item in jwk.items() if name not in ("d", "priv", "key_ops")}))
    shown = {"form": value.form, "kid": value.kid, "claims": dict(value.claims), "document": value.document}
    click.echo(json.dumps(shown, ensure_ascii=False, indent=1))


def _read(data: bytes) -> Enveloped:
    """Any envelope, COSE as bytes or as base64."""
    from credentials.cose import read_cose_text
    from credentials.opening import read_envelope

    if data.isascii() and not set(data) & set(b".~"):
        return read_cose_text(data.decode("ascii").strip(" \t\r\n"))
    return read_envelope(data)


def _object(path: Path) -> dict[str, Any]:
    from weid.canon import parse_json
    from weid.errors import MalformedError

    value = parse_json(path.read_bytes())
    if not isinstance(value, dict):
        raise MalformedError(f"{path.name} is no JSON object")
    return value


def _jwk(key: Mapping[str, JSON], member: str) -> Mapping[str, JSON]:
    """The JWK of a verification method, or the value itself if it is one."""
    from weid.errors import KeyMaterialError

    found = key if "kty" in key else key.get(member)
    if not isinstance(found, dict):
        raise KeyMaterialError(f"neither a JWK nor a verification method with {member}", code="jwk")
    return found

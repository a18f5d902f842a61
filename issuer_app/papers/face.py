"""The page of a certificate on a phone, made from the look of its kind: no template, no script, the reader's language.

It is the other half of ADR 29: a drawing is for paper and pictures; what a screen shows is text that grows, wraps and is
read out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from credentials.claims import Claim
from credentials.schema import Schema
from issuer_app.papers.content import arranged
from issuer_app.papers.look import Look
from weid.canon import JSON
from weid.codec import b64

__all__ = ["Face", "face_of"]


@dataclass(frozen=True, slots=True)
class Face:
    """What the page shows: claims in large letters, the others in order, a colour, a line above, pictures as data: addresses."""

    large: tuple[tuple[Claim, JSON], ...]
    rows: tuple[tuple[Claim, JSON], ...]
    accent: str
    says: Mapping[str, str] | None
    logo: str | None
    seal: str | None


def face_of(schema: Schema, look: Look, claims: Mapping[str, JSON]) -> Face:
    """The page of these claims. It leaves nothing out: what the look does not list follows at the end."""
    held = {claim.name: (claim, claims[claim.name]) for claim in schema.claims if claims.get(claim.name) is not None}
    large, small = arranged(look, [claim for claim, _ in held.values()])
    small += [name for name in held if name not in (*large, *small)]
    return Face(
        tuple(held[name] for name in large), tuple(held[name] for name in small), look.colour(claims), look.says,
        _address(look.logo), _address(look.seal),
    )  # fmt: skip


def _address(svg: str | None) -> str | None:
    """An image, not markup: a browser runs and fetches nothing in one."""
    return None if svg is None else f"data:image/svg+xml;base64,{b64(svg.encode('utf-8'))}"

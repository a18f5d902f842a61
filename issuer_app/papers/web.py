"""The clerk's side of papers: look at them, hand them out, and make a link for the holder."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Response, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue

from issuer_app.frame import config, desk, needs, page, slow_down, speaker, tell, user
from issuer_app.ledger import Issued
from issuer_app.papers import PICTURES, pdf_of
from issuer_app.papers.codes import code_of
from issuer_app.papers.described import MEDIA
from issuer_app.papers.handing import FORMS, Handed, Way, hand_out, page_png
from issuer_app.papers.links import Links
from issuer_app.papers.ornament import code_path
from issuer_app.texts import NAMES_OF_LANGUAGES
from weid.errors import IssueError, MalformedError, WeidError
from weid.pack import LANGUAGES

__all__ = ["asked_way", "links", "pages", "sent"]

pages = Blueprint("papers", __name__, url_prefix="/desk/certificates")

DAYS = (7, 30, 90, 365)


@pages.get("/<id_>/papers")
@needs("clerk")
def papers(id_: str) -> ResponseReturnValue:
    """Everything that can be handed out for one certificate, as it looks, with how well it reads."""
    return _page(desk().get(id_))


@pages.get("/<id_>/sheet.png")
@needs("clerk")
def sheet(id_: str) -> ResponseReturnValue:
    """The PDF's page, to look at."""
    slow_down(config().limits.issue, "paper", user().name)
    row, way = desk().get(id_), asked_way()
    data = pdf_of(desk(), row, way.languages, host=way.host, zone=way.zone, at=config().now())
    return Response(page_png(data), content_type="image/png")


@pages.get("/<id_>/certificate.pdf")
@needs("clerk")
def pdf(id_: str) -> ResponseReturnValue:
    """The certificate for paper and for mail, its file inside."""
    return _given(id_, "pdf")


@pages.get("/<id_>/<any(card,poster):form>.png")
@needs("clerk")
def picture(id_: str, form: str) -> ResponseReturnValue:
    """The certificate as a picture."""
    return _given(id_, form)


@pages.post("/<id_>/link")
@needs("clerk")
def make_link(id_: str) -> ResponseReturnValue:
    """A new link for the holder; it is shown this once, because only its digest is kept."""
    slow_down(config().limits.issue)
    row, days = desk().get(id_), request.form.get("days", "")
    if row.erased:
        raise IssueError("the content was erased here", code="erased")
    if days not in {str(choice) for choice in DAYS}:
        raise IssueError("one of the lengths offered", code="bad-period")
    token = links().make(row.id, days=int(days), by=user().name, at=config().now(), random=config().random)
    base = config().public or request.url_root.rstrip("/")
    return _page(row, link=f"{base}{url_for('holder.certificate', token=token)}")


@pages.post("/<id_>/link/withdraw")
@needs("clerk")
def withdraw(id_: str) -> ResponseReturnValue:
    """End every link to this certificate."""
    row = desk().get(id_)
    links().withdraw(row.id)
    tell("papers.withdrawn")
    return redirect(url_for("papers.papers", id_=row.id))


def links() -> Links:
    """The links of this app's desk, opened once."""
    held = current_app.extensions.get("holder_links")
    if held is None:
        held = current_app.extensions["holder_links"] = Links(desk().party.folder)
    return cast(Links, held)


def asked_way() -> Way:
    """The languages a request asks for: `first` and `second`, else the viewer's own."""
    first = request.args.get("first") or speaker().language
    second = request.args.get("second", "")
    chosen = (first, second) if second and second != first else (first,)
    if set(chosen) - set(LANGUAGES):
        raise IssueError(f"one or two of {', '.join(LANGUAGES)}", code="bad-language")
    return Way(chosen, config().code_host, config().zone)


def sent(data: bytes, form: str, id_: str) -> Response:
    """The bytes under a name that tells nothing about the person; shown, or with ?download kept."""
    response = Response(data, content_type=MEDIA[form])
    how = "attachment" if request.args.get("download") is not None else "inline"
    name = f"{id_[:8]}.pdf" if form == "pdf" else f"{id_[:8]}-{form}.png"
    response.headers["Content-Disposition"] = f'{how}; filename="{name}"'
    return response


def _given(id_: str, form: str) -> Response:
    slow_down(config().limits.issue, "paper", user().name)
    row = desk().get(id_)
    return sent(hand_out(desk(), row, form, asked_way(), config().now()).data, form, row.id)


def _page(row: Issued, link: str | None = None) -> str:
    now, way = config().now(), asked_way()
    made, fault = _made(row, way, now)
    schema = desk().schema(row.schema, now)
    return page(
        "papers/papers.html", row=row, schema=schema, made=made, fault=fault, way=way, names=NAMES_OF_LANGUAGES, sizes=PICTURES,
        link=link, picture=None if link is None else link_svg(link), open=links().open(row.id, now), days=DAYS,
        drawn=None if row.erased else code_of(row, way.host),
    )  # fmt: skip


def _made(row: Issued, way: Way, now: int) -> tuple[dict[str, Handed], str | None]:
    """What can be handed out, each with its score; and the sentence for what cannot, with the character at fault."""
    made: dict[str, Handed] = {}
    try:
        for form in FORMS:
            made[form] = hand_out(desk(), row, form, way, now, trials=1)
    except WeidError as error:
        words = speaker().problem(error.code)
        return made, f"{words} {error}" if error.code == "no-glyph" else words
    return made, None


def link_svg(text: str) -> str:
    """The link as a code for the holder's camera."""
    import qrcode

    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
    code.add_data(text)
    try:
        code.make(fit=True)
    except ValueError:
        raise MalformedError("the address of this app is too long for a code", code="too-large") from None
    rows = tuple(tuple(bool(cell) for cell in row) for row in code.get_matrix())
    size = len(rows) + 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -4 {size} {size}" shape-rendering="crispEdges">'
        f'<rect x="-4" y="-4" width="{size}" height="{size}" fill="#fff"/><path d="{code_path(rows)}" fill="#000"/></svg>'
    )

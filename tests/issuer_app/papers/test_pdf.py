"""The PDF: what it holds, how it is printed, who can read it, and what it refuses."""

from __future__ import annotations

import re

import pytest

from issuer_app import selfcheck
from issuer_app.ledger import Issued
from issuer_app.papers import pdf_of
from tests.issuer_app.papers import pdf
from tests.issuer_app.papers.conftest import Workshop
from weid.errors import IssueError

LONG = "Maria da Conceição Rodrigues de Almeida e Vasconcelos Sá Neto"[:60]
UNBROKEN = "W" * 60


def drawn(workshop: Workshop, row: Issued, *languages: str) -> bytes:
    return pdf_of(workshop.desk, row, languages or ("zh-Hans", "en"), at=workshop.house.now)


def test_the_file_inside_is_the_certificate_and_verifies(workshop: Workshop, row: Issued) -> None:
    """A stranger takes `certificate.json` out of the PDF and checks it like any other file."""
    held = pdf.attachments(drawn(workshop, row))

    assert held == {"certificate.json": row.file}
    assert workshop.house.verify(held["certificate.json"]).verdict == "valid-bearer"


def test_the_code_on_the_page_verifies_and_its_modules_are_half_a_millimetre(workshop: Workshop, row: Issued) -> None:
    """The printed code is read from the page as a scanner sees it, and is large enough for paper."""
    data, code = drawn(workshop, row), selfcheck.draw(row, "v.example")

    assert pdf.pages(data) == [(210.0, 297.0)]
    assert pdf.code_mm(data, code.modules, code.text) >= 0.5
    assert workshop.house.verify(code.text.encode()).verdict == "valid-bearer"


def test_modules_stay_half_a_millimetre_in_the_densest_code_there_is() -> None:
    """Version 20 is the hard stop: its 105 modules with border take 58 mm."""
    from issuer_app.papers import _side

    for version in range(1, 21):
        modules = 17 + 4 * version + 8
        assert _side(modules) / modules >= 0.5
        assert _side(modules) <= 60


def test_all_fonts_are_embedded_and_the_page_is_tagged_in_its_languages(workshop: Workshop, row: Issued) -> None:
    """PDF/A-3a and PDF/UA-1: a heading, paragraphs, pictures with words, the language of each text."""
    data = drawn(workshop, row)

    assert all(embedded for _, embedded in pdf.fonts(data))
    assert pdf.tags(data)[0] == "Document"
    assert pdf.tags(data).count("H1") == 1
    assert {"P", "Figure"} <= set(pdf.tags(data))
    assert pdf.images_without_words(data) == 0
    assert set(re.findall(rb"/Lang\(([^)]*)\)", data)) == {b"zh-CN", b"en"}
    assert b"<pdfaid:part>3<" in data
    assert b"<pdfuaid:part>1<" in data
    assert b"/AFRelationship/Data" in data


def test_everything_on_it_is_text(workshop: Workshop, row: Issued) -> None:
    """What people read can be searched and read aloud; the printed code for typed checks, too."""
    words = pdf.text(drawn(workshop, row))

    for text in (
        "职业技能证书",
        "Skill certificate",
        "王小明",
        "区块链应用操作员",
        "202611230001",
        row.code,
        row.id,
        "v.example",
    ):
        assert text in words, text


def test_public_claims_stand_on_it_whatever_the_look_leaves_out(workshop: Workshop, row: Issued) -> None:
    """A look chooses the order; it cannot hide what must be shown (R12)."""
    from issuer_app.papers.content import content_of, speakers_of
    from issuer_app.papers.look import Look

    schema = workshop.desk.schema(row.schema, workshop.house.now)
    speakers = speakers_of(("en",), workshop.house.config().zone)
    content = content_of(
        row, schema, Look(rows=("grade",)), workshop.desk.names, selfcheck.draw(row, "v.example"), "v.example", speakers
    )
    labels = [label.first for label, _ in content.rows]

    assert labels == ["Grade", "Certificate number", "Skill", "Date of award", "Issued", "Valid until"]


def test_the_same_row_gives_the_same_bytes(workshop: Workshop, row: Issued) -> None:
    """Nothing in it is of today: a second download is the first."""
    assert drawn(workshop, row) == drawn(workshop, row)
    assert drawn(workshop, row) != drawn(workshop, row, "pt")


@pytest.mark.parametrize(
    "name",
    [LONG, "欧阳" * 30, "محمد بن عبد الله", "#eval(1) *x* $y$ @z `w` \\ //", "Zoë 🌟", "\u3400\u4dbf", "Иван Nguyễn Thị Ánh"],
)
def test_names_of_all_kinds_fit_on_one_page_as_they_are_written(workshop: Workshop, name: str) -> None:
    """Long, right to left, rare, and what would be markup elsewhere: on the page and in the text layer, or refused."""
    from issuer_app.papers import fonts, press

    row, held = workshop.issue(holderName=name), fonts.load(None)[0]
    if press.uncovered(frozenset({name}), held) is not None:  # a machine with fewer fonts
        with pytest.raises(IssueError, match=r"U\+"):
            drawn(workshop, row)
        return
    data = drawn(workshop, row)
    assert pdf.pages(data) == [(210.0, 297.0)]
    if "م" not in name:  # Arabic is stored in its joined forms
        assert "".join(name.split()) in "".join(pdf.text(data).split())


def test_a_name_is_never_cut_at_the_edge(workshop: Workshop) -> None:
    """The widest name there is ends inside the frame on both sides."""
    from pypdfium2 import raw

    data = drawn(workshop, workshop.issue(holderName=UNBROKEN))
    with pdf.opened(data) as document:
        page = document[0]
        bounds = [item.get_bounds() for item in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT], max_depth=10)]
    mm = 72 / 25.4
    assert min(left for left, _, _, _ in bounds) > 15 * mm
    assert max(right for _, _, right, _ in bounds) < 195 * mm


def test_a_character_that_no_font_has_is_named_and_nothing_is_drawn(workshop: Workshop) -> None:
    """No empty boxes, on paper or in a picture: the refusal says which character it is."""
    from issuer_app.papers import picture_of

    row = workshop.issue(holderName="王\U0003134a")
    for draw in (lambda: drawn(workshop, row), lambda: picture_of(workshop.desk, row, "card", at=workshop.house.now)):
        with pytest.raises(IssueError, match=r"\U0003134a \(U\+3134A\)") as refused:
            draw()
        assert refused.value.code == "no-glyph"


def test_a_specimen_says_so(workshop: Workshop) -> None:
    """Across the page, where nobody overlooks it."""
    plain, specimen = (drawn(workshop, workshop.issue(specimen=flag), "en") for flag in (False, True))

    assert "SPECIMEN" not in pdf.text(plain)
    assert "SPECIMEN" in pdf.text(specimen)


@pytest.mark.parametrize("state", ["suspend", "revoke", "erase"])
def test_what_does_not_stand_is_not_printed(workshop: Workshop, state: str) -> None:
    """Paper cannot be called back."""
    row, desk, now = workshop.issue(), workshop.desk, workshop.house.now
    if state == "erase":
        desk.erase(row.id)
    else:
        getattr(desk, state)(row.id, "error-in-data", now)
    with pytest.raises(IssueError) as refused:
        drawn(workshop, desk.get(row.id))
    assert refused.value.code == ("erased" if state == "erase" else "not-valid")


@pytest.mark.parametrize("languages", [(), ("xx",), ("en", "en"), ("en", "pt", "zh-Hans")])
def test_languages_are_one_or_two_of_ours(workshop: Workshop, row: Issued, languages: tuple[str, ...]) -> None:
    """Anything else is refused by name."""
    with pytest.raises(IssueError) as refused:
        pdf_of(workshop.desk, row, languages, at=workshop.house.now)
    assert refused.value.code == "bad-language"


def test_fonts_of_the_institution_come_first(workshop: Workshop, row: Issued, tmp_path: object) -> None:
    """A font in the desk's folder is used, and is found without being installed."""
    from pathlib import Path

    from issuer_app.papers import fonts

    found = sorted(Path("/usr/share/fonts").rglob("DejaVuSerif.ttf"))
    if not found:
        pytest.skip("no font file to borrow on this machine")
    folder = Path(str(tmp_path)) / "fonts"
    folder.mkdir()
    (folder / "own.ttf").write_bytes(found[0].read_bytes())
    _, families, house = fonts.load(folder)

    assert house == ("DejaVu Serif",)
    assert fonts.stack("serif", "en", families, house)[0] == "DejaVu Serif"

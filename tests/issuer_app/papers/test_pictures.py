"""Picture cards and posters, and how well they read when worn."""

from __future__ import annotations

import random
from io import BytesIO

import pytest
from PIL import Image, ImageFilter

from credentials import picture
from issuer_app import selfcheck
from issuer_app.ledger import Issued
from issuer_app.papers import PICTURES, handing, pdf_of, picture_of, scan
from issuer_app.papers.handing import Way, hand_out
from tests.issuer_app.papers.conftest import Workshop
from weid.errors import IssueError


@pytest.mark.parametrize("form", PICTURES)
def test_a_picture_has_its_size_and_its_code_is_read(workshop: Workshop, row: Issued, form: str) -> None:
    """1080 pixels wide for a phone; the code in it gives back the certificate, also for the longest name."""
    for held in (row, workshop.issue(holderName="W" * 60, specimen=True)):
        data = picture_of(workshop.desk, held, form, ("zh-Hant", "pt"), at=workshop.house.now)

        assert Image.open(BytesIO(data)).size == PICTURES[form]
        assert picture.read(data) == (selfcheck.draw(held, "v.example").text,)


@pytest.mark.parametrize("form", PICTURES)
def test_modules_are_whole_pixels(workshop: Workshop, row: Issued, form: str) -> None:
    """Black or white at every module: no grey edges that a phone would have to guess about."""
    import zxingcpp

    image = Image.open(BytesIO(picture_of(workshop.desk, row, form, at=workshop.house.now))).convert("L")
    drawn = selfcheck.draw(row, "v.example")
    (code,) = zxingcpp.read_barcodes(image)
    place = code.position
    box = image.crop((place.top_left.x, place.top_left.y, place.bottom_right.x, place.bottom_right.y))
    each = round(box.width / drawn.modules)
    assert each >= 6
    assert abs(box.width - each * drawn.modules) <= 1
    assert sum(box.histogram()[1:255]) == 0


@pytest.mark.parametrize("form", PICTURES)
def test_the_densest_code_still_has_four_pixels_a_module(form: str) -> None:
    """Version 20 on a picture 1080 pixels wide."""
    from issuer_app.papers import _card
    from issuer_app.papers.content import Content

    data = b"\x98" + random.Random(3).randbytes(620)
    code = picture.draw(data, host="v.example", level="M")
    assert code.version == 20
    content = Content((), *[None] * 2, None, (), (), code, *[None] * 2, None, None, "", "", {}, "")  # type: ignore[arg-type]
    width, height = PICTURES[form]
    measures = _card(content, "#000000", width, height)
    assert measures["code"]["side"] * 10 / (code.modules + 8) >= 4
    assert measures["head"] + measures["code"]["side"] + 20 < measures["height"]


def test_the_score_is_the_same_for_the_same_picture_and_falls_with_harm(workshop: Workshop, row: Issued) -> None:
    """One seed, one score; blurred, small or covered, a picture scores less, and nothing where it cannot be read."""
    drawn = selfcheck.draw(row, "v.example")
    good = picture.png(drawn, scale=8)
    first = scan.score(good, drawn, seed="a", trials=1)
    assert first == scan.score(good, drawn, seed="a", trials=1)
    assert first.good
    assert dict(first.shares)["plain"] == 100
    assert [name for name, _ in first.shares] == list(scan.CONDITIONS)
    assert first.least_mm == drawn.printed_mm

    soft = Image.open(BytesIO(picture.png(drawn, scale=3))).convert("L").filter(ImageFilter.GaussianBlur(1.7))
    assert scan.score(soft, drawn, seed="a", trials=2).total < first.total

    blank = Image.new("L", (500, 500), 255)
    nothing = scan.score(blank, drawn, seed="a")
    assert (nothing.total, nothing.good) == (0, False)


def test_another_certificate_in_the_picture_counts_as_unread(workshop: Workshop, row: Issued) -> None:
    """What is read must be this certificate, not just anything."""
    other = selfcheck.draw(workshop.issue(), "v.example")
    assert scan.score(picture.png(selfcheck.draw(row, "v.example")), other, seed="a").total == 0


def test_what_reads_too_rarely_is_not_handed_out(workshop: Workshop, row: Issued) -> None:
    """The refusal says how rarely, and when it is worst."""
    with pytest.raises(IssueError, match="worst when far") as refused:
        scan.require(scan.Score((("plain", 100), ("blur", 33), ("far", 0)), 30.0))
    assert refused.value.code == "hard-to-read"
    with pytest.raises(IssueError):
        scan.require(scan.Score((("plain", 0), ("blur", 100), ("far", 100)), 30.0))


@pytest.mark.parametrize("form", handing.FORMS)
def test_what_is_handed_out_was_worn_and_read_first(workshop: Workshop, row: Issued, form: str) -> None:
    """PDF and pictures alike, as the very bytes that are given."""
    zone = workshop.house.config().zone
    made = hand_out(workshop.desk, row, form, Way(("zh-Hans",), "v.example", zone), workshop.house.now)

    assert made.score.good
    draw = pdf_of if form == "pdf" else (lambda *values, **names: picture_of(values[0], values[1], form, values[2], **names))
    assert made.data == draw(workshop.desk, row, ("zh-Hans",), at=workshop.house.now)

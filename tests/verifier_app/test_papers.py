"""Papers: what is on them, what is only in them, and the signed name beside what the eye sees."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image

from tests.verifier_app.places import CERTIFICATE, Place
from tests.verifier_app.sheets import certificate, pdf, photo, side_by_side
from verifier_app.papers import visible
from verifier_app.papers.intake import contents_of
from verifier_app.papers.readers import Readers
from verifier_app.papers.sheet import Page, Paper
from verifier_app.papers.visible import Names, compare
from weid.errors import MalformedError

NAME = str(CERTIFICATE["holderName"])
LABELS = ("Holder's name", "持有人姓名", "Nome do titular")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One registry for the tests that change nothing in it."""
    made = Place(tmp_path_factory.mktemp("place"), "certificate-authority", "skill-certificate")
    yield made
    made.close()


@pytest.fixture(scope="module")
def readers() -> Iterator[Readers]:
    made = Readers(1, seconds=60)
    yield made
    made.close()


def seen(text: str, name: str = "Zhang Wei", *, covered: str = "", labels: tuple[str, ...] = LABELS) -> tuple[str, str]:
    found = compare(Names((name,), (labels,), ("Certificate number", "证书编号")), [Page(text, covered)])
    return found.outcome, found.paper


@pytest.mark.parametrize(
    "text, name, outcome, paper",
    [
        ("Holder's name: Zhang Wei\nSkill: x", "Zhang Wei", "same", ""),
        ("持有人姓名 Holder’s name: 张伟", "张伟", "same", ""),
        ("持有人姓名 Holder’s name: 李雷", "张伟", "differs", "李雷"),
        ("HOLDER'S NAME   ZHANG  WEI", "Zhang Wei", "same", ""),
        ("持有人姓名 Holder's name: 张伟", "张伟", "same", ""),
        ("持有人姓名：张 伟 证书编号 2026", "张伟", "same", ""),
        ("Holder's name\nZhang Wei\nCertificate number\n1", "Zhang Wei", "same", ""),
        ("This is to certify that Zhang Wei has passed.", "Zhang Wei", "same", ""),
        ("Ｚｈａｎｇ Ｗｅｉ", "Zhang Wei", "same", ""),
        ("阿卜杜拉·买买提", "阿卜杜拉·买买提", "same", ""),
        ("Holder's name: Zhang Wei (张伟)", "Zhang Wei", "same", ""),
        ("Holder's name: Li Lei\nCertificate number: 1", "Zhang Wei", "differs", "Li Lei"),
        ("Holder's name: Li Lei Certificate number: 1", "Zhang Wei", "differs", "Li Lei"),
        ("Holder's name: Li Lei\n(small print: Zhang Wei)", "Zhang Wei", "differs", "Li Lei"),
        ("持有人姓名\n李雷\n证书编号", "张伟", "differs", "李雷"),
        ("This is to certify that Li Lei has passed.", "Zhang Wei", "absent", ""),
        ("Anderson has passed", "An", "absent", ""),
        ("Zhang Weiming", "Zhang Wei", "absent", ""),
        ("Holder's name: Zhang W**", "Zhang W**", "same", ""),
        ("Holder's name: 张伟", "张*", "same", ""),
        ("Holder's name: 李雷", "张*", "differs", "李雷"),
        ("持有人姓名：张伟明\n证书编号：1", "张伟", "differs", "张伟明"),
        ("Holder's name: Li Lei     Zhang Wei", "Zhang Wei", "differs", "Li Lei"),
        ("", "Zhang Wei", "unread", ""),
    ],
)
def test_the_signed_name_against_a_page(text: str, name: str, outcome: str, paper: str) -> None:
    """However it is set, the same letters; whatever else stands there, not the same."""
    assert seen(text, name) == (outcome, paper)


def test_a_name_under_a_picture_is_left_to_the_eye() -> None:
    """A seal over the name is usual; what it hides nobody here can say."""
    assert seen("Holder's name:", covered="Holder's name: Zhang Wei")[0] == "covered"


def test_a_certificate_without_a_name_is_not_compared() -> None:
    """Nothing is claimed where nothing can be."""
    assert compare(Names((), ()), [Page("anything")]).outcome == visible.NO_NAME


def test_a_page_of_a_desk_says_what_is_signed(place: Place, readers: Readers) -> None:
    """Code, file inside and text of one page; the file and the code are the same certificate."""
    made = place.issue(CERTIFICATE)
    attach = '#pdf.attach("c.json", mime-type: "application/json", relationship: "data")\n'
    paper = certificate(NAME, place.png(made), more=attach, files={"c.json": made.file})
    found = contents_of(paper, readers).found
    assert [(item.page, item.file) for item in found] == [(0, "c.json"), (1, "")]
    assert found[0].item == made.file
    assert found[1].item == place.text(made).encode()
    assert NAME in found[1].pages[0].seen  # type: ignore[index]


COVER = "#place(top + left, dx: 0mm, dy: -1mm)[#rect(width: 160mm, height: 7mm, fill: white)]\n"
TRICKS = (
    ("#text(fill: white)[hidden]shown", "shown", ""),
    ("#place(top + left, dx: -300mm)[hidden]shown", "shown", ""),
    ("hidden" + COVER + "#place(top + left)[shown]", "shown", ""),
    ('#place(top + left)[under]#place(top + left)[#image("code.png", width: 30mm)]', "", "under"),
)


def test_what_is_not_drawn_is_not_what_the_paper_says(place: Place, readers: Readers) -> None:
    """White on white, off the page, under a shape: not shown. Under a picture: left open."""
    body = "#pagebreak()".join(trick for trick, _, _ in TRICKS)
    paper = readers.pdf(pdf(body, {"code.png": place.png(place.issue(CERTIFICATE))}))
    assert [(page.seen.strip(), page.covered.strip()) for page in paper.pages] == [trick[1:] for trick in TRICKS]


def test_every_code_of_every_page_is_found(place: Place, readers: Readers) -> None:
    """Two on one page, one on the next."""
    codes = [place.issue({**CERTIFICATE, "certificateNumber": f"20260000{n:04}"}) for n in range(3)]
    body = '#image("0.png", width: 50mm)#image("1.png", width: 50mm)#pagebreak()#image("2.png", width: 50mm)'
    paper = readers.pdf(pdf(body, {f"{n}.png": place.png(code) for n, code in enumerate(codes)}))
    assert [(code.text, code.page) for code in paper.codes] == [(place.text(c), p) for c, p in zip(codes, (1, 1, 2), strict=True)]
    assert len(readers.picture(side_by_side([place.png(code) for code in codes])).codes) == 3


@pytest.mark.parametrize("skew, blur", [(0.08, 1.0), (0.14, 1.4)])
def test_a_photo_of_a_print_is_read(place: Place, readers: Readers, skew: float, blur: float) -> None:
    """Seen from the side, out of focus, with glare."""
    made = place.issue(CERTIFICATE)
    assert [code.text for code in readers.picture(photo(place.png(made), skew=skew, blur=blur)).codes] == [place.text(made)]


def test_odd_papers_stop_nobody(place: Place, readers: Readers) -> None:
    """Cut, mixed up and mutated PDFs and pictures give an answer each, and the reader answers on."""
    chance = random.Random(5)
    good = certificate(NAME, place.png(place.issue(CERTIFICATE)))
    for _ in range(40):
        odd = bytearray(good)
        for _ in range(chance.randrange(1, 30)):
            odd[chance.randrange(len(odd))] = chance.randrange(256)
        del odd[chance.randrange(len(odd) // 2, len(odd)) :]
        assert isinstance(readers.pdf(bytes(odd)), Paper)
    assert readers.pdf(b"%PDF-1.7\n").problem == "unreadable"
    assert readers.pdf(good).codes


def test_a_reader_that_does_not_finish_is_ended(place: Place) -> None:
    """The time limit holds, the next file is read by a new process."""
    good = certificate(NAME, place.png(place.issue(CERTIFICATE)))
    slow = Readers(1, seconds=0.005)
    began = time.monotonic()
    assert slow.pdf(good).problem == "unreadable"
    assert time.monotonic() - began < 2
    slow._seconds = 60.0
    assert slow.pdf(good).codes
    slow.close()


def test_a_picture_of_too_many_pixels_is_not_decoded(readers: Readers) -> None:
    """A few kilobytes of more pixels than are taken."""
    out = BytesIO()
    Image.new("1", (6_500, 6_500)).save(out, "PNG")
    assert readers.picture(out.getvalue()).problem == "too-large"


@pytest.mark.parametrize("wrong", [b"", b"{}", b"[]", b'{"codes":[["x",-1]],"attachments":[],"pages":[],"more":false,"problem":""}',
                                   b'{"codes":[],"attachments":[["a","!"]],"pages":[],"more":false,"problem":""}',
                                   b'{"codes":[],"attachments":[],"pages":[],"more":0,"problem":""}',
                                   b'{"codes":[],"attachments":[],"pages":[],"more":false,"problem":"x"}'])  # fmt: skip
def test_a_reader_that_was_taken_over_is_not_believed(wrong: bytes) -> None:
    """What comes from the other process is read as strictly as what a stranger sends."""
    with pytest.raises(MalformedError):
        Paper.from_bytes(wrong)

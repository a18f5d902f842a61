"""How papers look is data of a pack: bound by digests, checked as a whole, and kept or refused as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from issuer_app.ledger import Issued
from issuer_app.papers import pdf_of, picture_of
from issuer_app.papers.face import face_of
from issuer_app.papers.look import ACCENT, Look, digest_of, install, look_of, read_look
from tests.issuer_app.house import PACKS, pack
from tests.issuer_app.papers import pdf
from tests.issuer_app.papers.conftest import Workshop
from weid.codec import unmultibase
from weid.errors import IssueError, MalformedError
from weid.pack import Pack, read_pack

SHEET = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 210 297"><rect width="210" height="297" fill="#fff8ee"/>
<text x="105" y="60" font-size="14" text-anchor="middle" fill="#203040" data-width="160">{{credentialSubject.holderName}}</text>
<text x="20" y="90" font-size="6" fill="#203040" data-width="80" data-lines="3">{{label.skill}}: {{shown.skill}}</text>
<image href="{{code}}" x="20" y="200" width="SIDE" height="SIDE"/><image href="{{seal}}" x="150" y="210" width="40" height="50"/></svg>"""


def with_render(change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> Pack:
    """The pack of the repository with its render section changed."""
    files = dict(pack("certificate-authority").files)
    section = json.loads(files["render.json"])
    change(section, files)
    files["render.json"] = json.dumps(section).encode()
    return read_pack(files)


def with_sheet(text: str) -> Pack:
    def put(section: dict[str, Any], files: dict[str, bytes]) -> None:
        data = text.encode()
        files["templates/sheet.svg"] = data
        section["kinds"] = {"skill-certificate": {"sheet": {"file": "templates/sheet.svg", "digest": digest_of(data)}}}

    return with_render(put)


@pytest.mark.parametrize("name", sorted(path.name for path in PACKS.iterdir()))
def test_the_look_of_every_pack_is_usable(name: str, tmp_path: Path) -> None:
    """Each pack that comes with this project can be taken over by a desk."""
    install(tmp_path, pack(name))
    assert (tmp_path / "papers" / "render.json").exists()


def test_digests_are_multihashes_in_multibase() -> None:
    """As VC Data Integrity 2.6 writes them: SHA-256, base58btc."""
    raw = unmultibase(digest_of(b"abc"))
    assert raw[:2] == b"\x12\x20"
    assert raw[2:].hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_desk_without_a_look_draws_one_of_its_own(tmp_path: Path, workshop: Workshop, row: Issued) -> None:
    """Nothing has to be set up."""
    look = look_of(tmp_path, workshop.desk.schema(row.schema, workshop.house.now))
    assert (look.accent, look.templates, look.rows) == (ACCENT, {}, None)


def _digest(section: dict[str, Any], files: dict[str, bytes]) -> None:
    files["images/seal.svg"] += b" "


def _outside(section: dict[str, Any], files: dict[str, bytes]) -> None:
    section["page"]["seal"]["file"] = "../desk/party.json"


def _hidden(section: dict[str, Any], files: dict[str, bytes]) -> None:
    section["page"]["seal"]["file"] = "images/.key"


def _missing(section: dict[str, Any], files: dict[str, bytes]) -> None:
    del files["images/seal.svg"]


def _member(section: dict[str, Any], files: dict[str, bytes]) -> None:
    section["page"]["script"] = "x"


def _colour(section: dict[str, Any], files: dict[str, bytes]) -> None:
    section["page"]["accent"] = 'red"/><script>'


def _language(section: dict[str, Any], files: dict[str, bytes]) -> None:
    del section["page"]["says"]["pt"]


def _picture(section: dict[str, Any], files: dict[str, bytes]) -> None:
    files["images/seal.svg"] = b"GIF89a" + bytes(50)
    section["page"]["seal"]["digest"] = digest_of(files["images/seal.svg"])


def _bomb(section: dict[str, Any], files: dict[str, bytes]) -> None:
    from PIL import Image

    out = BytesIO()
    Image.new("L", (9_000, 10)).save(out, format="PNG")
    files["images/seal.svg"] = out.getvalue()
    section["page"]["seal"]["digest"] = digest_of(out.getvalue())


@pytest.mark.parametrize(
    "change, code",
    [(_digest, "digest-mismatch"), (_outside, "bad-look"), (_hidden, "bad-look"), (_missing, "bad-look"), (_member, "bad-look"),
     (_colour, "bad-look"), (_language, "malformed"), (_picture, "bad-look"), (_bomb, "too-large")],
)  # fmt: skip
def test_a_bad_look_is_refused_and_nothing_of_it_is_kept(
    change: Callable[[dict[str, Any], dict[str, bytes]], None], code: str, tmp_path: Path
) -> None:
    """The one before stays."""
    install(tmp_path, pack("certificate-authority"))
    before = {path: path.read_bytes() for path in (tmp_path / "papers").rglob("*") if path.is_file()}
    with pytest.raises(MalformedError) as refused:
        install(tmp_path, with_render(change))
    assert refused.value.code == code
    assert {path: path.read_bytes() for path in (tmp_path / "papers").rglob("*") if path.is_file()} == before


def test_a_file_changed_in_the_folder_is_found_out(tmp_path: Path) -> None:
    """A seal that somebody exchanged on the disk is not printed."""
    install(tmp_path, pack("certificate-authority"))
    files = {
        path.relative_to(tmp_path / "papers").as_posix(): path.read_bytes()
        for path in (tmp_path / "papers").rglob("*")
        if path.is_file()
    }
    files["images/seal.svg"] = files["images/seal.svg"].replace(b"8f1d22", b"000000")
    with pytest.raises(MalformedError) as refused:
        read_look(files, "skill-certificate")
    assert refused.value.code == "digest-mismatch"


def test_a_photograph_as_seal_is_drawn_anew(tmp_path: Path) -> None:
    """What else a JPEG carries (place, device, thumbnails) does not travel on."""
    from PIL import Image

    out = BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "a private remark"
    Image.new("RGB", (40, 30), "red").save(out, format="JPEG", exif=exif)

    def put(section: dict[str, Any], files: dict[str, bytes]) -> None:
        files["images/seal.jpg"] = out.getvalue()
        section["page"]["seal"] = {"file": "images/seal.jpg", "digest": digest_of(out.getvalue())}

    seal = read_look(with_render(put).files, "skill-certificate").seal or ""
    assert seal.startswith("<svg")
    assert b"private" in out.getvalue()
    assert "private" not in seal


def test_a_template_is_followed_and_its_texts_are_real(workshop: Workshop, row: Issued) -> None:
    """The drawing behind, the words as text in the languages' fonts, the file inside, the code at its size."""
    from issuer_app import selfcheck

    folder, desk, now = workshop.desk.party.folder, workshop.desk, workshop.house.now
    try:
        install(folder, with_sheet(SHEET.replace("SIDE", "60")))
        data, code = pdf_of(desk, row, ("zh-Hans",), at=now), selfcheck.draw(row, "v.example")
        assert "王小明" in pdf.text(data)
        assert "职业技能: 区块链应用操作员" in pdf.text(data)
        assert all(embedded for _, embedded in pdf.fonts(data))
        assert pdf.images_without_words(data) == 0
        assert pdf.attachments(data) == {"certificate.json": row.file}
        assert pdf.code_mm(data, code.modules, code.text) >= 0.5
        long = pdf_of(desk, workshop.issue(holderName="W" * 60), ("en",), at=now)
        assert pdf.pages(long) == [(210.0, 297.0)]
        install(folder, with_sheet(SHEET.replace("SIDE", "25")))
        with pytest.raises(IssueError) as refused:
            pdf_of(desk, row, ("en",), at=now)
        assert refused.value.code == "code-too-small"
        install(folder, with_sheet(SHEET.replace("SIDE", "60").replace("0 0 210 297", "0 0 210 210")))
        with pytest.raises(MalformedError):
            pdf_of(desk, row, ("en",), at=now)
    finally:
        install(folder, pack("certificate-authority"))


def test_a_template_names_nothing_but_what_the_certificate_has(tmp_path: Path) -> None:
    """A gap that would stay empty is found when the look is taken over, not on somebody's certificate."""
    with pytest.raises(MalformedError, match=r"credentialSubject\.salary") as refused:
        install(
            tmp_path, with_sheet(SHEET.replace("SIDE", "60").replace("credentialSubject.holderName", "credentialSubject.salary"))
        )
    assert refused.value.code == "bad-look"
    assert not (tmp_path / "papers").exists()


def test_a_template_may_be_a_picture_card_too(workshop: Workshop, row: Issued) -> None:
    """The colour and artwork of a kind stand beside the words, never instead of them."""
    from credentials import picture
    from issuer_app import selfcheck

    look = read_look(pack("health-code").files, "mo-health-code")
    assert look.colour({"status": "GREEN"}) != look.colour({"status": "RED"})
    assert look.colour({}) == ACCENT
    data = picture_of(workshop.desk, row, "card", at=workshop.house.now)
    assert picture.read(data) == (selfcheck.draw(row, "v.example").text,)


def test_files_name_published_templates_and_the_desk_serves_them(workshop: Workshop) -> None:
    """A pack that publishes its templates: new files carry the digest, and whoever asks for it gets those bytes, for good."""
    folder = workshop.desk.party.folder

    def publish(section: dict[str, Any], files: dict[str, bytes]) -> None:
        files["templates/sheet.svg"] = data
        named = {"file": "templates/sheet.svg", "digest": digest_of(data)}
        section["kinds"] = {"skill-certificate": {"sheet": named, "published": True}}

    data = SHEET.replace("SIDE", "60").encode()
    try:
        install(folder, with_render(publish))
        row = workshop.issue()
        assert json.loads(row.file)["renderMethod"][0]["template"]["digestMultibase"] == digest_of(data)
        assert workshop.house.verify(row.file).verdict == "valid-bearer"
    finally:
        install(folder, pack("certificate-authority"))
    http = workshop.house.app().test_client()
    served = http.get(f"/templates/{digest_of(data)}.svg")
    assert (served.data, served.content_type.partition(";")[0]) == (data, "image/svg+xml")
    for digest in (digest_of(b"other"), "..%2Frender", "x"):
        assert http.get(f"/templates/{digest}.svg").status_code == 404
    assert "renderMethod" not in json.loads(workshop.issue().file)


def test_the_page_on_a_phone_follows_the_look_and_leaves_nothing_out(workshop: Workshop, row: Issued) -> None:
    """ADR 29: large claims first, the list in its order, the rest after it; pictures as images, never as markup."""
    schema = workshop.desk.schema(row.schema, workshop.house.now)
    look = look_of(workshop.desk.party.folder, schema)
    face = face_of(schema, replace(look, title=("skill",), rows=("grade", "level")), row.claims)
    names = [claim.name for claim, _ in (*face.large, *face.rows)]
    assert names[:3] == ["skill", "grade", "level"]
    assert sorted(names) == sorted(row.claims)
    assert face.seal is not None
    assert face.seal.startswith("data:image/svg+xml;base64,")
    assert face_of(schema, Look(), row.claims).seal is None

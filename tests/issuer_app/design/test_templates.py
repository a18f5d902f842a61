"""Templates in the editor: what the strict reader refuses is said by element and line, what is wrong is never published."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import Image

from issuer_app.design import ready
from issuer_app.design.checking import faults
from issuer_app.design.drafts import Drafts
from issuer_app.design.examples import EXAMPLES, example
from issuer_app.design.making import pack_files
from issuer_app.design.parcel import unpacked
from issuer_app.design.plan import Plan
from issuer_app.design.templates import key_of, languages_of, use_of
from issuer_app.design.unmaking import plan_of
from issuer_app.papers.look import digest_of, look_of, read_look
from issuer_app.papers.svg import MAX_BYTES, SvgError, read_svg
from issuer_app.texts import table
from tests.issuer_app.design.conftest import Studio
from tests.issuer_app.design.test_pages import begun, form_of, published, send
from tests.issuer_app.house import Person
from tests.issuer_app.papers.test_svg import HOSTILE, svg
from weid.errors import MalformedError
from weid.pack import LANGUAGES

CARD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 108 135">
<rect width="108" height="135" fill="#f4f6f8"/>
{more}<image href="{{{{code}}}}" x="24" y="40" width="{side}" height="{side}"/>
</svg>"""
NUMBERS = count()


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """One for all: each test has a design of its own."""
    made = Studio(tmp_path_factory.mktemp("templates") / "house")
    yield made
    made.close()


@pytest.fixture(scope="module")
def anna(studio: Studio) -> Person:
    return Person(studio.app(form="10000 per minute", issue="10000 per minute"), "anna")


@pytest.fixture
def path(anna: Person) -> str:
    """The pages of a fresh design; English is read."""
    anna.language = "en"
    return begun(anna, name=f"club-award-{next(NUMBERS)}")


def held(studio: Studio, path: str) -> dict[str, bytes]:
    """The pictures and templates of a design."""
    drafts = Drafts(studio.desk.party.folder)
    found = drafts.get(path.rpartition("/")[2]).images
    drafts.close()
    return found


def card(more: str = "", side: int = 60) -> bytes:
    """A card for the award example: its public fields, and what a test adds."""
    names = ("personName", "contest", "prize", "awardedOn")
    lines = "".join(f'<text x="5" y="{8 + 7 * at}" font-size="4">{{{{shown.{name}}}}}</text>\n' for at, name in enumerate(names))
    return CARD.format(more=lines + more, side=side).encode()


def put(anna: Person, path: str, data: bytes, **form: str) -> Any:
    chosen = {"form": "card", "language": "", "file": (io.BytesIO(data), "own.svg"), **form}
    return send(anna, f"{path}/templates/", chosen)


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("like", ready.READY)
def test_every_ready_template_fits_every_example(name: str, like: str) -> None:
    """Nothing it says means nothing, no field that must be shown is left out, and the pack goes both ways."""
    plan = example(name)
    images = {ready.form_of(like): ready.made(like, plan)}
    assert faults(plan, images) == ()
    assert use_of(read_svg(images[ready.form_of(like)]), plan).missing == ()
    assert set(ready.title_of(like)) == set(LANGUAGES)
    assert plan_of(pack_files(plan, images)) == (plan, images)


def test_many_fields_stay_on_a_ready_page() -> None:
    """Rows come closer and smaller instead of running into the code."""
    plan = example("award")
    many = replace(plan, fields=tuple(replace(plan.fields[1], name=f"field{number}") for number in range(40)))
    for like in ready.READY:
        art = read_svg(ready.made(like, many))
        code = next(slot for slot in art.slots if slot.name == "code")
        rows = [box for box in art.boxes if any(name.startswith(("shown.", "label.")) for name in box.gaps)]
        assert len(rows) >= 40
        for box in rows:
            assert box.y < code.y or box.x + box.width < code.x


def test_what_is_refused_is_said_by_element_and_line(anna: Person, path: str) -> None:
    """In the viewer's language, with nothing kept; a web page is told from a broken drawing."""
    for data, words in (
        (card('<script>1</script>'), "Line 7: the element &lt;script&gt; is not allowed here"),
        (card('<rect onload="x()"/>'), "Line 7: &lt;rect&gt; may not have “onload”"),
        (card('<rect fill="url(https://e.example/a)"/>'), "as “fill” of &lt;rect&gt;"),
        (b"<!doctype html><html><body>Hello</body></html>", "This is a web page"),
        (b"<svg", "this is not plain XML"),
        (b" " * (MAX_BYTES + 1), "An SVG has at most 512 KB"),
        (card("<g>" * 30 + "</g>" * 30), "inside each other"),
        (card().replace(b"{{code}}", b"{{seal}}"), "no place for the code. Add one &lt;image&gt; whose href is {{code}}"),
        (b"", "Choose a file"),
    ):  # fmt: skip
        answer = put(anna, path, data)
        assert answer.status_code == 422
        assert words in answer.text, words
    anna.language = "zh-Hant"
    assert "第 7 行：此處不允許元素 &lt;script&gt;" in put(anna, path, card("<script>1</script>")).text
    assert not [name for name in unpacked(anna.get(f"{path}/pack.zip").data) if name.startswith("templates/")]


def test_every_reason_has_a_sentence_in_every_language() -> None:
    """Whatever the reader raises over its hostile examples can be said, with what fills the sentence."""
    reasons = {}
    for inside in [*HOSTILE.values(), '<text x="1mm" y="2">a</text>', '<image href="{{seal}}"/>', '<text text-anchor="up">a</text>',
                   '<text data-lines="99">a</text>']:  # fmt: skip
        with pytest.raises(SvgError) as refused:
            read_svg(svg(f'{inside}<image href="{{{{code}}}}" width="5" height="5"/>'))
        reasons[refused.value.reason] = refused.value.about
    assert len(reasons) > 15
    for language in LANGUAGES:
        for reason, about in reasons.items():
            assert table(language)[f"svg.{reason}"].format(**about)


def test_a_template_is_seen_kept_replaced_and_taken_out(studio: Studio, anna: Person, path: str) -> None:
    """Drawn by the holder's renderer; what it leaves out and what stands fixed in it are listed."""
    answer = put(anna, path, card('<text x="5" y="40" font-size="3">Certificado</text>'))
    assert answer.headers["Location"].endswith("/templates/card")
    page = anna.follow(answer).text
    assert "data:image/png;base64," in page
    assert re.search(r"It leaves out:.*School.*Title of the work", page, re.S)
    assert "<q>Certificado</q>" in page
    assert anna.get(f"{path}/templates/card/drawn.png").data.startswith(b"\x89PNG")
    longest = anna.post(f"{path}/templates/card", {**form_of(page), "preview": "yes", "values": "longest", "paper": "pt"})
    assert "card (1080 × 1350), a specimen in Português" in longest.text.lower().replace("português", "Português").replace(
        "picture ", ""
    )
    look = anna.post(f"{path}/templates/card", {**form_of(page), "preview": "yes", "file": (io.BytesIO(card("<a/>")), "x.svg")})
    assert "Line 7: the element &lt;a&gt;" in look.text
    saved = anna.get(f"{path}/templates/card/file.svg")
    assert (saved.data, saved.headers["Content-Disposition"][:10]) == (
        card('<text x="5" y="40" font-size="3">Certificado</text>'),
        "attachment",
    )
    other = card('<circle cx="5" cy="5" r="2"/>')
    again = send(anna, f"{path}/templates/card", {"file": (io.BytesIO(other), "b.svg")})
    assert again.status_code == 302
    assert held(studio, path) == {"card": other}
    send(anna, f"{path}/templates/card/remove", {}, page=f"{path}/templates/")
    assert held(studio, path) == {}
    assert anna.get(f"{path}/templates/card").status_code == 404


def test_a_template_of_one_language_stands_before_the_one_of_all(studio: Studio, anna: Person, path: str) -> None:
    """In the pack, in the look, and in what the page says it serves."""
    put(anna, path, card())
    own = card('<text x="5" y="40" font-size="3">Certificado</text>')
    assert put(anna, path, own, language="pt").headers["Location"].endswith("/templates/card.pt")
    files, name = unpacked(anna.get(f"{path}/pack.zip").data), path.rpartition("/")[2]
    assert files[f"templates/{name}-card-pt.svg"] == own
    look = read_look(files, name)
    assert [len(look.template("card", language).boxes) for language in LANGUAGES] == [4, 5, 4, 4]  # type: ignore[union-attr]
    assert look.template("sheet", "pt") is None
    assert languages_of("card", {"card": b"", "card.pt": b""}) == ("en", "zh-Hans", "zh-Hant")
    assert (key_of("card", "pt"), key_of("card", "fr"), key_of("flag", "")) == ("card.pt", None, None)
    plan, images = plan_of(files)
    assert pack_files(plan, images) == files


def test_what_is_wrong_with_a_template_is_said_before_anything_is_drawn() -> None:
    """A placeholder that is nothing, a field that must be shown, wrong proportions, a field taken out since."""
    plan = example("award")

    def keys(data: bytes, plan: Plan = plan) -> list[str]:
        return [fault.key for fault in faults(plan, {"card": data}) if fault.place == "template:card"]

    assert keys(card()) == []
    assert keys(card('<text x="1" y="9">{{shown.nothing}}</text>')) == ["design.fault-placeholder"]
    assert keys(CARD.format(more="", side=60).encode()) == ["design.fault-hides"] * 4
    assert keys(card().replace(b"108 135", b"108 108")) == ["svg.proportions"]
    assert keys(card(), plan.without("contest")) == ["design.fault-placeholder"]


def test_a_broken_template_is_never_published(studio: Studio, anna: Person, path: str) -> None:
    """What cannot be drawn is told on the last page, with what to change; mended, the same button works."""
    for data, words in (
        (card(side=20), "must be at least"),
        (card('<text x="1" y="9" font-size="3">\U00010f70</text>'), "No font of this machine has"),
    ):
        assert put(anna, path, data).status_code == 302
        assert words in anna.get(f"{path}/publish").text, words
        assert anna.post(f"{path}/publish", {}, page=f"{path}/basics").status_code == 409
    put(anna, path, card())
    digest = published(studio, anna, path)
    kept = look_of(studio.desk.party.folder, studio.desk.schema(digest, studio.now))
    assert kept.digests == {"card": digest_of(card())}


def test_pictures_that_no_pack_could_carry_are_refused(tmp_path: Path) -> None:
    """Each is small enough, both are not: the published version could not be read again."""
    drafts = Drafts(tmp_path)
    drafts.begin(example("award"))
    pictures = {}
    for seed, member in enumerate(("logo", "seal")):
        out = io.BytesIO()
        Image.frombytes("RGB", (600, 580), Random(seed).randbytes(600 * 580 * 3)).save(out, format="PNG")
        pictures[member] = out.getvalue()
    assert drafts.save(example("award"), 1, {"logo": pictures["logo"]}).revision == 2
    with pytest.raises(MalformedError) as refused:
        drafts.save(example("award"), 2, pictures)
    assert refused.value.code == "design-too-large"
    assert set(drafts.get("contest-award").images) == {"logo"}
    drafts.close()


@lru_cache(maxsize=1)
def _hostile_pack() -> dict[str, bytes]:
    files = pack_files(example("award"), {"card": card()})
    section = json.loads(files["render.json"])
    section["kinds"]["contest-award"]["languages"] = {"fr": {}}
    return {**files, "render.json": json.dumps(section).encode()}


def test_looks_by_language_are_read_strictly() -> None:
    """Only our languages, only the three forms, each bound by its digest."""
    with pytest.raises(MalformedError, match="languages has templates for"):
        read_look(_hostile_pack(), "contest-award")
    files = pack_files(example("award"), {"card.pt": card()})
    with pytest.raises(MalformedError) as refused:
        read_look({**files, "templates/contest-award-card-pt.svg": card(" ")}, "contest-award")
    assert refused.value.code == "digest-mismatch"


def test_by_command_the_same_folder(anna: Person, path: str, tmp_path: Path) -> None:
    """`weid pack init --card FILE --sheet ready:frame --seal …` writes what the pages export."""
    from click.testing import CliRunner

    from wallet_cli.pack import load_pack
    from wallet_cli.pack import pack as pack_command

    put(anna, path, card())
    send(anna, f"{path}/templates/", {"ready": "frame", "language": "pt"})
    (tmp_path / "card.svg").write_bytes(card())
    place = tmp_path / "made"
    words = ["init", path.rpartition("/")[2], "--like", "award", "--folder", str(place), "--template", f"card={tmp_path / 'card.svg'}",
             "--template", "sheet.pt=ready:frame"]  # fmt: skip
    done = CliRunner().invoke(pack_command, words)
    assert done.exit_code == 0, done.output
    assert dict(load_pack(place).files) == unpacked(anna.get(f"{path}/pack.zip").data)
    for wrong in ("card=ready:frame", "flag=x.svg", "card", "card=/nothing.svg"):
        assert CliRunner().invoke(pack_command, [*words[:-1], wrong]).exit_code == 2

"""The explorer: every page in every language, nothing but what is on the log, nothing that obeys, proofs to take away."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import Client

from registry import operations as ops
from registry.bodies import BODIES
from registry.node.explorer import CSP
from registry.node.explorer.words import SELF_NAMES, Speaker, choose, plain_json, texts
from registry.node.groups import Group, create_groups
from registry.node.service import create_node
from registry.rejections import CODES
from tests.browser import DESK, PHONE, chromium, flaws, only, serving, shot
from tests.registry.explored import explored
from tests.registry.world import World
from weid.codec import CALENDAR_END

LANGUAGES = tuple(SELF_NAMES)
NARROW, WIDE = {"width": 360, "height": 740}, {"width": 1920, "height": 1080}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = explored(tmp_path_factory.mktemp("explored"))
    yield made
    made.registry.close()


@pytest.fixture(scope="module")
def http(world: World) -> FlaskClient:
    return create_node(world.registry, explorer=True).test_client()


def pages(world: World) -> list[str]:
    """One of each page, and some more."""
    tables = world.registry.state.tables
    found = ["/", "/operations", "/operations?type=all", "/issuers", "/schemas", "/governance", "/recognitions"]
    found += [f"/operations/{n}" for n in range(world.registry.size)]
    found += [f"/issuers/{did}" for did in tables["issuer"]] + [f"/dids/{did}" for did in tables["did"]]
    return found + [f"/schemas/{digest}" for digest in tables["schema"]]


def text_of(page: str) -> str:
    return unescape(re.sub(r"<[^>]+>", " ", page))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_in_every_language(world: World, http: FlaskClient, language: str) -> None:
    """200, said in the language, no script, no other host, and every link of ours leads to a page."""
    seen: set[str] = set()
    for path in pages(world):
        answer = http.get(path, headers={"Accept-Language": language})
        assert answer.status_code == 200, path
        page = answer.get_data(as_text=True)
        assert f'<html lang="{language}">' in page
        assert answer.headers["Content-Language"] == language
        assert answer.headers["Content-Security-Policy"] == CSP
        assert "Set-Cookie" not in answer.headers
        assert "<script" not in page and "style=" not in page and " on" not in re.findall(r"<[^>]*\bon[a-z]+=", page)
        seen |= {unescape(link) for link in re.findall(r'(?:href|src)="([^"]+)"', page)}
    assert [link for link in seen if not link.startswith(("/", "#"))] == []
    for link in sorted(seen):
        answer = http.get(link.partition("#")[0] or "/")
        assert answer.status_code in (200, 303), link


def test_below_a_groups_path_everything_is_the_groups_own(world: World, tmp_path: Path) -> None:
    """Links, downloads and printed commands stay below the mount: beside it stands another registry with other proofs."""
    other = World(tmp_path, name="beside")
    other.commit()
    app = create_node(world.registry, explorer=True)
    beside = create_node(other.registry, explorer=True)
    mounted = Client(create_groups({"own": Group(world.registry, app, False)}, root=beside))
    links, commands = set(), set()
    for path in pages(world):
        page = mounted.get(f"/groups/own{path}").get_data(as_text=True)
        links |= {unescape(link) for link in re.findall(r'(?:href|src|action)="([^"]+)"', page)}
        commands |= set(re.findall(r"curl -fsS '?([^'\s]+?)'? -o", unescape(page)))
    assert [link for link in links if not link.startswith(("/groups/own/", "#"))] == []
    assert commands and [link for link in commands if not link.startswith("http://localhost/groups/own/v1/")] == []
    for link in (*(link for link in links if "/v1/" in link), *(urlsplit(link).path for link in commands)):
        answer = mounted.get(link)
        assert answer.status_code == 200, link
        assert answer.data == app.test_client().get(link.removeprefix("/groups/own")).data, link


def test_tables_of_words_are_whole() -> None:
    """The same keys and places in all four languages, a sentence for every result, a name for every type."""
    keys = {language: set(texts(language)) for language in LANGUAGES}
    assert all(keys["en"] == found for found in keys.values())
    for key, text in texts("en").items():
        fields = {name for _, name, _, _ in string.Formatter().parse(text) if name}
        for language in LANGUAGES:
            assert texts(language)[key].strip()
            assert {name for _, name, _, _ in string.Formatter().parse(texts(language)[key]) if name} == fields, key
    assert {f"code.{code}" for code in CODES} <= keys["en"]
    assert {f"type.{type}" for type in BODIES} <= keys["en"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_minute_without_a_date_hides_no_page(language: str) -> None:
    """A log from before the rule may hold one: it is shown as it stands."""
    for minute in (-1, CALENDAR_END, 1 << 62):
        assert Speaker(language).time(minute).replace("\u202f", "") == f"{minute} min"
    assert Speaker(language).time(CALENDAR_END - 1) == "9999-12-31 23:59 UTC"


def test_the_language_is_asked_for_or_the_browsers() -> None:
    """?lang= wins and stays; Accept-Language is read like the apps read it."""
    assert choose("pt", ["en"]) == "pt"
    assert choose("xx", ["zh-MO", "en"]) == "zh-Hant"
    assert choose(None, ["zh"]) == "zh-Hans"
    assert choose(None, ["fr", "pt-BR"]) == "pt"
    assert choose(None, []) == "en"


def test_a_language_asked_for_stays(http: FlaskClient) -> None:
    """Links carry it on, and it is no way to write into a link."""
    page = http.get("/operations?lang=pt&subject=x&_scheme=javascript").get_data(as_text=True)
    assert 'href="/governance?lang=pt"' in page
    assert "javascript" not in page


def test_what_strangers_wrote_is_shown_and_not_obeyed(world: World, http: FlaskClient) -> None:
    """R28: markup is escaped, characters that reorder text are written out, names stand isolated."""
    digest = next(key for key, record in world.registry.state.tables["schema"].items() if b"alert" in record.document)
    page = http.get(f"/schemas/{digest}").get_data(as_text=True)
    assert "<script>" not in page and "&lt;script&gt;" in page
    assert "\u202e" not in page and "\\u202e" in page
    did = next(iter(world.registry.state.tables["issuer"]))
    assert "<bdi>Example</bdi>" in http.get(f"/issuers/{did}").get_data(as_text=True)
    assert plain_json("a\u200bb\U000e0001\n") == '"a\\u200bb\\udb40\\udc01\\n"'


def test_the_list_is_filtered_and_paged(world: World, http: FlaskClient) -> None:
    """By type, by subject or author, newest first; the clock's entries only when asked for."""
    plain = text_of(http.get("/operations").get_data(as_text=True))
    assert "Right to issue given" in plain
    clockless = re.findall(r"<code class=\"soft\">([a-z.]+)</code>", http.get("/operations").get_data(as_text=True))
    assert clockless and not {"time.tick", "state.commit"} & set(clockless)
    everything = re.findall(r"<code class=\"soft\">([a-z.]+)</code>", http.get("/operations?type=all").get_data(as_text=True))
    assert len(everything) == world.registry.size
    votes = re.findall(r"<code class=\"soft\">([a-z.]+)</code>", http.get("/operations?type=gov.vote").get_data(as_text=True))
    assert set(votes) == {"gov.vote"}
    did = next(iter(world.registry.state.tables["issuer"]))
    about = http.get(f"/operations?subject={did}&type=all").get_data(as_text=True)
    assert 0 < len(re.findall(r'class="place"', about)) < world.registry.size
    assert "There is no such operation" in http.get("/operations?subject=nobody").get_data(as_text=True)


def test_pages_of_a_long_log_meet(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Following "older" shows every operation once, and new ones are taken up."""
    world = World(tmp_path_factory.mktemp("long"))
    author = world.author(world.register(world.actor()))
    http = create_node(world.registry, explorer=True).test_client()
    assert http.get("/operations").status_code == 200
    made = [ops.evidence_anchor(author, world.genesis.hash(bytes([n])), "f").data for n in range(120)]
    world.registry.submit(made)
    seen, path = [], "/operations"
    while path:
        page = http.get(path).get_data(as_text=True)
        seen += [int(text) for text in re.findall(r'class="place">(\d+)<', page)]
        found = re.search(r'rel="next" href="([^"]+)"', page)
        path = unescape(found[1]) if found else ""
    assert seen == list(reversed(range(121)))
    world.registry.close()


def test_a_refused_operation_says_why(world: World, http: FlaskClient) -> None:
    """The sentence of its code, in the reader's language, beside the code."""
    at = world.registry.results.index("beyond-grant")
    assert "Nobody gives more than they were given" in text_of(http.get(f"/operations/{at}").get_data(as_text=True))
    assert "不能超过自身所得" in http.get(f"/operations/{at}?lang=zh-Hans").get_data(as_text=True)


def test_who_gave_a_right_is_shown_to_the_committee(world: World, http: FlaskClient) -> None:
    """The delegate, and the member above it; the auditor's office by the vote that gave it."""
    first, second = world.registry.state.tables["issuer"]
    page = text_of(http.get(f"/issuers/{second}").get_data(as_text=True))
    assert page.index("Delegate, who has it from:") < page.index(first) < page.index("Member of the committee")
    page = text_of(http.get("/governance").get_data(as_text=True))
    for word in ("Being voted on", "Done", "Taken back", "In favour", "Against", "1 in favour, 1 against, 3 not voted; needed 4"):
        assert word in page


def test_anything_is_found(world: World, http: FlaskClient) -> None:
    """A number, a DID or key id, a digest of a schema, an operation's id."""
    tables = world.registry.state.tables
    did, digest = next(iter(tables["issuer"])), next(iter(tables["schema"]))
    id = next(iter(world.registry.state.seen)).hex()
    wanted = {"3": "/operations/3", did: f"/issuers/{did}", f"{did}#key-1": f"/issuers/{did}", digest: f"/schemas/{digest}",
              id: "/operations/0", world.admin.did: f"/dids/{world.admin.did}"}  # fmt: skip
    for text, place in wanted.items():
        assert http.get("/find", query_string={"q": text}).location == place
    assert "subject=nothing" in http.get("/find?q=nothing").location


@pytest.mark.parametrize(
    "path, status",
    [("/operations/99999", 404), ("/operations/x", 404), ("/dids/did:weid:1:0x00", 404), ("/issuers/nobody", 404),
     ("/schemas/00", 404), ("/nothing", 404), ("/operations?before=x", 404), ("/dids/{did}?version=9", 404),
     ("/find?q=" + "9" * 400, 303)],
)  # fmt: skip
def test_what_is_not_there_is_a_page(world: World, http: FlaskClient, path: str, status: int) -> None:
    """404 with words, under the same protections; the API keeps its own answers."""
    answer = http.get(path.replace("{did}", world.admin.did))
    assert answer.status_code == status
    assert answer.headers["Content-Security-Policy"] == CSP
    assert http.get("/v1/nothing").status_code == 404
    assert "<html" not in http.get("/v1/entries/x").get_data(as_text=True)


def test_without_it_nothing_is_served(world: World) -> None:
    """An embedded node has no pages."""
    assert create_node(world.registry).test_client().get("/").status_code == 404


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.long)])
@pytest.mark.long
def test_pages_in_a_browser(world: World, scheme: str) -> None:
    """Four widths, no sideways scrolling, no foreign request, no fault of access, in both colour schemes."""
    tables = world.registry.state.tables
    shown = {
        "overview": "/", "operations": "/operations", "issuers": "/issuers", "schemas": "/schemas",
        "governance": "/governance", "recognitions": "/recognitions", "operation": "/operations/11",
        "issuer": f"/issuers/{list(tables['issuer'])[1]}", "did": f"/dids/{next(iter(tables['issuer']))}",
        "schema": f"/schemas/{next(iter(tables['schema']))}",
    }  # fmt: skip
    with serving(create_node(world.registry, explorer=True)) as address, chromium() as browser:
        for size, language in zip((NARROW, PHONE, DESK, WIDE), ("pt", "zh-Hant", "en", "zh-Hans"), strict=True):
            context = browser.new_context(viewport=size, color_scheme=scheme, java_script_enabled=True)
            page = context.new_page()
            for name, path in shown.items():
                with only(page, address):
                    page.goto(f"{address}{path}?lang={language}")
                assert flaws(page) == [], (name, size)
                shot(page, f"explorer-{name}-{size['width']}-{scheme}")


@pytest.mark.browser
def test_the_keyboard_reaches_everything(world: World) -> None:
    """The first stop is the way past the head, and focus is seen."""
    with serving(create_node(world.registry, explorer=True)) as address, chromium() as browser:
        page = browser.new_context(viewport=DESK).new_page()
        page.goto(f"{address}/?lang=en")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('main') !== null")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"

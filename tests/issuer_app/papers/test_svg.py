"""Artwork from outside: what a template may draw, and everything it may not do."""

from __future__ import annotations

import random

import pytest

from issuer_app.papers.svg import MAX_BYTES, read_svg
from weid.errors import MalformedError

CODE = '<image href="{{code}}" x="10" y="10" width="50" height="50"/>'


def svg(inside: str, head: str = 'viewBox="0 0 100 125"') -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" {head}>{inside}</svg>'.encode()


GOOD = svg(
    '<defs><linearGradient id="a"><stop offset="0" stop-color="#fff"/></linearGradient><clipPath id="c"><circle r="5"/></clipPath></defs>'
    '<g transform="translate(1 2) rotate(3)" clip-path="url(#c)"><path d="M0 0L1e1 1.5-2z" fill="url(#a)"/></g>'
    f'<g fill="none"><rect width="10" height="5" rx="1"/></g>{CODE}'
    '<text x="50" y="90" font-size="8" text-anchor="middle" font-weight="bold" fill="#102030" data-width="80" '
    'data-lines="2">No. {{ credentialSubject.number }}</text>'
)
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "script in a group": "<g><script href='https://e.example/x.js'/></g>",
    "foreign object": "<foreignObject><body xmlns='http://www.w3.org/1999/xhtml'/></foreignObject>",
    "style element": "<style>@import url(https://e.example/x.css)</style>",
    "style attribute": '<rect style="fill:url(https://e.example/x)"/>',
    "event handler": '<rect onload="alert(1)"/>',
    "handler in another case": '<rect onClick="alert(1)"/>',
    "link": '<a href="javascript:alert(1)"><rect/></a>',
    "external picture": '<image href="https://e.example/x.png" width="1" height="1"/>',
    "file": '<image href="file:///etc/passwd" width="1" height="1"/>',
    "picture inside": '<image href="data:image/png;base64,AAAA" width="1" height="1"/>',
    "xlink": '<image xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="{{code}}" width="1" height="1"/>',
    "use": '<use href="#x"/>',
    "external paint": '<rect fill="url(https://e.example/x.svg#a)"/>',
    "paint that is not there": '<rect fill="url(#nothing)"/>',
    "animation": '<animate attributeName="x" to="1"/>',
    "set": '<rect><set attributeName="onload" to="alert(1)"/></rect>',
    "filter": '<filter id="f"><feImage href="https://e.example"/></filter>',
    "pattern": '<pattern id="p"><rect/></pattern>',
    "mask": '<mask id="m"/>',
    "metadata": "<metadata>who drew it</metadata>",
    "foreign namespace": '<x:rect xmlns:x="http://e.example/ns"/>',
    "foreign attribute": '<rect xmlns:i="http://inkscape.org/ns" i:label="x"/>',
    "svg inside": '<svg viewBox="0 0 1 1"/>',
    "huge number in a path": '<path d="M0 0L1e9 1e9"/>',
    "long number in a path": '<path d="M0 0L123456789 1"/>',
    "infinite number": '<path d="M0 0L1e999 1"/>',
    "words in a path": '<path d="M0 0 javascript:1"/>',
    "path of very many steps": f'<path d="M0 0{"l1 1" * 40_000}"/>',
    "very many elements": "<rect/>" * 5_000,
    "very deep": "<g>" * 40 + "</g>" * 40,
    "the same id twice": '<g id="x"/><g id="x"/>',
    "text that is turned": '<text x="1" y="1" transform="rotate(90)">a</text>',
    "text in a moved group": '<g transform="scale(0)"><text x="1" y="1">a</text></g>',
    "text in a hidden group": '<g opacity="0"><text x="1" y="1">a</text></g>',
    "text in pieces": "<text><tspan>a</tspan></text>",
    "text outside a text": "<g>hello</g>",
    "section of mustache": '<text x="1" y="1">{{#credentialSubject}}a{{/credentialSubject}}</text>',
    "unescaped mustache": '<text x="1" y="1">{{{name}}}</text>',
    "partial": '<text x="1" y="1">{{&gt; file}}</text>',
    "half a gap": '<text x="1" y="1">{{name</text>',
    "gap in an attribute": '<rect fill="{{credentialSubject.colour}}"/>',
    "invisible text": '<text x="1" y="1">a\u202eb</text>',
    "bidi override written as a reference": '<text x="1" y="1">a&#x202E;b</text>',
    "text with a paint": '<text x="1" y="1" fill="url(#a)">a</text>',
    "font by address": '<text x="1" y="1" font-family="url(x)">a</text>',
    "two codes": CODE,
}


def test_a_plain_template_is_read() -> None:
    """Shapes stay as they are; texts and pictures become places with numbers."""
    art = read_svg(GOOD)

    assert (art.width, art.height) == (100, 125)
    assert [slot.name for slot in art.slots] == ["code"]
    (box,) = art.boxes
    assert (box.x, box.y, box.size, box.width, box.lines, box.anchor, box.bold) == (50, 90, 8, 80, 2, "middle", True)
    assert box.gaps == ("credentialSubject.number",)
    assert box.filled({"credentialSubject.number": "<b>&{{x}}"}) == "No. <b>&{{x}}"
    assert "text" not in art.art
    assert "image" not in art.art


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_not_on_the_lists_is_refused(name: str) -> None:
    """By an error of ours that says what, never by repairing it."""
    with pytest.raises(MalformedError) as refused:
        read_svg(svg(HOSTILE[name] + CODE))
    assert refused.value.code == "bad-svg"


@pytest.mark.parametrize(
    "data",
    [
        b"", b"<", b"\xff\xfe<svg/>", b"<html/>", svg(""), svg(CODE, ""), svg(CODE, 'viewBox="0 0 0 5"'), svg(CODE, 'viewBox="0 0 1 99"'),
        svg(CODE, 'viewBox="5 5 100 125"'), svg(CODE, 'viewBox="0 0 100 125" onload="x"'),
        b'<!DOCTYPE svg [<!ENTITY a "b">]>' + svg(CODE),
        b'<!DOCTYPE svg SYSTEM "file:///etc/passwd">' + svg(CODE),
        b'<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + svg("<text x='1' y='1'>&b;</text>" + CODE),
        b'<?xml-stylesheet href="https://e.example/x.css"?><html/>',
    ],
)  # fmt: skip
def test_what_is_no_template_at_all_is_refused(data: bytes) -> None:
    """Nothing, other documents, entities and their bombs, no view box."""
    with pytest.raises(MalformedError) as refused:
        read_svg(data)
    assert refused.value.code == "bad-svg"


def test_size_is_capped_before_anything_is_parsed() -> None:
    """A picture of half a megabyte is refused for its length alone."""
    with pytest.raises(MalformedError) as refused:
        read_svg(b"<" + b" " * MAX_BYTES)
    assert refused.value.code == "too-large"


def test_a_logo_holds_shapes_only() -> None:
    """No words that nobody translated, and no places for other pictures."""
    assert read_svg(svg("<circle r='3'/>"), template=False).slots == ()
    for inside in (CODE, "<text x='1' y='1'>a</text>"):
        with pytest.raises(MalformedError):
            read_svg(svg(inside), template=False)


def test_no_change_of_a_good_template_escapes_our_errors() -> None:
    """Bytes changed, cut and doubled: read, or refused by MalformedError."""
    chance = random.Random(7)
    for _ in range(1_500):
        data = bytearray(GOOD)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(data))
            data[place : place + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
        try:
            art = read_svg(bytes(data))
        except MalformedError:
            continue
        assert "script" not in art.art

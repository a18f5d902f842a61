"""Words of the pages: the same keys in four languages, no text in templates, every shape drawn."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from credentials import wording
from credentials.verify import CHECK_IDS
from verifier_app.languages import LANGUAGES, choose, texts
from weid.records import REASONS

APP = Path(__file__).resolve().parents[2] / "verifier_app"
TEMPLATES = sorted((APP / "templates").rglob("*.html"))
CODE = "\n".join(path.read_text("utf-8") for path in [*TEMPLATES, *APP.rglob("*.py")])


def test_every_language_has_the_same_keys_and_gaps() -> None:
    """No page can lack a word, and no sentence a value."""
    english = texts("en")
    gaps = re.compile(r"\{(\w+)\}")
    for language in LANGUAGES:
        words = texts(language)
        assert set(words) == set(english), language
        for key, word in words.items():
            assert word.strip() == word
            assert word
            assert sorted(gaps.findall(word)) == sorted(gaps.findall(english[key])), (language, key)


def test_no_key_stands_in_two_files() -> None:
    """Which of two would be read is nobody's to know."""
    for language in LANGUAGES:
        parts = [APP / "texts" / f"{language}.json", *sorted((APP / "texts" / language).glob("*.json"))]
        counts = Counter(key for part in parts for key in json.loads(part.read_text("utf-8")))
        assert [key for key, count in counts.items() if count > 1] == []


def test_every_key_is_used_and_every_used_key_exists() -> None:
    """Keys written whole are looked up; families are built from a known beginning."""
    english = set(texts("en"))
    families = ("checkname.", "age.", "outcome.", "mode.", "refused.", "problem.", "challenge.state.", "trust.state.",
                "trust.bundle.", "trust.kind.", "typed.", "verdict.opened.", "values.", "check.mode.", "camera.", "reason.", "standing.",
                "batch.problem.", "transfer.problem.")  # fmt: skip
    for key in english:
        assert f'"{key}"' in CODE or f"'{key}'" in CODE or key.startswith(families), key
    for key in re.findall(r"""\bt\(["']([a-z.-]+[a-z])["'][,)]""", CODE):
        assert key in english, key


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_no_words(path: Path) -> None:
    """What people read comes from the texts, in elements and in attributes."""
    source = path.read_text("utf-8")
    plain = re.sub(r"\{[{%#].*?[%#}]\}", "", source, flags=re.S)
    shown = re.sub(r"<[^>]*>", "", plain, flags=re.S)
    assert re.findall(r"[^\W\d_]{2,}", shown.replace("&middot;", "")) == []
    for value in re.findall(r"""(?:alt|title|placeholder|aria-label)=["']([^"']*)["']""", plain):
        assert not re.search(r"[^\W\d_]", value), value


def test_every_verdict_has_its_own_drawing() -> None:
    """The shape named in the looks is drawn, and no two verdicts share an outline."""
    source = (APP / "templates" / "shapes.html").read_text("utf-8")
    drawn = dict(re.findall(r'name == "([a-z-]+)" %\}(.*?)(?=\{% elif|\{% endif)', source, flags=re.S))
    looks = {name: wording.verdict(name) for name in wording.verdict_names()}
    assert {look.shape for look in looks.values()} <= set(drawn)
    assert len(set(drawn.values())) == len(drawn)
    assert len({look.shape for look in looks.values()}) == len(looks)


def test_every_check_has_a_name() -> None:
    """The pipeline's ids are API: each has its name on the page."""
    assert [check for check in CHECK_IDS if f"checkname.{check}" not in texts("en")] == []


def test_every_reason_has_words() -> None:
    """Why a certificate was revoked is said in words, never as a code."""
    assert [reason for reason in REASONS if f"reason.{reason}" not in texts("en")] == []


def test_every_colour_has_a_style() -> None:
    """No verdict falls back to grey by accident."""
    style = (APP / "static" / "style.css").read_text("utf-8")
    for name in wording.verdict_names():
        colour = wording.verdict(name).colour
        assert colour == "grey" or f"[data-colour={colour}]" in style, colour


@pytest.mark.parametrize(
    ("asked", "remembered", "accepted", "expected"),
    [
        ("pt", "en", ("zh-CN",), "pt"),
        ("xx", "zh-Hant", ("en",), "zh-Hant"),
        (None, None, ("zh-TW", "en"), "zh-Hant"),
        (None, None, ("zh-MO",), "zh-Hant"),
        (None, None, ("zh-CN",), "zh-Hans"),
        (None, None, ("fr", "pt-BR"), "pt"),
        (None, None, ("fr",), "en"),
    ],
)
def test_the_language_is_the_one_asked_for(
    asked: str | None, remembered: str | None, accepted: tuple[str, ...], expected: str
) -> None:
    """?lang=, then the cookie, then what the browser accepts, then English."""
    assert choose(asked, remembered, accepted) == expected

"""What people read: complete in four languages, no literal in a template, every code a sentence."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC
from pathlib import Path

import pytest

import issuer_app
from issuer_app.scopes import SCOPES
from issuer_app.texts import Speaker, choose_language, table
from issuer_app.users import ROLES
from registry.rejections import CODES
from weid.pack import LANGUAGES
from weid.records import REASONS

HOME = Path(issuer_app.__file__).parent
TEMPLATES = sorted((HOME / "templates").rglob("*.html"))
INSIDE = frozenset({
    # what only another program could cause: the general sentence and the code for the administrator are enough
    "malformed", "unknown-type", "wrong-registry", "not-registered", "unknown-key", "wrong-suite", "bad-signature",
    "too-early", "bad-key-proof", "wrong-address", "key-number", "no-controller", "unknown-item", "time-in-future",
    "backwards-time", "wrong-digest", "not-yours", "wrong-seq", "register-shrank", "own-registry", "not-recognised",
    "stale-state", "wrong-state",
})  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text_with_the_same_gaps(language: str) -> None:
    """Same keys, nothing empty, the same {gaps} to fill."""
    english, own = table("en"), table(language)
    assert set(own) == set(english)
    for key, text in own.items():
        assert text.strip() or key == "app.colon"
        assert set(re.findall(r"\{(\w+)\}", text)) == set(re.findall(r"\{(\w+)\}", english[key])), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_key_stands_in_two_files(language: str) -> None:
    """Which of two would be read is nobody's to know."""
    parts = [HOME / "texts" / f"{language}.json", *sorted((HOME / "texts" / language).glob("*.json"))]
    counts = Counter(key for part in parts for key in json.loads(part.read_text("utf-8")))
    assert [key for key, count in counts.items() if count > 1] == []


def test_chinese_is_chinese() -> None:
    """No text was left in English by mistake, and the two scripts differ."""
    for language in ("zh-Hans", "zh-Hant"):
        left = [key for key, text in table(language).items() if not re.search(r"[\u4e00-\u9fff]", text)]
        assert left == ["app.colon"]
    assert table("zh-Hans")["app.name"] != table("zh-Hant")["app.name"]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds_a_bare_word(path: Path) -> None:
    """Outside {{ }} and tags there is nothing to read, nor in alt, title or label attributes."""
    text = re.sub(r"\{% set \w+ %\}.*?\{% endset %\}", "", path.read_text("utf-8"))  # attributes kept for reuse
    text = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "", text, flags=re.S)
    assert not re.findall(r'(?:alt|title|aria-label|placeholder)="[^"]*[A-Za-z\u4e00-\u9fff]', text)
    bare = re.sub(r"<[^>]*>", "", text)
    assert not re.findall(r"[A-Za-z\u4e00-\u9fff]{2,}", bare), path.name


def test_every_key_a_template_or_module_names_exists() -> None:
    """A missing key would be a KeyError in front of a person."""
    known = set(table("en"))
    used = set()
    for path in [*TEMPLATES, *HOME.rglob("*.py")]:
        used |= set(
            re.findall(r'(?:\bt|tell|speaker\(\)|Fault)\(\s*["\']([a-z][a-z0-9-]*\.[a-z0-9-]+)["\']', path.read_text("utf-8"))
        )
    assert {key for key in used if not key.endswith("-")} - known == set()
    families = {"reason": REASONS, "scope": SCOPES, "role": ROLES, "role-does": ROLES, "act": ("suspend", "lift", "revoke", "erase"),
                "state": ("valid", "suspended", "revoked", "expired", "right-now", "issuer-applied")}  # fmt: skip
    assert {f"{family}.{name}" for family, names in families.items() for name in names} <= known


def test_what_the_registry_can_say_to_a_person_has_a_sentence() -> None:
    """A refusal never reaches a person as a bare code."""
    speaker = Speaker("en", UTC)
    assert {code for code in CODES if not speaker.knows(code)} <= INSIDE
    assert "problem" not in speaker.problem("no-such-code")


@pytest.mark.parametrize(
    ("asked", "kept", "accepted", "found"),
    [
        ("zh-Hant", None, ["en"], "zh-Hant"), (None, "pt", ["en"], "pt"), (None, None, ["zh-CN", "en"], "zh-Hans"),
        (None, None, ["zh-HK"], "zh-Hant"), (None, None, ["fr", "pt-PT"], "pt"), ("xx", "../x", ["fr"], "en"),
    ],
)  # fmt: skip
def test_the_language_is_the_viewers(asked: str | None, kept: str | None, accepted: list[str], found: str) -> None:
    """?lang=, then the cookie, then the browser, then English."""
    assert choose_language(asked, kept, accepted) == found

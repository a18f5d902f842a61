"""Who gave the issuer its right: committee, ministry, association, in words of four languages, in page and command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from credentials.policy import Policy
from credentials.report import Report
from credentials.verify import verify
from registry import operations as ops
from registry.bundle import open_bundle
from registry.genesis import print_genesis
from tests import browser
from tests.registry.world import YEAR
from tests.verifier_app.places import CERTIFICATE, NAMES, Place, judge
from wallet_cli.__main__ import cli
from weid.codec import from_minutes, rfc3339
from weid.pack import LANGUAGES

MINISTRY = tuple((language, f"Ministry {language}") for language in LANGUAGES)


class Chain(Place):
    """committee → ministry (up to level 3, one further step) → association (up to level 2) → issuer (level 2)."""

    def accredit(self, digest: bytes) -> None:
        world, now = self.world, self.world.now
        self.ministry, self.association = world.register(world.actor()), world.register(world.actor())
        world.submit(ops.issuer_apply(world.author(self.ministry), MINISTRY, ()))
        give = (ops.issuer_delegate(world.author(world.admin), self.ministry.did, digest, level=3, depth=1, until=now + 3 * YEAR),
                ops.issuer_delegate(world.author(self.ministry), self.association.did, digest, level=2, depth=0, until=now + 2 * YEAR),
                ops.issuer_apply(world.author(self.issuer), NAMES, (digest,)),
                ops.issuer_approve(world.author(self.association), self.issuer.did, digest, level=2, until=now + YEAR))  # fmt: skip
        for operation in give:
            world.submit(operation)

    def report(self, data: bytes, **changes: Any) -> Report:
        facts = open_bundle(self.world.commit(), pin=self.world.pin, at=self.world.now, label="home")
        return verify(data, facts=facts, policy=Policy(**changes), at=from_minutes(self.world.now))


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    return Chain(tmp_path, "certificate-authority", "skill-certificate")


def test_the_report_names_every_link_with_level_and_period(chain: Chain) -> None:
    found, now = chain.report(chain.issue(CERTIFICATE).compact), chain.world.genesis.first_tick
    assert [(link.role, link.id, link.level) for link in found.path] == [
        ("member", chain.world.admin.did, None), ("delegate", chain.ministry.did, 3),
        ("delegate", chain.association.did, 2), ("issuer", chain.issuer.did, 2),
    ]  # fmt: skip
    assert [link.names.get("pt", "") for link in found.path[1:]] == ["Ministry pt", "", "Associação de FinTech"]
    assert found.path[1].until == now + 3 * YEAR and found.path[3].until == now + YEAR
    told = found.to_json()["accreditation"]
    assert isinstance(told, list) and told[2] == {
        "role": "delegate", "id": chain.association.did, "names": {}, "level": 2, "since": rfc3339(now),
        "until": rfc3339(now + 2 * YEAR),
    }  # fmt: skip


def test_an_ended_delegation_shows_its_end(chain: Chain) -> None:
    """The certificate stands or falls by its own checks; the path says which link ended and when."""
    made = chain.issue(CERTIFICATE).compact
    chain.world.tick(5)
    author = chain.world.author(chain.world.admin)
    chain.world.submit(ops.issuer_undelegate(author, chain.association.did, chain.schema.digest, "closed"))
    found = chain.report(made)
    ended = {link.id: link.ended for link in found.path}
    assert ended == {
        chain.world.admin.did: None, chain.ministry.did: None, chain.association.did: chain.world.now,
        chain.issuer.did: chain.world.now,
    }  # fmt: skip


def test_what_was_given_anew_since_is_not_what_stood_behind_it(chain: Chain) -> None:
    made = chain.issue(CERTIFICATE).compact
    chain.world.tick(5)
    author = chain.world.author(chain.world.admin)
    chain.world.submit(ops.issuer_undelegate(author, chain.ministry.did, chain.schema.digest, "closed"))
    end = chain.world.now + YEAR
    chain.world.submit(ops.issuer_delegate(author, chain.association.did, chain.schema.digest, level=9, depth=0, until=end))
    found = chain.report(made).path
    assert [(link.role, link.level) for link in found] == [("gone", None), ("issuer", 2)]


def test_a_forged_credential_tells_no_path(chain: Chain) -> None:
    """Of what nobody signed the report vouches for nothing, and proof alone asks for no right."""
    made = bytearray(chain.issue(CERTIFICATE).compact)
    made[-1] ^= 1
    assert chain.report(bytes(made)).to_json()["accreditation"] == []
    assert chain.report(chain.issue(CERTIFICATE).compact, require_accreditation=False).path == ()


WORDS = {"en": ("Who gave the right", "up to level 3"), "pt": ("Quem deu o direito", "até ao nível 3"),
         "zh-Hans": ("授权来源", "最高 3 级"), "zh-Hant": ("授權來源", "最高 3 級")}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_and_command_tell_it_in_words(chain: Chain, language: str, tmp_path: Path) -> None:
    data = chain.issue(CERTIFICATE).compact
    page = judge(chain.client(), chain.text(data), language=language)
    assert all(word in page for word in (*WORDS[language], f"Ministry {language}", chain.association.did))
    state, code = tmp_path / "state", tmp_path / "code"
    (tmp_path / "genesis").write_bytes(print_genesis(chain.world.genesis))
    (tmp_path / "bundle").write_bytes(chain.world.commit())
    code.write_text(chain.text(data), encoding="utf-8")
    run = CliRunner(env={"WEID_HOME": str(state)})
    for words in (["trust", "add", str(tmp_path / "genesis")], ["trust", "import", str(tmp_path / "bundle"), *AT(chain)]):
        assert run.invoke(cli, words).exit_code == 0
    told = run.invoke(cli, ["verify", str(code), "--lang", language, *AT(chain)])
    assert told.exit_code == 0, told.output
    assert all(word in told.stderr for word in (*WORDS[language], f"Ministry {language}", chain.association.did))


def AT(chain: Chain) -> list[str]:
    return ["--at", rfc3339(chain.world.now)]


@pytest.mark.browser
def test_the_path_reads_well_on_a_phone(chain: Chain) -> None:
    with browser.serving(chain.app()) as address, browser.chromium() as chrome, browser.only(page := chrome.new_page(
        viewport=browser.PHONE, locale="en"), address):  # fmt: skip
        page.goto(f"{address}/")
        page.fill("textarea", chain.text(chain.issue(CERTIFICATE).compact))
        page.click("form:has(textarea) button")
        page.click("details.path summary")
        browser.shot(page, "path-390")
        assert page.locator("details.path li").count() == 4
        assert browser.flaws(page) == []

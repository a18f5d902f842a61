"""What the documents say is what the code does: examples, tables, commands, links, names (run `make docs` to refresh)."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from pathlib import Path
from urllib.parse import unquote

import click
import pytest

from credentials import bbs_2023, carrier, compact, wording
from credentials.bbs import BbsPublicKey
from credentials.data_integrity import read_proof
from credentials.policy import Policy
from credentials.presentation import read_challenge
from credentials.vcdm import file_bytes, read_file
from credentials.verdicts import VERDICTS
from credentials.verify import CHECK_IDS, verify
from registry.bundle import open_bundle, parse_bundle, print_bundle
from registry.checkpoint import parse_checkpoint, print_checkpoint
from registry.genesis import parse_genesis, print_genesis
from registry.node.service import blueprint
from registry.note import parse_note, print_note
from registry.operations import read_entry
from registry.rejections import CODES
from registry.signer import HighWater
from registry.snapshot import parse_snapshot, print_snapshot
from registry.statement import parse_statement, print_statement
from tests import spec_examples, spec_tables
from wallet_cli.__main__ import cli
from wallet_cli.cases import read_cases
from wallet_cli.pack import load_pack
from wallet_cli.steps import VERBS
from weid import cbor
from weid.canon import jcs, parse_json
from weid.codec import from_minutes
from weid.hashes import SHA256
from weid.signing import CONTEXTS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
SPEC = DOCS / "spec"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
PACKS = sorted(path.parent for path in ROOT.glob("packs/*/pack.json"))
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REFRESH = "run `make docs` and look at what changed"


def text(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


def block_of(page: str, name: str) -> str:
    return spec_examples.blocks(SPEC / page)[name]


def bytes_of(page: str, name: str) -> bytes:
    return bytes.fromhex(block_of(page, name))


# -- examples ---------------------------------------------------------------------------------------------------------


def test_examples_are_what_the_code_makes() -> None:
    """Every named example stands in one page, word for word as the code prints it now."""
    known = spec_examples.examples()
    printed = {name: held for page in spec_examples.pages() for name, held in spec_examples.blocks(page).items()}
    assert set(printed) - set(known) == {"schema"}
    assert set(known) - set(printed) == set()
    for name, content in known.items():
        assert printed[name] == content, f"{name}: {REFRESH}"


def test_example_files_are_what_the_code_makes() -> None:
    made = spec_examples.files()
    held = {path.name: path.read_bytes() for path in spec_examples.FILES.iterdir() if path.suffix != ".md"}
    assert held == made, REFRESH


def test_tables_are_what_the_code_says() -> None:
    """Checks, verdicts, operations, rejections and records are printed from the code; of errors the codes."""
    known, seen = spec_tables.tables(), set()
    for page in spec_examples.pages():
        for name, content in spec_tables.TABLE.findall(page.read_text("utf-8")):
            seen.add(name)
            if name == "errors":
                assert first_cells(content) == first_cells(known[name]), f"{page.name}: {name}: {REFRESH}"
            else:
                assert content == known[name], f"{page.name}: {name}: {REFRESH}"
    assert seen == set(known)


def test_counts_of_suites_add_up() -> None:
    """Passed, failed and skipped make the whole, and each failure and skip has a reason of its own words."""
    measured = [run for group in spec_tables.runs().values() for run in group]
    assert len({(run.suite, run.variant) for run in measured}) == len(measured) > 0
    for run in measured:
        counts = (run.counted, run.executed, run.passed, run.failed, run.skipped)
        assert all(type(count) is int and count >= 0 for count in counts) and run.passed > 0, run
        assert (run.counted, run.executed) == (run.executed + run.skipped, run.passed + run.failed), run
        for reasons, total in ((run.failures, run.failed), (run.skips, run.skipped)):
            assert sum(tests for tests, _ in reasons) == total, run
            assert all(tests > 0 and why.strip().endswith(".") and len(why) > 20 for tests, why in reasons), run
        assert re.fullmatch(r"[0-9a-f]{7}", run.commit) and date.fromisoformat(run.date), run


def first_cells(table: str) -> list[str]:
    return [line.split("|")[1].strip() for line in table.splitlines()]


@pytest.mark.parametrize(
    "page, name",
    [("operations.md", "entry"), ("operations.md", "key-proof"), ("compact-code.md", "compact"),
     ("compact-code.md", "preimage"), ("compact-code.md", "disclosed"), ("compact-code.md", "challenge")],
)  # fmt: skip
def test_cbor_examples_decode_and_encode_to_themselves(page: str, name: str) -> None:
    data = bytes_of(page, name)
    assert cbor.encode(cbor.decode(data)) == data


def test_the_cbor_page_prints_one_value_twice() -> None:
    shown, octets = BLOCK.findall(text("docs/spec/cbor.md"))[0][1].strip().split("\n")
    assert cbor.decode(bytes.fromhex(octets)) == (1, -2, "é", b"\x00\xff", (True, False, None))
    assert shown == "[1, -2, \"é\", h'00ff', [true, false, null]]"


def test_the_log_examples_are_one_log() -> None:
    """Genesis, entry, notes and mark decode, encode to themselves and belong together."""
    data = print_genesis(parse_genesis(jcs(parse_json(block_of("operations.md", "genesis").encode()))))
    genesis = parse_genesis(data)
    assert block_of("operations.md", "genesis-digest").split("\n")[0] == SHA256(data).hex()
    entry = read_entry(bytes_of("operations.md", "entry"), hash=SHA256)
    assert entry.id.hex() == block_of("operations.md", "op-id").strip()
    assert entry.operation.genesis == genesis.digest
    for name in ("checkpoint", "statement"):
        note = block_of("operations.md", name).encode()
        parsed = parse_note(note)
        assert print_note(parsed) == note
        if name == "checkpoint":
            assert print_checkpoint(parse_checkpoint(parsed.text)) == parsed.text
        else:
            assert print_statement(parse_statement(parsed.text)) == parsed.text
    mark = block_of("operations.md", "mark").encode()
    assert HighWater.from_bytes(mark).to_bytes() == mark


def test_the_bundle_example_opens_and_prints_itself() -> None:
    data = (spec_examples.FILES / "library.bundle").read_bytes()
    bundle = parse_bundle(data)
    assert print_bundle(bundle) == data
    assert print_snapshot(parse_snapshot(bundle.snapshot)) == bundle.snapshot
    pin = SHA256((spec_examples.FILES / "genesis.json").read_bytes())
    assert open_bundle(data, pin=pin, at=spec_examples.START + 15).snapshot.size == 8


def test_code_and_file_verify_with_the_bundle() -> None:
    """The printed code, the bytes, the cut code and the file, by the example bundle: all genuine, one credential."""
    pin = SHA256((spec_examples.FILES / "genesis.json").read_bytes())
    bundle = (spec_examples.FILES / "library.bundle").read_bytes()
    facts = open_bundle(bundle, pin=pin, at=spec_examples.START + 15)
    at = from_minutes(spec_examples.START + 15)
    printed = block_of("compact-code.md", "carrier").replace("\n", "")
    assert carrier.from_text(printed).data == bytes_of("compact-code.md", "compact")
    file = file_bytes(parse_json(block_of("file.md", "file").encode()))  # type: ignore[arg-type]
    assert file_bytes(read_file(file).document) == file
    ids = set()
    for data in (printed.encode(), bytes_of("compact-code.md", "compact"), bytes_of("compact-code.md", "disclosed"), file):
        report = verify(data, facts=facts, at=at)
        assert (report.verdict, report.exit_code) == ("valid-bearer", 0)
        assert report.presented is not None
        ids.add(report.presented.id)
    assert len(ids) == 1
    assert next(iter(ids)).endswith(block_of("compact-code.md", "cid").strip())
    assert json.loads(block_of("verification.md", "report")) == verify(printed.encode(), facts=facts, at=at).to_json()


def test_the_shown_example_verifies() -> None:
    """The disclosed credential of the page, with the key its issuer's name spells."""
    shown = parse_json(block_of("disclosure.md", "shown").encode())
    assert isinstance(shown, dict)
    key = BbsPublicKey.from_multikey(str(shown["issuer"]).removeprefix("did:key:"))
    bbs_2023.verify(shown, read_proof(shown), key, "assert", presentation_header=b"nonce")


def test_compact_examples_read_strictly() -> None:
    for name in ("compact", "disclosed"):
        data = bytes_of("compact-code.md", name)
        assert compact.encode_compact(compact.read_compact(data)) == data
    challenge = bytes_of("compact-code.md", "challenge")
    assert read_challenge(challenge).to_bytes() == challenge


# -- codes, names -----------------------------------------------------------------------------------------------------


def test_every_check_and_code_is_specified() -> None:
    """Check ids, check codes with words, verdicts and policy fields stand on the page of verification."""
    page = text("docs/spec/verification.md")
    reserved = {"other", "needs"}
    missing = [name for name in (*CHECK_IDS, *VERDICTS, *wording.check_codes()) if f"`{name}`" not in page]
    assert set(missing) <= reserved | set(unused_words())
    assert [field.name for field in fields(Policy) if f"`{field.name}`" not in page] == []


def unused_words() -> list[str]:
    """Words for codes that no check gives in this version."""
    given = {code for _, _, code in spec_tables.check_codes()}
    return sorted(wording.check_codes() - given - {"other", "needs", "internal-error"})


def test_every_code_a_check_gives_has_words() -> None:
    given = {code for _, _, code in spec_tables.check_codes()}
    assert given - wording.check_codes() == set()


def test_what_the_cases_expect_is_in_the_table() -> None:
    """Each (check, outcome, code) that a test case names is one that the table lists."""
    listed = set(spec_tables.check_codes())
    for path in sorted((ROOT / "tests" / "cases").glob("*/case.json")):
        expected = json.loads(path.read_text("utf-8"))["expect"].get("checks", {})
        for check, (outcome, code) in expected.items():
            name = "rules.<id>" if check.startswith("rules.") else check
            # a required check that was skipped is UNKNOWN under the code it was skipped with
            assert {(name, outcome, code), (name, "SKIPPED", code)} & listed, (path.parent.name, check, code)


def test_every_rejection_belongs_to_an_operation() -> None:
    """The codes found rule by rule are all the codes there are."""
    by_rule = {code for type_ in spec_tables.BODIES for code in spec_tables.rejections_of(type_)}
    assert by_rule | set(spec_tables.rejections_of_all()) == set(CODES)


def test_every_error_code_is_specified() -> None:
    page = text("docs/spec/errors.md")
    assert [code for code, *_ in spec_tables.error_sites() if f"`{code}`" not in page] == []


def test_the_table_of_signed_messages_is_the_one_in_the_code() -> None:
    rows = re.findall(r"^\| `([a-z0-9/-]+)` \| (own|foreign) \| ([a-z, -]+) \|", text("docs/spec/signing.md"), re.MULTILINE)
    said = {name: (kind == "own", tuple(roles.split(", "))) for name, kind, roles in rows}
    assert {name: (own, set(roles)) for name, (own, roles) in said.items()} == {
        row.name: (row.own, set(row.roles)) for row in CONTEXTS.values()
    }


def test_every_frame_is_in_the_table() -> None:
    """Every `weid/…/v1` text that frames bytes is named on the page."""
    page = text("docs/spec/signing.md")
    used = {
        name
        for room in ("weid", "credentials", "registry", "issuer_app")
        for path in (ROOT / room).rglob("*.py")
        for name in re.findall(r'framed\("(weid/[a-z-]+/v1)"', path.read_text("utf-8"))
    }
    assert [name for name in used if f"`{name}`" not in page] == []


def test_every_route_of_a_node_is_specified(tmp_path: Path) -> None:
    from flask import Flask

    from tests.registry.world import World

    world = World(tmp_path)
    app = Flask("node")
    app.register_blueprint(blueprint(world.registry))
    page = text("docs/spec/operations.md")
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static":
            continue
        method = "POST" if "POST" in (rule.methods or set()) else "GET"
        path = re.sub(
            r"<(?:path:)?([a-z_]+)>", lambda match: f"<{match[1].replace('_id', ' id').replace('list', 'list')}>", rule.rule
        )
        assert f"`{method} {path}" in page, rule.rule
    world.registry.close()


# -- packs ------------------------------------------------------------------------------------------------------------


def test_packs_and_their_folders_are_listed() -> None:
    """The README names each pack; the page of packs names each file, verb and request member they use."""
    readme, page = text("README.md"), text("docs/spec/pack.md")
    for pack in PACKS:
        assert f"(packs/{pack.name})" in readme
        for path in pack.rglob("*.json"):
            name = path.relative_to(pack).as_posix()
            assert name in page or f"{path.parent.name}/*.json" in page, name
        assert read_cases(load_pack(pack))
    assert [verb for verb in VERBS if f"`{verb}`" not in page] == []


# -- README and how-to ------------------------------------------------------------------------------------------------


def test_python_blocks_run_as_printed(tmp_path: Path) -> None:
    """Every Python block of README and how-to, in a process of its own, from the repository's folder."""
    found = [
        (page, source) for page in PAGES for kind, source in BLOCK.findall(page.read_text("utf-8")) if kind.strip() == "python"
    ]
    assert [page.name for page, _ in found] == ["README.md", "developer.md", "webhooks.md"]
    said = []
    for page, source in found:
        done = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, f"{page.name}: {done.stderr[-800:]}"
        said.append(done.stdout.split())
    assert said[0] == ["valid-bearer", "revoked"]
    assert said[1:] == [["valid-bearer"], []]  # the last one defines what test_webhooks.py runs


def commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for kind, content in BLOCK.findall(page.read_text("utf-8")):
            if kind.strip() in ("", "sh", "console"):
                for line in content.replace("\\\n", " ").splitlines():
                    if line.strip().startswith(("weid ", "make ")) and not line.startswith("weid:"):
                        yield page.relative_to(ROOT).as_posix(), line.strip()


@pytest.mark.parametrize("page, line", list(commands()))
def test_every_command_named_exists(page: str, line: str) -> None:
    """Options, required options and the number of arguments are those the command takes."""
    words = shlex.split(line, comments=True)
    for bar in ("|", ">", "&"):
        words = words[: words.index(bar)] if bar in words else words
    if words[0] == "make":
        assert all(re.search(rf"^{target}:", text("Makefile"), re.MULTILINE) for target in words[1:])
        return
    command: click.Command = cli
    parent = click.Context(cli, info_name="weid")
    rest = words[1:]
    while isinstance(command, click.Group):
        assert rest, f"{page}: {line}"
        if rest[0].startswith("-"):
            return
        found = command.get_command(parent, rest[0])
        assert found is not None, f"{page}: weid has no command {rest[0]!r}"
        command, rest = found, rest[1:]
        parent = click.Context(command, info_name=command.name, parent=parent)
    if "--help" in rest:
        return
    given, left, _ = command.make_parser(parent).parse_args(list(rest))
    assert left == [], f"{page}: {line}: {left}"
    needed = [item.name for item in command.params if item.required and given.get(item.name or "") in (None, ())]
    assert needed == [], f"{page}: {line}: {needed} missing"


def test_shell_blocks_were_found() -> None:
    found = list(commands())
    assert len(found) > 30
    assert {page for page, _ in found} >= {"README.md", "docs/howto/authority.md", "docs/howto/holder.md"}


def test_the_demo_excerpt_is_of_the_story() -> None:
    """The sentences of the README's excerpt are those of the packs' stories."""
    excerpt = next(content for kind, content in BLOCK.findall(text("README.md")) if kind == "text")
    told = {step["say"]["en"] for pack in PACKS for step in json.loads((pack / "story.json").read_text("utf-8"))["steps"]}
    sentences = re.findall(r"^ +\d+\. (.+)$", excerpt, re.MULTILINE)
    assert len(sentences) >= 5
    assert set(sentences) <= told


# -- links, tests, versions, words ------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_relative_links_resolve(page: Path) -> None:
    source = BLOCK.sub("", page.read_text("utf-8"))
    targets = re.findall(r"\]\(([^)\s]+)\)", source) + re.findall(r'src="([^"]+)"', source)
    for target in targets:
        if re.match(r"[a-z]+://", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        assert (page.parent / path).exists() if path else anchor, f"{page.name}: {target}"


def test_pictures_are_small_and_used() -> None:
    for picture in (DOCS / "images").iterdir():
        assert picture.stat().st_size < 150_000
        assert f"docs/images/{picture.name}" in text("README.md")


def test_every_rule_is_listed_with_tests_that_exist() -> None:
    """R1 to R30 once each; every `file::test` named is there."""
    page = text("docs/rules.md")
    assert re.findall(r"^\| (R\d+) ", page, re.MULTILINE) == [f"R{number}" for number in range(1, 31)]
    named = re.findall(r"`((?:[a-z0-9_]+/)*test_[a-z0-9_]+\.py)::(test_[a-z0-9_]+)`", page)
    assert len(named) > 80
    for file, test in named:
        assert re.search(rf"^def {test}\(", text(f"tests/{file}"), re.MULTILINE), f"{file}::{test}"
    for module in re.findall(r"`((?:weid|credentials|registry|issuer_app|verifier_app|wallet_cli)/[a-z0-9_/]+\.py)`", page):
        assert (ROOT / module).exists(), module


def test_the_changelog_names_the_current_version() -> None:
    version = tomllib.loads(text("pyproject.toml"))["project"]["version"]
    assert f"## {version}" in text("CHANGELOG.md")


def test_no_document_names_a_machine_or_a_registry_host() -> None:
    """No absolute path of somebody's machine, no package registry's or proxy's address."""
    words = re.compile(
        r"/(?:home|root|tmp|work|Users|var|opt|mnt)/[a-z]|file://|pypi\.|files\.pythonhosted|registry\.npmjs|npmmirror"
        r"|proxy\.golang|localhost:\d|artifactory|nexus|://[^ )]*mirror"
    )
    for page in [*PAGES, *(path for pack in PACKS for path in pack.rglob("*.json"))]:
        assert words.findall(page.read_text("utf-8")) == [], page


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(path.name[:4]) for path in (DOCS / "adr").glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
    for path in (DOCS / "adr").glob("[0-9]*.md"):
        assert path.read_text("utf-8").startswith(f"# {int(path.name[:4])}. ")

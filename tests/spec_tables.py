"""The tables of docs/spec that repeat what the code says, read from the code itself.

A page holds one between `<!-- table NAME -->` and `<!-- end -->`; `python -m tests.spec_examples` writes them anew
and `tests/test_docs.py` compares them.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import Field, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from credentials import data_model, verdicts, wording
from credentials import verify as pipeline
from credentials.foreign.checks import CHECKS as OTHERS
from registry import state
from registry.bodies import BODIES
from registry.rejections import CODES, UNAUTHENTIC
from weid import records as records_
from weid.records import KINDS

ROOT = Path(__file__).resolve().parents[1]
TABLE = re.compile(r"<!-- table ([a-z-]+) -->\n(.*?)<!-- end -->", re.DOTALL)
OUTCOMES = {"passed": "PASSED", "failed": "FAILED", "unknown": "UNKNOWN", "skipped": "SKIPPED"}
CHECKS = (
    "checks_bitstring", "checks_content", "checks_holder", "checks_issuer", "checks_joint", "checks_schema", "checks_status",
    "checks_weidentity",
    "case", "checks_file", "foreign/checks", "verify",
)  # fmt: skip
RULES = (
    "rules_asset", "rules_did", "rules_delegation", "rules_gov", "rules_issuer", "rules_keys", "rules_status", "rules_trust",
    "rules_use", "view", "state",
)  # fmt: skip
GIVEN = {  # codes that a check takes from elsewhere than a literal of its own
    "format": tuple(
        ("FAILED", code)
        for code in ("not-a-credential", "unsupported", "too-large", "bad-proof-chain", "bad-proof-purpose", *data_model.CODES)
        if code not in ("vcdm-holder", "vcdm-credentials", "vcdm-envelope")
    ),
    "proof.signature": (("FAILED", "bad-disclosure"),),
    "status": (("FAILED", "revoked"), ("FAILED", "suspended")),
}

Found = set[tuple[str, str]]


def _functions(room: str, names: Iterable[str]) -> dict[str, dict[str, ast.FunctionDef]]:
    """Module → function or method name → its tree."""
    return {
        name: {
            node.name: node
            for node in ast.walk(ast.parse((ROOT / room / f"{name}.py").read_text("utf-8")))
            if isinstance(node, ast.FunctionDef)
        }
        for name in names
    }


def _texts(node: ast.expr) -> list[str]:
    """The texts an argument may be: a literal, or either end of a choice."""
    if isinstance(node, ast.IfExp):
        return [*_texts(node.body), *_texts(node.orelse)]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


@lru_cache(maxsize=1)
def _check_functions() -> dict[str, dict[str, ast.FunctionDef]]:
    return _functions("credentials", CHECKS)


def _check_codes(module: str, name: str, seen: set[tuple[str, str]]) -> Found:
    """Every (outcome, code) a check can end with, through the functions it calls."""
    node = _check_functions().get(module, {}).get(name)
    if node is None or (module, name) in seen:
        return set()
    seen.add((module, name))
    found: Found = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Return) and isinstance(part.value, ast.Constant) and isinstance(part.value.value, str):
            found.add(("FAILED", part.value.value))  # a helper that names why
        if not isinstance(part, ast.Call):
            continue
        called = ast.unparse(part.func)
        if called in OUTCOMES:
            codes = ["ok"] if not part.args else _texts(part.args[0])
            found |= {(OUTCOMES[called], code) for code in codes}
        where, _, last = called.rpartition(".")
        found |= _check_codes(where if where in CHECKS else module, last, seen) if where in ("", *CHECKS) else set()
    return found


def check_codes() -> Iterator[tuple[str, str, str]]:
    """(check id, outcome, code) for everything the pipeline can say, in its order; `needs-…` is left out."""
    order = list(OUTCOMES.values())
    for step in pipeline._STEPS:
        module = step.run.__module__.split(".")[1]
        found = _check_codes(module, step.run.__name__, set()) | set(GIVEN.get(step.id, ()))
        if step.id in OTHERS:  # the same check for a credential of another system
            found |= _check_codes("foreign/checks", OTHERS[step.id].__name__, set())
        kept = (item for item in found if not item[1].startswith("needs-"))
        yield from ((step.id, outcome, code) for outcome, code in sorted(kept, key=lambda item: (order.index(item[0]), item[1])))
    for outcome, code in (
        ("PASSED", "ok"), ("FAILED", "rule-failed"), ("UNKNOWN", "rule-broken"), ("UNKNOWN", "rule-hidden"),
    ):  # fmt: skip
        yield "rules.<id>", outcome, code


def checks() -> str:
    """Check, outcome, code, sentence, and the verdict the code leads to."""
    rows, last = [], ""
    for check, outcome, code in check_codes():
        verdict = {"FAILED": verdicts.VERDICT_OF.get(code, "unsupported"), "UNKNOWN": verdicts.VERDICT_OF.get(code, "undecided")}
        sentence = "" if code == "ok" else wording.sentence(code)
        rows.append((f"`{check}`" if check != last else "", outcome, f"`{code}`", sentence, verdict.get(outcome, "")))
        last = check
    return _table(("check", "outcome", "code", "sentence", "verdict"), rows)


def verdict_table() -> str:
    """The verdicts in the order in which the first match wins."""
    rows = []
    for place, name in enumerate(verdicts.VERDICTS, 1):
        words = wording.verdict(name)
        rows.append((str(place), f"`{name}`", words.word, f"{words.shape}, {words.colour}", words.sentence))
    return _table(("", "verdict", "word", "shape and colour", "sentence"), rows)


@lru_cache(maxsize=1)
def _rule_functions() -> dict[str, ast.FunctionDef]:
    found: dict[str, ast.FunctionDef] = {}
    for module, functions in _functions("registry", RULES).items():
        for name, node in functions.items():
            found[f"{module}.{name}"] = node
    return found


def _rejections(module: str, name: str, seen: set[str]) -> set[str]:
    node = _rule_functions().get(f"{module}.{name}")
    if node is None or f"{module}.{name}" in seen:
        return set()
    seen.add(f"{module}.{name}")
    found: set[str] = set()
    for part in ast.walk(node):
        if not isinstance(part, ast.Call):
            continue
        called = ast.unparse(part.func)
        if called == "reject":
            found |= set(_texts(part.args[0]))
        where, _, last = called.rpartition(".")
        if where in ("", "self", "view"):
            for home in ("view",) if where == "view" else (module, "view"):
                found |= _rejections(home, last, seen)
    return found


def rejections_of(type_: str) -> list[str]:
    """The codes with which the rule of an operation type can refuse."""
    rule: Callable[..., object] = state.RULES[type_]
    return sorted(_rejections(rule.__module__.split(".")[1], rule.__name__, set()))


def rejections_of_all() -> list[str]:
    """The codes with which any operation can be refused before its own rule is asked."""
    return sorted(_rejections("state", "_result", set()) | {"malformed", "unknown-type"})


def operations() -> str:
    """Type, body, what the rule is, and the codes it refuses with."""
    rows = []
    for type_, body in BODIES.items():
        names = ", ".join(f"`{field.name}`" for field in fields(body)) or "–"
        text = (state.RULES[type_].__doc__ or "").strip()
        rows.append((f"`{type_}`", names, text, ", ".join(f"`{code}`" for code in rejections_of(type_))))
    return _table(("type", "body", "rule", "refused with"), rows)


def rejection_codes() -> str:
    """Every rejection code with its sentence."""
    rows = [
        (f"`{code}`", sentence, "before the log" if code in UNAUTHENTIC else "on the log") for code, sentence in CODES.items()
    ]
    return _table(("code", "meaning", "kept"), rows)


def records() -> str:
    """Every record kind and the values inside records, field by field in the order of the array."""
    inner = (records_.KeyRecord, records_.ServiceRecord, records_.VersionRecord, records_.Period, records_.RegisterLeaf)
    named = [(f"`{name}`", kind) for name, kind in KINDS.items()] + [(kind.__name__, kind) for kind in inner]
    rows = [(name, ", ".join(f"`{field.name}`{_optional(field)}" for field in fields(kind))) for name, kind in named]
    return _table(("kind", "fields"), rows)


def _optional(field: Field[object]) -> str:
    return "?" if "None" in str(field.type) else ""


ROOMS = ("weid", "credentials", "registry", "issuer_app", "verifier_app", "wallet_cli")


@lru_cache(maxsize=1)
def error_sites() -> tuple[tuple[str, str, str, str], ...]:
    """(code, error class, room, message) for every place that names a stable code of an error."""
    found = []
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            tree = ast.parse(path.read_text("utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    found += [(code, node.name, room, ast.get_docstring(node) or "") for code in _default_code(node)]
                elif isinstance(node, ast.Call):
                    error = ast.unparse(node.func)
                    message = _message(node.args[0]) if node.args else ""
                    if error.endswith("Error") or error == "_no_proof":
                        codes = [code for item in node.keywords if item.arg == "code" for code in _texts(item.value)]
                        found += [(code, error, room, message) for code in codes]
    return tuple(found)


def _default_code(node: ast.ClassDef) -> list[str]:
    return [
        part.value.value
        for part in node.body
        if isinstance(part, ast.Assign | ast.AnnAssign)
        and "default_code" in ast.unparse(part.targets[0] if isinstance(part, ast.Assign) else part.target)
        and isinstance(part.value, ast.Constant)
        and isinstance(part.value.value, str)
    ]


def _message(node: ast.expr) -> str:
    """The text of a message, with dots where a value goes in; nothing for a message made elsewhere."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return ""


def errors() -> str:
    """Every error code: the class that carries it, where it comes from, what it says."""
    rows = []
    sites = error_sites()
    for code in sorted({site[0] for site in sites}):
        mine = [site for site in sites if site[0] == code]
        names = ", ".join(f"`{name}`" for name in dict.fromkeys(site[1] for site in mine))
        rooms = ", ".join(dict.fromkeys(site[2] for site in mine))
        said = list(dict.fromkeys(site[3].strip().rstrip(".") for site in mine if site[3].strip()))
        rows.append((f"`{code}`", names, rooms, "; ".join(said[:2])))
    return _table(("code", "error", "room", "says"), rows)


VECTOR: Final = re.compile(
    r"(?:vc-di-[a-z]+/TestVectors|rdf-canon$|vc-jose-cose$|(?:rdf-canon|jcs|contexts|weidentity)(?=/))(?:/(?!SOURCE)[\w-]+(?=/|$))*"
)


@lru_cache(maxsize=1)
def vectors() -> str:
    """Folders of official vectors, and the tests that read them."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        if not any(isinstance(node, ast.ImportFrom) and node.module == "tests.vectors" for node in ast.walk(tree)):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and (named := VECTOR.match(node.value)):
                found.setdefault(named[0], set()).add(path.relative_to(ROOT).as_posix())
    rows = [(f"`{folder}`", ", ".join(f"`{path}`" for path in sorted(paths))) for folder, paths in sorted(found.items())]
    return _table(("vectors", "read by"), rows)


@dataclass(frozen=True, slots=True)
class Run:
    """One measured run of a suite, as docs/conformance.json has it; reasons are (tests, why)."""

    suite: str
    commit: str
    date: str
    counted: int
    executed: int
    passed: int
    failed: int
    skipped: int
    variant: str = ""
    failures: tuple[tuple[int, str], ...] = ()
    skips: tuple[tuple[int, str], ...] = ()

    @property
    def label(self) -> str:
        return f"[{self.suite.partition('/')[2].removesuffix('-test-suite')}](https://github.com/{self.suite})"


@lru_cache(maxsize=1)
def runs() -> dict[str, tuple[Run, ...]]:
    """Group → its runs, in the order of the file; TypeError for a member that no run has."""
    held = json.loads((ROOT / "docs" / "conformance.json").read_text("utf-8"))
    return {group: tuple(_run(item) for item in items) for group, items in held.items()}


def _run(item: dict[str, Any]) -> Run:
    reasons = {name: tuple((each["tests"], each["why"]) for each in item.get(name, ())) for name in ("failures", "skips")}
    return Run(**{**item, **reasons})


def suites(group: str) -> str:
    """What was run, at which commit, how and when, and the counts."""
    rows = []
    for run in runs()[group]:
        counts = tuple(str(count) for count in (run.counted, run.executed, run.passed, run.failed, run.skipped))
        rows.append((run.label, run.commit, run.variant, run.date, *counts))
    return _table(("suite", "commit", "how", "date", "counted", "executed", "passed", "failed", "skipped"), rows)


def suite_reasons() -> str:
    """Every failure and skip with its reason."""
    rows = []
    for run in (run for group in runs().values() for run in group):
        for kind, reasons in (("failed", run.failures), ("skipped", run.skips)):
            rows += [(f"{run.label} {run.variant}".strip(), f"{tests} {kind}", why) for tests, why in reasons]
    return _table(("suite", "tests", "why"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def tables() -> dict[str, str]:
    """Every table by name."""
    return {
        "suites": suites("vc-api"), "other-suites": suites("others"), "suite-reasons": suite_reasons(),
        "errors": errors(), "vectors": vectors(), "records": records(),
        "checks": checks(), "verdicts": verdict_table(), "operations": operations(), "rejections": rejection_codes(),
        "any-operation": _table(
            ("code", "meaning"), [(f"`{code}`", CODES[code]) for code in rejections_of_all()]
        ),
    }  # fmt: skip

"""A plan out of the files of a pack: to go on with a pack that was exported, written by hand, or published.

What the pages cannot show is refused instead of lost: the pack made from the plan must have the very same schema and look-up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from issuer_app.design.making import MINUTES, pack_files
from issuer_app.design.plan import Plan, read_plan
from issuer_app.lookups.inputs import CLAIM
from issuer_app.papers.look import digest_of, read_look
from weid.canon import jcs, parse_json
from weid.errors import MalformedError
from weid.pack import read_pack

__all__ = ["plan_of"]

_SAME = ("lookup.json", "issue.json", "status.json", "render.json")


def plan_of(files: Mapping[str, bytes]) -> tuple[Plan, dict[str, bytes]]:
    """The plan and the pictures of a pack with one kind of certificate; MalformedError `bad-design` says what it has beyond.

    Its cases, story and trust are not part of a plan: they are written anew.
    """
    pack = read_pack(files)
    schemas = pack.folder("schemas")
    if len(schemas) != 1:
        raise MalformedError("the pages show packs with one kind of certificate", code="bad-design")
    (name, schema), images = next(iter(schemas.items())), {}
    look: Any = pack.section("render").get("kinds", {})
    page = look.get(name, {}) if isinstance(look, dict) else {}
    for member in ("logo", "seal"):
        entry = page.get(member)
        if isinstance(entry, dict):
            read_look(files, name)  # bound by digest, and readable
            images[member] = files[str(entry["file"])]
    try:
        plan = read_plan(_described(name, schema, pack.section("lookup"), page, _samples(pack.section("cases/golden"))))
    except (KeyError, TypeError, AttributeError, ValueError):
        raise MalformedError(f"schemas/{name}.json is not as the pages write it", code="bad-design") from None
    _same(files, pack_files(plan, images), name)
    return plan, images


def _same(files: Mapping[str, bytes], made: Mapping[str, bytes], name: str) -> None:
    for path in (f"schemas/{name}.json", *_SAME):
        if path in files and jcs(parse_json(files[path])) != jcs(parse_json(made[path])):
            raise MalformedError(f"{path} says more than the pages can show", code="bad-design")
    if any(path.startswith("images/") and digest_of(data) not in {digest_of(item) for item in made.values()}
           for path, data in files.items()):  # fmt: skip
        raise MalformedError("images/ holds a picture that the page does not name", code="bad-design")


def _described(name: str, schema: Any, lookup: Any, page: Any, samples: Mapping[str, Any]) -> dict[str, Any]:
    own, properties, required = schema["x-weid"], schema["properties"], schema.get("required", [])
    lifetime = own["lifetime"]
    return {
        "name": name, "version": own["version"], "title": own["title"], "days": lifetime // MINUTES, "bind": own["bind"],
        "fields": [_field(item, properties[item], item in required, samples.get(item)) for item in own["order"]],
        "finding": _finding(lookup.get("rules", {})),
        "page": {"large": page.get("title", []), "rows": page.get("rows", []), "accent": page.get("accent", ""),
                 "says": page.get("says", {})},
    }  # fmt: skip


def _field(name: str, value: Any, required: bool, sample: Any) -> dict[str, Any]:
    kind = _type(value)
    made = {"name": name, "label": value["x-label"], "type": kind, "class": value["x-class"], "required": required}
    least, most = ("minimum", "maximum") if kind == "number" else ("minLength", "maxLength")
    if kind in ("number", "text", "digits"):
        made |= {"least": None if kind == "digits" else value.get(least), "most": value.get(most)}
    if kind == "choice":
        labels = value.get("x-values", {})
        made["choices"] = [{"value": item, "label": labels.get(item, {})} for item in value["enum"]]
    if sample is not None:
        made["sample"] = ("yes" if sample else "no") if isinstance(sample, bool) else str(sample)
    return made


def _type(value: Any) -> str:
    if value["type"] in ("integer", "boolean"):
        return {"integer": "number", "boolean": "yesno"}[value["type"]]
    if "enum" in value:
        return "choice"
    special = {"digits": "digits", "month-range": "months"}.get(value.get("x-type"))
    return special or {"date": "date"}.get(value.get("format"), "text")


def _finding(rules: Any) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for rule in rules.values():
        by = rule["by"][0]
        if by == ["certificateId"]:
            made["printed"] = True
            continue
        private = rule["shows"] == "nothing-without-link"
        number = next((item.removeprefix(CLAIM) for item in by if item.startswith(CLAIM)), "")
        made |= {"way": "private" if private else "number" if number else "document", "number": number,
                 "person": rule.get("from", {}).get("name", ""), "documents": rule.get("documents", [])}  # fmt: skip
    return made


def _samples(golden: Any) -> Mapping[str, Any]:
    steps = golden.get("steps", [])
    first = next((step for step in steps if isinstance(step, dict) and step.get("do") == "issue"), {})
    claims = first.get("claims", {})
    return claims if isinstance(claims, dict) else {}

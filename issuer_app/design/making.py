"""The files of a pack from a plan: the same from `weid pack init` and from the pages.

Pure: a plan and pictures in, a mapping from file name to bytes out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from issuer_app.design.cases import cases_of, story_of
from issuer_app.design.plan import Finding, Plan, PlanField
from issuer_app.papers.look import digest_of
from weid.canon import JSON

__all__ = ["MINUTES", "pack_files", "schema_of", "words"]

MINUTES: Final = 1440
_WEEK: Final = 10_080
_MONTH: Final = 43_200
_LIST: Final = 131_072
_TEXT: Final = (1, 60)


@lru_cache(maxsize=1)
def _skeleton() -> Mapping[str, Mapping[str, str]]:
    return dict(json.loads(files("issuer_app.design").joinpath("skeleton.json").read_text("utf-8")))


def words(key: str) -> dict[str, JSON]:
    """A text of the skeleton in the four languages."""
    return dict(_skeleton()[key])


def schema_of(plan: Plan) -> dict[str, JSON]:
    """The claim schema (JSON Schema 2020-12 with our annotations)."""
    order: list[JSON] = [field.name for field in plan.fields]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:weid:schema:{plan.name}:{plan.version}",
        "title": "".join(part.capitalize() for part in plan.name.split("-")), "type": "object", "additionalProperties": False,
        "properties": {field.name: _property(field) for field in plan.fields},
        "required": [field.name for field in plan.fields if field.required],
        "x-weid": {
            "name": plan.name, "version": plan.version, "order": order, "title": dict(plan.title),
            "lifetime": plan.days * MINUTES, "bind": plan.bind, "status": True, "width": 20,
        },
    }  # fmt: skip


def pack_files(plan: Plan, images: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """Every file of the pack. `images` has `logo` and `seal`, SVG, PNG or JPEG; a plan with faults makes a pack with them."""
    typed: list[JSON] = list(plan.typed)
    sections: dict[str, Any] = {
        "pack": {"id": plan.name, "version": plan.version, "title": dict(plan.title)},
        f"schemas/{plan.name}": schema_of(plan), "trust": _trust(plan), "present": _present(plan),
        "issue": {"suite": {"gm": "sm2", "intl": "ed25519"}, "valid": {plan.name: plan.days * MINUTES},
                  "typedCode": bool(typed), "convert": {}},
        "status": {"nextUpdate": _WEEK, "listSize": _LIST}, "rules": {"rules": {}}, "crypto": {"main": "intl"},
        "anchor": {"typed": "fingerprint"} if typed else {}, "lookup": _lookup(plan, typed),
        "story": {"steps": story_of(plan, words)},
    }  # fmt: skip
    sections |= {f"cases/{name}": case for name, case in cases_of(plan, words).items()}
    made: dict[str, bytes] = {}
    page: dict[str, Any] = {"title": list(plan.page.large)}
    page |= {"rows": list(plan.page.rows)} if plan.page.rows else {}
    page |= {"accent": plan.page.accent} if plan.page.accent else {}
    page |= {"says": dict(plan.page.says)} if plan.page.says else {}
    for member, data in sorted((images or {}).items()):
        path = f"images/{plan.name}-{member}.{_ending(data)}"
        made[path] = data
        page[member] = {"file": path, "digest": digest_of(data)}
    sections["render"] = {"kinds": {plan.name: page}}
    made |= {f"{name}.json": _printed(section) for name, section in sections.items()}
    return dict(sorted(made.items()))


def _property(field: PlanField) -> dict[str, JSON]:
    made: dict[str, JSON] = {"x-class": field.privacy, "x-label": dict(field.label)}
    if field.type == "number":
        bounds = (("minimum", field.least), ("maximum", field.most))
        return {"type": "integer", **{name: value for name, value in bounds if value is not None}, **made}
    if field.type == "yesno":
        return {"type": "boolean", **made}
    if field.type == "date":
        return {"type": "string", "format": "date", **made}
    if field.type == "months":
        return {"type": "string", "x-type": "month-range", **made}
    if field.type == "choice":
        labels: dict[str, JSON] = {value: dict(label) for value, label in field.choices if label}
        values: list[JSON] = [value for value, _ in field.choices]
        return {"type": "string", "enum": values, **made, **({"x-values": labels} if labels else {})}
    if field.type == "digits":
        count = field.most or 0
        return {"type": "string", "pattern": f"^[0-9]{{{count}}}$", "minLength": count, "maxLength": count, "x-type": "digits",
                **made}  # fmt: skip
    least, most = (_TEXT[0] if field.least is None else field.least), (_TEXT[1] if field.most is None else field.most)
    return {"type": "string", "minLength": least, "maxLength": most, **made}


def _lookup(plan: Plan, typed: list[JSON]) -> dict[str, JSON]:
    rules: dict[str, JSON] = {}
    rule = _rule(plan, plan.finding)
    if rule is not None:
        # the name of the kind stands in the rule's: a desk holds the rules of all its kinds beside each other
        rules[f"{plan.name[:20]}-{plan.finding.way}"] = rule
    if plan.finding.printed:
        rules[f"{plan.name[:20]}-printed"] = {
            "title": words("find-printed"), "schemas": [plan.name], "by": [["certificateId"]], "shows": "existence",
        }  # fmt: skip
    return {"codeBits": 80, **({"typed": {plan.name: typed}} if typed else {}), "rules": rules}


def _rule(plan: Plan, finding: Finding) -> dict[str, JSON] | None:
    if finding.way == "nobody":
        return None
    key = "documentNumber" if finding.way in ("document", "private") else f"claim:{finding.number}"
    rule: dict[str, JSON] = {
        "title": words(f"find-{finding.way}"), "schemas": [plan.name], "from": {"name": finding.person}, "by": [[key, "name"]],
        "shows": "nothing-without-link" if finding.way == "private" else "certificate",
    }  # fmt: skip
    return rule | ({} if finding.way == "number" else {"documents": list(finding.documents)})


def _trust(plan: Plan) -> dict[str, Any]:
    def party(name: str, **more: Any) -> dict[str, Any]:
        return {"registry": "main", "names": words(name), **more}

    return {
        "registries": {"main": {"origin": f"registry.example/{plan.name}/1", "chain": 8800, "profile": "intl",
                                "names": words("registry")}},
        "parties": {
            "committee": party("committee", committee=1), "reviewer": party("reviewer", roles=["reviewer"]),
            "auditor": party("auditor", roles=["auditor"]), "issuer": party("issuer", wants=[plan.name]),
        },
        "verifiers": {"checker": {"home": "main", "foreign": [], "names": words("checker")}},
        "recognition": [],
    }  # fmt: skip


def _present(plan: Plan) -> dict[str, Any]:
    ask = [field.name for field in plan.fields if field.privacy == "public"]
    age = {"warn": _WEEK, "reject": _MONTH}
    return {"requests": {"check": {
        "purpose": "employment", "names": words("check"), "schemas": [plan.name], "ask": ask if plan.bind == "key" else [],
        "mode": "challenge" if plan.bind == "key" else "bearer", "rules": [], "trustAge": age, "statusAge": age,
    }}}  # fmt: skip


def _ending(data: bytes) -> str:
    if data[:4] == b"\x89PNG":
        return "png"
    return "svg" if data.lstrip()[:1] == b"<" else "jpg"


def _printed(value: JSON) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8")

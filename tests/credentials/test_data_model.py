"""VCDM 2.0, rule by rule: what each says yes to, what each refuses and by which code."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials.data_model import CODES, V1, V2, check_credential, check_envelope, check_presentation
from credentials.verify import verify
from tests.credentials.test_foreign import PROOF_ONLY, document
from tests.credentials.world import World, at
from weid.errors import MalformedError

V1_DATES = {"@context": [V1], "validFrom": ..., "issuanceDate": "2026-01-01T00:00:00Z"}
REC_SRI = "sha384-l/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU"
REC_MULTIBASE = "uWZVc7WaX1h4D8rJVb-vlMIqxaEKEb1tYbX8fet7JJzQ"


def credential(**change: Any) -> dict[str, Any]:
    value = {
        "@context": [V2], "type": ["VerifiableCredential"], "issuer": "did:key:zA",
        "validFrom": "2026-01-01T00:00:00Z", "credentialSubject": {"id": "did:key:zB"}, **change,
    }  # fmt: skip
    return {name: item for name, item in value.items() if item is not ...}


def presentation(**change: Any) -> dict[str, Any]:
    value = {"@context": [V2], "type": "VerifiablePresentation", **change}
    return {name: item for name, item in value.items() if item is not ...}


@pytest.mark.parametrize(
    "change",
    [
        {}, {"id": "urn:uuid:1"}, {"validFrom": ...}, {"type": "VerifiableCredential"}, {"issuer": {"id": "https://a.example", "name": "A"}},
        {"name": "A name"}, {"name": {"@value": "名", "@language": "zh-Hans", "@direction": "ltr"}},
        {"description": [{"@value": "x"}, {"@value": "y", "@language": "pt"}]},
        {"credentialSubject": [{"id": "did:key:zB"}, {"name": "Bo"}]},
        {"validUntil": "2026-01-01T08:00:00.123+08:00"},
        {"credentialStatus": {"type": "Anything"}}, {"credentialStatus": [{"id": "urn:x", "type": "A"}, {"type": ["B"]}]},
        {"credentialSchema": {"id": "https://a.example/s", "type": "JsonSchema"}},
        {"evidence": [{"type": "Seen"}]}, {"termsOfUse": {"type": "Policy", "id": "urn:p"}}, {"refreshService": {"type": "R"}},
        {"relatedResource": [{"id": V2, "digestSRI": REC_SRI, "digestMultibase": REC_MULTIBASE}]},
        {"relatedResource": {"id": "https://a.example/x", "digestSRI": "sha256-" + "A" * 43 + "="}},
        V1_DATES, {**V1_DATES, "expirationDate": "2027-01-01T00:00:00Z"},
    ],
)  # fmt: skip
def test_a_conforming_credential_passes(change: dict[str, Any]) -> None:
    """Everything that the data model allows."""
    check_credential(credential(**change))


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        *(("context", {"@context": bad}) for bad in (V2, [], [V2, 7], [V2, V2], ["https://a.example", V2], None, [[V2]], {})),
        *(("type", {"type": bad}) for bad in (..., [], ["Other"], 7, [7, "VerifiableCredential"], None, {}, "Other")),
        *(("id", {"id": bad}) for bad in ("relative", 7, None, ["urn:x"], {}, "a b:c")),
        *(("name", {"name": bad}) for bad in (7, None, {}, {"@value": 7}, {"@value": "x", "more": 1}, [7],
                                             {"@value": "x", "@direction": "up"}, {"@value": "x", "@language": "no language"})),
        *(("name", {"description": bad}) for bad in (7, {"en": "x"})),
        *(("issuer", {"issuer": bad}) for bad in (..., 7, None, [], {}, {"id": 7}, "relative", ["did:key:zA"])),
        *(("subject", {"credentialSubject": bad}) for bad in (..., None, "did:x:y", [], {}, [{}], [{"a": 1}, 7], {"id": "relative"})),
        *(("validity", {"validFrom": bad}) for bad in (7, None, "2026-01-01", "2026-01-01T00:00:00", "2026-02-30T00:00:00Z",
                                                       "2026-01-01T00:00:00z", "2026-01-01T24:00:00Z")),
        ("validity", {"validUntil": "2025-12-31T23:59:59Z"}), ("validity", {"@context": [V1], "validFrom": ...}),
        *((rule, {member: bad})
          for member, rule in (("credentialStatus", "status"), ("refreshService", "refresh"), ("evidence", "evidence"),
                               ("termsOfUse", "terms"))
          for bad in (None, "x", 7, [], [7], {}, {"id": "urn:x"}, {"type": 7}, {"type": "A", "id": "relative"})),
        *(("schema", {"credentialSchema": bad}) for bad in ({"type": "A"}, {"id": "urn:x"}, "urn:x", [], {"id": "r", "type": "A"})),
        *(("related", {"relatedResource": bad}) for bad in (
            "x", [], {"id": "urn:x"}, {"digestSRI": REC_SRI}, {"id": "urn:x", "digestSRI": "sha384-AAAA"},
            {"id": "urn:x", "digestMultibase": "AAAA"}, {"id": "urn:x", "digestSRI": 7},
            {"id": V2, "digestSRI": "sha384-" + "A" * 64}, {"id": V2, "digestMultibase": "u" + "A" * 43},
            [{"id": "urn:x", "digestSRI": REC_SRI}] * 2)),
    ],
)  # fmt: skip
def test_a_broken_rule_has_its_code(rule: str, change: dict[str, Any]) -> None:
    """Each rule is refused by its own code, whatever stands where something else belongs."""
    with pytest.raises(MalformedError) as caught:
        check_credential(credential(**change))
    assert caught.value.code == f"vcdm-{rule}"
    assert f"vcdm-{rule}" in CODES


@pytest.mark.parametrize("change", [{}, {"holder": "did:key:zH"}, {"holder": {"id": "did:key:zH"}}, {"id": "urn:x"},
                                    {"verifiableCredential": [{"type": "VerifiableCredential", "proof": {}}]}])  # fmt: skip
def test_a_conforming_presentation_passes(change: dict[str, Any]) -> None:
    check_presentation(presentation(**change))


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("context", {"@context": ...}), ("context", {"@context": ["https://a.example"]}), ("type", {"type": "Other"}),
        ("id", {"id": "relative"}), ("holder", {"holder": "relative"}), ("holder", {"holder": {}}), ("holder", {"holder": None}),
        ("credentials", {"verifiableCredential": "eyJ"}), ("credentials", {"verifiableCredential": [None]}),
        ("credentials", {"verifiableCredential": [{"type": "VerifiableCredential"}]}),
        ("envelope", {"verifiableCredential": [{"type": "EnvelopedVerifiableCredential", "id": "data:application/vc+jwt,x"}]}),
    ],
)  # fmt: skip
def test_a_broken_presentation_has_its_code(rule: str, change: dict[str, Any]) -> None:
    with pytest.raises(MalformedError) as caught:
        check_presentation(presentation(**change))
    assert caught.value.code == f"vcdm-{rule}"


@pytest.mark.parametrize("change", [{"id": "https://a.example"}, {"id": 7}, {"id": "data:nothing"}, {"type": ["A", "B"]},
                                    {"@context": ["https://a.example"]}, {"@context": ...}])  # fmt: skip
def test_envelopes_are_read_strictly(change: dict[str, Any]) -> None:
    kind = "EnvelopedVerifiableCredential"
    good = {"@context": [V2], "id": "data:application/vc+jwt,eyJ.x.y", "type": kind}
    assert check_envelope(good, kind) == good["id"]
    with pytest.raises(MalformedError) as caught:
        check_envelope({name: item for name, item in {**good, **change}.items() if item is not ...}, kind)
    assert caught.value.code == "vcdm-envelope"


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.sampled_from([V2, "VerifiableCredential", "urn:x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "type", "@value", "proof", "x"]), inner),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.sampled_from(["@context", "id", "type", "issuer", "name", "validFrom", "validUntil", "credentialSubject",
                        "credentialStatus", "credentialSchema", "evidence", "relatedResource", "proof", "weid"]), JUNK)  # fmt: skip
def test_anything_anywhere_is_a_report(member: str, junk: Any) -> None:
    """The pipeline reports on any value at any place, and never passes a broken document."""
    changed = {**document(), member: junk}
    report = verify(json.dumps(changed).encode(), facts=World().facts(), policy=PROOF_ONLY, at=at())
    assert "internal-error" not in {check.code for check in report}
    if member != "proof" and junk != document().get(member):
        assert report.exit_code == 1 or report.exit_code == 3

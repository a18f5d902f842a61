"""Document numbers: check digits, plausible births and regions, and one spelling for one number."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer_app.documents import KINDS, read_document
from issuer_app.texts import table
from weid.errors import MalformedError
from weid.pack import LANGUAGES

GOOD = [
    ("cn-id", "11010519491231002X", "11010519491231002X"),  # the example of GB 11643
    ("cn-id", "１１０１０５ 19491231 002x", "11010519491231002X"),
    ("hk-id", "A123456(3)", "A1234563"),
    ("hk-id", "C123456(9)", "C1234569"),
    ("mo-id", "1234567(8)", "12345678"),
    ("mo-id", "5215299-8", "52152998"),
    ("cn-hk-mo-permit", "H1234567801", "H12345678"),
    ("cn-hk-mo-permit", "m12345678", "M12345678"),
    ("cn-exit-permit", "CA1234567", "CA1234567"),
    ("cn-tw-permit", "0123456701", "01234567"),
    ("cn-passport", "EA1234567", "EA1234567"),
    ("cn-passport", "e12345678", "E12345678"),
    ("passport", "L01X00T47", "L01X00T47"),
]
BAD = [
    ("cn-id", "", "document-empty"),
    ("cn-id", "110105194912310021", "document-check"),
    ("cn-id", "11010519491231001X", "document-check"),
    ("cn-id", "1101051949123100", "document-length"),
    ("cn-id", "110105491231002", "document-old"),
    ("cn-id", "00010519491231002X", "document-region"),
    ("cn-id", "11010519490231002X", "document-date"),
    ("cn-id", "11010518491231002X", "document-date"),
    ("cn-id", "1101051949123100二X", "document-shape"),
    ("cn-id", "1101051949123100XX", "document-shape"),
    ("hk-id", "A123456(4)", "document-check"),
    ("hk-id", "A12345(3)", "document-length"),
    ("hk-id", "1234567(3)", "document-shape"),
    ("mo-id", "9234567(8)", "document-shape"),
    ("mo-id", "1234567", "document-length"),
    ("cn-hk-mo-permit", "X12345678", "document-shape"),
    ("passport", "ABCDEFGH", "document-shape"),
    ("passport", "A" * 65, "document-length"),
    ("passport", "<script>", "document-shape"),
    ("library-card", "1", "document-kind"),
]


@pytest.mark.parametrize(("kind", "text", "number"), GOOD)
def test_a_number_is_read_as_people_write_it(kind: str, text: str, number: str) -> None:
    assert read_document(kind, text) == number


@pytest.mark.parametrize(("kind", "text", "code"), BAD)
def test_a_wrong_number_says_what_is_wrong_and_does_not_repeat_it(kind: str, text: str, code: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read_document(kind, text)
    assert caught.value.code == code
    assert not text or len(text) < 6 or text not in str(caught.value)


@pytest.mark.parametrize("place", range(18))
def test_every_single_wrong_digit_of_a_resident_number_is_found(place: int) -> None:
    """What MOD 11-2 is for: a mistyped digit never passes, and neither do two neighbours swapped."""
    good = "11010519491231002X"
    for digit in "0123456789":
        if digit != good[place]:
            with pytest.raises(MalformedError):
                read_document("cn-id", good[:place] + digit + good[place + 1 :])
    if place and good[place - 1] != good[place]:
        with pytest.raises(MalformedError):
            read_document("cn-id", good[: place - 1] + good[place] + good[place - 1] + good[place + 1 :])


def test_a_birth_in_the_future_is_refused_when_the_day_is_known() -> None:
    assert read_document("cn-id", "11010519491231002X", today=date(1949, 12, 31)) == "11010519491231002X"
    with pytest.raises(MalformedError, match="plausible"):
        read_document("cn-id", "11010519491231002X", today=date(1949, 12, 30))


@given(st.sampled_from(KINDS), st.text(max_size=24))
def test_only_our_errors_escape_and_what_is_read_reads_as_itself(kind: str, text: str) -> None:
    try:
        number = read_document(kind, text)
    except MalformedError:
        return
    assert read_document(kind, number) == number


def test_every_kind_and_every_cause_has_words() -> None:
    for language in LANGUAGES:
        words = table(language)
        assert all(f"document.{kind}" in words for kind in KINDS)
        assert all(f"problem.{code}" in words for _, _, code in BAD)

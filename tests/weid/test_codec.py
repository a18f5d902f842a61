"""One value, one spelling: decoders accept only what encoders print."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weid import cbor, codec
from weid.canon import jcs, parse_json
from weid.errors import MalformedError, WeidError

CODECS = [
    (codec.b64u, codec.unb64u),
    (codec.b64, codec.unb64),
    (codec.b58, codec.unb58),
    (codec.multibase, codec.unmultibase),
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.text(max_size=20) | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=5).map(tuple),
    max_leaves=20,
)


@pytest.mark.parametrize(("encode", "decode"), CODECS)
@given(data=st.binary(max_size=200))
def test_text_codecs_round_trip(encode, decode, data) -> None:
    assert decode(encode(data)) == data


@pytest.mark.parametrize(("encode", "decode"), CODECS)
@given(text=st.text(max_size=40))
def test_text_codecs_accept_one_spelling(encode, decode, text) -> None:
    """Whatever a decoder accepts, its encoder would have printed."""
    try:
        data = decode(text)
    except MalformedError:
        return
    assert encode(data) == text or text.startswith("u")


@pytest.mark.parametrize("text", ["Y!Q", "YR", "YQ==", "Y Q", "YQ\n"])
def test_base64url_refuses_malleable_text(text) -> None:
    with pytest.raises(MalformedError):
        codec.unb64u(text)


@pytest.mark.parametrize("text", ["A0", "a0 b0", "a0\n", "a", "0x00"])
def test_hex_is_lower_case_and_bare(text) -> None:
    with pytest.raises(MalformedError):
        codec.unhex(text)


@given(VALUES)
def test_cbor_round_trips(value) -> None:
    assert cbor.decode(cbor.encode(value)) == value


@given(st.binary(max_size=60))
def test_cbor_accepts_only_what_it_prints(data) -> None:
    """R11: any accepted bytes are the encoding of the value they gave."""
    try:
        value = cbor.decode(data)
    except WeidError:
        return
    assert cbor.encode(value) == data


@pytest.mark.parametrize(
    "hex_text",
    [
        "1817",
        "190017",
        "1a00000001",
        "5f4100ff",
        "a0",
        "c000",
        "f7",
        "fb3ff0000000000000",
        "9f00ff",
        "0000",
        "",
        "61ff",
    ],
)
def test_cbor_refuses_everything_outside_the_subset(hex_text) -> None:
    with pytest.raises(MalformedError):
        cbor.decode(bytes.fromhex(hex_text))


def test_cbor_caps_depth() -> None:
    with pytest.raises(MalformedError) as caught:
        cbor.decode(b"\x81" * 40 + b"\x00")
    assert caught.value.code == "too-deep"


@pytest.mark.parametrize(
    "text",
    [b'{"a":1,"a":2}', b"NaN", b"[1e999]", b'"\\ud800"', b"[1,]", b"9007199254740993", b"\xff", b"[" * 100, b""],
)
def test_json_refuses_what_two_parsers_read_differently(text) -> None:
    with pytest.raises(MalformedError):
        parse_json(text)


def test_json_over_the_size_cap_is_refused_before_parsing() -> None:
    with pytest.raises(MalformedError) as caught:
        parse_json(b" " * 11, max_bytes=10)
    assert caught.value.code == "too-large"


def test_jcs_orders_by_utf16_and_writes_numbers_as_ecmascript() -> None:
    assert jcs({"€": 1.0, "\U0001f600": 1e-7, "a": -0.0}) == '{"a":0,"€":1,"😀":1e-7}'.encode()


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9000, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_times_round_trip_to_the_minute(moment) -> None:
    count = codec.minutes(moment)
    assert codec.parse_rfc3339(codec.rfc3339(count)) == moment.replace(second=0, microsecond=0)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-08T00:00:00+00:00",
        "2026-01-08 00:00:00Z",
        "2026-13-08T00:00:00Z",
        "2026-W01-4T00:00:00Z",
        "٢٠٢٦-01-08T00:00:00Z",
    ],
)
def test_times_have_one_spelling(text) -> None:
    with pytest.raises(MalformedError):
        codec.parse_rfc3339(text)


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x80\x00", b"\xff" * 10])
def test_varints_are_shortest_form(data) -> None:
    with pytest.raises(MalformedError):
        codec.read_uvarint(data)

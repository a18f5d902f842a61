"""A name is found however it is typed; two different names are not one."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer_app.lookups.inputs import InputFault, read_forms
from issuer_app.lookups.names import name_forms, normal_name
from issuer_app.lookups.printed import printed, read_printed
from weid.errors import MalformedError

SAME = [
    ("CHAN Tai Man", "Tai Man Chan"), ("CHAN, Tai-man", "tai man chan"), ("ＣＨＡＮ　Ｔａｉ　Ｍａｎ", "Chan Tai Man"),
    ("O’Brien Seán", "sean OBRIEN"), ("José António d'Almeida-Souza", "JOSE ANTONIO DALMEIDA SOUZA"),
    ("Nguyễn Thị Đặng", "nguyen thi dang"), ("Łukasz Ødegård", "lukasz odegard"), ("Straße", "STRASSE"),
    ("陳大文", "陈大文"), ("歐陽娜娜", "欧阳 娜娜"), ("葉鍾鑒", "叶钟鉴"), ("衞詩雅", "卫诗雅"), ("裏见", "裡見"), ("吕布", "呂布"),
    ("阿依古丽·买买提", "阿依古麗・買買提"), ("阿依古丽•买买提", "阿依古丽买买提"), ("阿依古丽‧买买提", "阿依古丽．买买提"),
    ("戶愚呂", "户愚吕"), ("蕭 峯", "萧峰"), ("髙橋", "高桥"), ("王\u200b小明", "王小明"), ("王小明 ", "\t王小明"),
    ("金城武", "金城武"), ("ﾀﾅｶ", "タナカ"), ("Maria  da  Silva", "Silva, Maria da"),
]  # fmt: skip
DIFFERENT = [
    ("王小明", "明小王"), ("王小明", "王小名"), ("Chan Tai Man", "Chan Tai Wan"), ("Chan Tai", "Chan Tai Man"), ("李芸", "李艺"),
    ("Ana", "Anna"), ("陳大文", "陳太文"),
]  # fmt: skip
NAMES = st.text(st.characters(codec="utf-8"), max_size=30)
WORDS = st.lists(st.sampled_from(["chan", "Tai", "MAN", "José", "o'neill", "Đỗ"]), min_size=1, max_size=5)
HAN = st.text(st.sampled_from("陈大文陳葉叶萧蕭吕呂钟鐘鍾王小明欧歐阳陽衞卫"), min_size=1, max_size=6)


def spelt(text: str) -> str | None:
    try:
        return normal_name(text)
    except MalformedError:
        return None


@pytest.mark.parametrize(("one", "other"), SAME)
def test_real_pairs_are_one_name(one: str, other: str) -> None:
    assert normal_name(one) == normal_name(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_names_stay_different(one: str, other: str) -> None:
    assert normal_name(one) != normal_name(other)


@given(NAMES)
def test_the_spelling_of_a_spelling_is_itself(text: str) -> None:
    """Whatever is typed: one spelling or a refusal, and nothing else escapes."""
    once = spelt(text)
    assert once is None or normal_name(once) == once


@given(NAMES)
def test_width_and_composition_do_not_count(text: str) -> None:
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC", "NFKD")]
    assert len({spelt(form) for form in forms}) == 1


@given(WORDS, st.randoms(use_true_random=False), st.sampled_from([" ", "  ", "-", "·", ", ", "\u3000"]))
def test_words_in_letters_are_found_in_any_order(words: list[str], random: object, between: str) -> None:
    mixed = list(words)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert normal_name(between.join(mixed)) == normal_name(" ".join(words).upper())


@given(HAN, st.integers(0, 6))
def test_a_blank_or_interpunct_between_characters_does_not_count(name: str, place: int) -> None:
    for sign in " ·・•‧\u3000":
        assert normal_name(name[:place] + sign + name[place:]) == normal_name(name)


def test_every_pair_of_the_conversion_table_is_one_character() -> None:
    """Traditional and simplified by OpenCC's own character table, the first simplified form of each."""
    from importlib.resources import files

    lines = files("opencc").joinpath("dictionary", "TSCharacters.txt").read_text("utf-8").splitlines()
    pairs = [(line.split("\t")[0], line.split("\t")[1].split(" ")[0]) for line in lines if "\t" in line]
    assert len(pairs) > 3000
    missed = [pair for pair in pairs if all(len(item) == 1 for item in pair) and normal_name(pair[0]) != normal_name(pair[1])]
    assert missed == []


def test_a_name_in_two_scripts_is_found_by_each() -> None:
    assert name_forms("陳大文 CHAN Tai Man") == ("陈大文 chan man tai", "陈大文", "chan man tai")
    assert name_forms("CHAN Tai Man") == ("chan man tai",)


@pytest.mark.parametrize("text", ["", "   ", "123", "·•", "x" * 201, "\u202e\u200b"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(MalformedError, match="name"):
        normal_name(text)


@given(
    st.binary(min_size=16, max_size=16),
    st.integers(0, 12),
    st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"),
    st.integers(0, 11),
)
def test_a_printed_number_forgives_nothing_but_its_look(data: bytes, place: int, letter: str, swap: int) -> None:
    """One letter wrong, or two neighbours changed: refused. Small letters, blanks, O for 0: read."""
    id_, text = data.hex(), printed(data.hex())
    assert read_printed(text) == read_printed(id_) == read_printed(f" {id_.upper()} ") == id_[:15]
    assert read_printed(text.lower().replace("-", " ").replace("0", "o").replace("1", "l")) == id_[:15]
    plain = text.replace("-", "")
    wrong = plain[:place] + letter + plain[place + 1 :]
    turned = plain[:swap] + plain[swap + 1] + plain[swap] + plain[swap + 2 :]
    for other in {wrong, turned} - {plain}:
        with pytest.raises(MalformedError) as caught:
            read_printed(other)
        assert caught.value.code == "lookup-number-check"


@pytest.mark.parametrize(
    ("name", "text", "form"),
    [
        ("birthDate", "1990-03-07", "1990-03-07"), ("birthDate", "１９９０年３月７日", "1990-03-07"), ("birthDate", "1990/3/7", "1990-03-07"),
        ("birthDate", "19900307", "1990-03-07"), ("phoneTail", "０１２３", "0123"), ("email", " Ana@Example.ORG ", "ana@example.org"),
        ("claim:no", "ab 12", "ab12"), ("claimCode", "0123-4567-89ab-cdef", "00443214c74254b635cf"),
    ],
)  # fmt: skip
def test_second_factors_have_one_spelling(name: str, text: str, form: str) -> None:
    assert read_forms(name, text) == (form,)


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("birthDate", "1990-02-30", "lookup-date"), ("birthDate", "1990307", "lookup-date"), ("phoneTail", "123", "lookup-tail"),
        ("phoneTail", "12345", "lookup-tail"), ("email", "a@b", "lookup-email"), ("claimCode", "x", "lookup-code"),
        ("name", "7", "lookup-name"), ("certificateId", "00" * 15, "lookup-number"), ("name", " ", "lookup-missing"), ("name", "x" * 300, "lookup-long"),
    ],
)  # fmt: skip
def test_what_is_no_factor_is_named_and_not_repeated(name: str, text: str, code: str) -> None:
    with pytest.raises(InputFault) as caught:
        read_forms(name, text)
    assert (caught.value.field, caught.value.code, str(caught.value)) == (name, code, f"{name}: {code}")

"""Canonical JSON against an independent slow encoder, and the strict reader against everything odd."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing.trust.errors import MalformedMetadata
from signing.trust.tuf import canonical
from tests.unit.trust import samples

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
INTEGERS = st.integers(-(canonical.LARGEST_INTEGER - 1), canonical.LARGEST_INTEGER - 1)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def slow(value: Any) -> bytes:
    """Write canonical JSON as the specification says it, byte for byte and without a JSON library."""
    if value is None:
        return b"null"
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, str):
        quoted = bytearray(b'"')
        for byte in value.encode():
            quoted += bytes([0x5C, byte]) if byte in b'"\\' else bytes([byte])
        return bytes(quoted) + b'"'
    if isinstance(value, list):
        return b"[" + b",".join(map(slow, value)) + b"]"
    members = sorted((name.encode(), name) for name in value)
    return b"{" + b",".join(slow(name) + b":" + slow(value[name]) for _, name in members) + b"}"


@given(VALUES)
def test_encode_agrees_with_the_specification(value: Any) -> None:
    assert canonical.encode(value) == slow(value)


@given(VALUES)
def test_what_is_written_to_a_file_is_read_back_the_same(value: Any) -> None:
    assert canonical.parse(canonical.to_file(value)) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param({"b": 1, "a": 2, "B": 3}, b'{"B":3,"a":2,"b":1}', id="upper case first"),
        pytest.param({"é": 1, "z": 2}, '{"z":2,"é":1}'.encode(), id="by bytes, not by alphabet"),
        pytest.param(
            {"\uffff": 1, "\U00010000": 2}, '{"\uffff":1,"\U00010000":2}'.encode(), id="by UTF-8, not by UTF-16"
        ),
        pytest.param({"a/b": 1, "a": 2, "a-b": 3}, b'{"a":2,"a-b":3,"a/b":1}', id="a prefix first"),
        pytest.param("\x00\x1f\n\t\x7f", b'"\x00\x1f\n\t\x7f"', id="control characters stand as they are"),
        pytest.param('a"b\\c', b'"a\\"b\\\\c"', id="quotation mark and backslash"),
        pytest.param("\\n", b'"\\\\n"', id="a backslash before an n is no line end"),
        pytest.param("<&>\u2028\u2029", '"<&>\u2028\u2029"'.encode(), id="HTML is not escaped here"),
        pytest.param([None, True, False, 0, -1], b"[null,true,false,0,-1]", id="constants"),
        pytest.param({}, b"{}", id="empty"),
    ],
)
def test_encode(value: Any, expected: bytes) -> None:
    assert canonical.encode(value) == expected


def test_files_escape_html_as_go_does() -> None:
    assert canonical.to_file("<&>\u2028\u2029é") == rb'"\u003c\u0026\u003e\u2028\u2029' + 'é"'.encode()


def test_control_characters_are_escaped_in_files_because_no_json_reader_takes_them() -> None:
    written = canonical.to_file({"a\n": "\x01"})
    assert json.loads(written) == {"a\n": "\x01"}


@pytest.mark.parametrize("role", samples.ROLE_FILES)
def test_files_of_the_real_server_are_written_back_byte_for_byte(role: str) -> None:
    data = samples.metadata(role)
    signed = canonical.parse(data)["signed"]
    assert data.startswith(b'{"signed":' + canonical.to_file(signed) + b',"signatures":')


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b'{"a":1,"a":1}', id="a member twice"),
        pytest.param(b'{"a":1,"\\u0061":2}', id="a member twice, once escaped"),
        pytest.param(b'{"a":{"b":[{"c":1,"c":2}]}}', id="a member twice, deep inside"),
        pytest.param(b"1.5", id="fraction"),
        pytest.param(b"1.0", id="fraction of a whole number"),
        pytest.param(b"1e3", id="exponent"),
        pytest.param(b"NaN", id="NaN"),
        pytest.param(b"Infinity", id="Infinity"),
        pytest.param(b"9007199254740992", id="2^53"),
        pytest.param(b"-9007199254740992", id="-2^53"),
        pytest.param(b"1" * 5000, id="huge integer"),
        pytest.param(b"01", id="leading zero"),
        pytest.param(b"{}{}", id="trailing document"),
        pytest.param(b"{} x", id="trailing text"),
        pytest.param(b"{}\x00", id="trailing null byte"),
        pytest.param(b"[1,]", id="trailing comma"),
        pytest.param(b"{'a':1}", id="single quotes"),
        pytest.param(b'"\xff"', id="not UTF-8"),
        pytest.param(b'"\xc0\xaf"', id="overlong UTF-8"),
        pytest.param(b'"\xed\xa0\x80"', id="surrogate as bytes"),
        pytest.param(b'"\\ud800"', id="lone surrogate"),
        pytest.param(b'"\\udc00\\ud800"', id="surrogates in the wrong order"),
        pytest.param(b'"\n"', id="raw control character"),
        pytest.param(b"\xef\xbb\xbf{}", id="byte order mark"),
        pytest.param('{"a":1}'.encode("utf-16"), id="UTF-16"),
        pytest.param('{"a":1}'.encode("utf-32-le"), id="UTF-32"),
        pytest.param(b"[" * 300 + b"]" * 300, id="deeper than can be written"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="very deep"),
        pytest.param(b'{"a":' * 100_000, id="very deep and cut off"),
    ],
)
def test_parse_refuses(data: bytes) -> None:
    with pytest.raises(MalformedMetadata):
        canonical.parse(data)


@pytest.mark.parametrize("depth", [1, 100, 250])
def test_what_is_read_can_be_written(depth: int) -> None:
    value = canonical.parse(b"[" * depth + b"]" * depth)
    assert canonical.encode(value) == b"[" * depth + b"]" * depth


def test_parse_takes_the_largest_integers() -> None:
    assert canonical.parse(b"[9007199254740991,-9007199254740991]") == [2**53 - 1, 1 - 2**53]


def _read_by_the_library(data: bytes) -> Any:
    """Read as the slow half of `parse` does."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    def small(text: str) -> int:
        assert abs(int(text)) < canonical.LARGEST_INTEGER
        return int(text)

    def refused(text: str) -> Any:
        raise AssertionError(text)

    return json.loads(data.decode(), object_pairs_hook=once, parse_float=refused, parse_int=small)


MARKS = ["{", "}", "[", "]", ":", ",", "true", "null", '"a"', '"b"', r'"\u0041"', r'"\n"', '"1.5"', '",9.5"']
NUMBERS = ["0", "-0", "-1", "1.0", "1E2", "123456789012345", "9007199254740991", "9007199254740992", "1" + "0" * 19]
PIECES = st.sampled_from(MARKS + NUMBERS)


@given(
    st.lists(PIECES, min_size=1, max_size=9).map("".join)
    | VALUES.map(lambda value: json.dumps(value, ensure_ascii=False))
)
def test_parse_reads_what_the_library_reads(text: str) -> None:
    try:
        expected = _read_by_the_library(text.encode())
    except (AssertionError, ValueError):
        with pytest.raises(MalformedMetadata):
            canonical.parse(text.encode())
        return
    assert canonical.parse(text.encode()) == expected
    compact = json.dumps(expected, ensure_ascii=False, separators=(",", ":")).encode()
    assert canonical.parse(compact) == expected


@given(st.binary(max_size=60))
def test_parse_answers_garbage_with_one_kind_of_error(data: bytes) -> None:
    try:
        value = canonical.parse(data)
    except MalformedMetadata:
        return
    assert canonical.parse(canonical.to_file(value)) == value


def test_an_error_shows_little_of_what_came() -> None:
    with pytest.raises(MalformedMetadata) as caught:
        canonical.parse(b"1." + b"7" * 100_000)
    assert len(caught.value.message) < 200

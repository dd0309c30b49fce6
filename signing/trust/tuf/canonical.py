"""Read and write the JSON of Notary's metadata (reference 2.1).

Three forms of one value: *canonical* is what signatures and key ids cover, *file* is what is stored and hashed, and
what is read may be neither. Notary's canonical JSON is not RFC 8785: members are sorted by their UTF-8 bytes and a
string escapes only the quotation mark and the backslash, so a control character stands there as it is.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import orjson

from signing.trust.errors import MalformedMetadata

LARGEST_INTEGER = 2**53
"""Go passes every number through a float64, so larger ones do not survive there."""

MOST_VALUES = 300_000
"""Each value takes a hundred bytes or more once it is read, so a few megabytes could fill a machine's memory."""

_ESCAPE_BEYOND_CANONICAL = re.compile(rb"\\[^\"\\]")
_LONG_OR_BROKEN_NUMBER = re.compile(rb"(?:^|[:\[,])-?(?:[0-9]{15,}|[0-9]+[.eE][-+.eE0-9]*)(?:[,\]}]|$)")
_CONTROLS = bytes(range(0x20))
_CONTROL = re.compile(rb"[\x00-\x1f]")
_HTML_ESCAPES = (
    (b"<", rb"\u003c"),
    (b">", rb"\u003e"),
    (b"&", rb"\u0026"),
    ("\u2028".encode(), rb"\u2028"),
    ("\u2029".encode(), rb"\u2029"),
)


def encode(value: Any) -> bytes:
    """Give the canonical JSON of `value`, the bytes that signatures and key ids cover.

    Values are dicts with text keys, lists, text, integers, booleans and None; binary has to be base64 text already.
    """
    encoded = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    if b"\\" in encoded and _ESCAPE_BEYOND_CANONICAL.search(encoded):
        return _encode_literally(value).encode()
    return encoded


def to_file(value: Any) -> bytes:
    """Give the form Go's encoder writes to files: canonical, with the special characters of HTML escaped.

    Go cannot write control characters at all; here they are escaped, so that the file can be read.
    """
    encoded = escape_html(encode(value))
    if len(encoded.translate(None, _CONTROLS)) == len(encoded):
        return encoded
    return _CONTROL.sub(lambda found: b"\\u%04x" % found[0][0], encoded)


def escape_html(encoded: bytes) -> bytes:
    """Escape in encoded JSON what Go's encoder escapes beyond canonical JSON."""
    for plain, escaped in _HTML_ESCAPES:
        encoded = encoded.replace(plain, escaped)
    return encoded


def parse(data: bytes) -> Any:
    """Read JSON from outside, strictly.

    Refuses what parsers are known to read differently: bad UTF-8, a member given twice, fractions, integers beyond
    2^53, NaN, lone surrogates, trailing data, nesting deeper than `encode` can write, and more values than fit.

    Raises:
        MalformedMetadata: with the reason.
    """
    if count_values(data) > MOST_VALUES:
        raise MalformedMetadata("This JSON has more values than anybody needs.")
    try:
        # orjson is strict about encodings and writes only so deep, but it keeps the last of two equal members and reads
        # fractions: nothing was lost where it writes the very same bytes, in which no number is long or has a fraction.
        found = orjson.loads(data)
        if orjson.dumps(found) == data and not _LONG_OR_BROKEN_NUMBER.search(data):
            return found
        return json.loads(data, object_pairs_hook=_members_once, parse_float=_refuse_fraction, parse_int=_small_integer)
    except MalformedMetadata:
        raise
    except orjson.JSONEncodeError:
        raise MalformedMetadata("This JSON is nested too deeply.") from None
    except (ValueError, RecursionError) as error:
        raise MalformedMetadata(f"This is not valid JSON: {_short(error)}.") from None


def count_values(data: bytes) -> int:
    """Tell how many values a document has at most, without reading it."""
    return data.count(b",") + data.count(b"[") + data.count(b"{")


def _encode_literally(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda item: item[0].encode())
        return "{" + ",".join(f"{_encode_literally(name)}:{_encode_literally(item)}" for name, item in members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_encode_literally(item) for item in value) + "]"
    return orjson.dumps(value).decode()


def _members_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedMetadata("A JSON object names one of its members twice.")
    return members


def _refuse_fraction(text: str) -> NoReturn:
    raise MalformedMetadata(f"Numbers have to be integers, this is {text[:20]}.")


def _small_integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) >= LARGEST_INTEGER:
        raise MalformedMetadata("A number is too large: integers have to stay below 2^53.")
    return int(text)


def _short(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:120].rstrip(".")

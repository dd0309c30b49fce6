"""The reader of a publish: role names whole, contents untouched, everything else refused."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing.server.errors import ApiError
from signing.server.multipart import MOST_PARTS, read_parts

KIND = "multipart/form-data; boundary=B"


def read(body: bytes, content_type: str = KIND) -> list[tuple[str, bytes]]:
    return list(read_parts(content_type, body))


def part(name: str, data: bytes = b"{}", boundary: bytes = b"B") -> bytes:
    return b'--%b\r\nContent-Disposition: form-data; name="files"; filename="%b"\r\n\r\n%b\r\n' % (
        boundary,
        name.encode(),
        data,
    )


END = b"--B--\r\n"


def test_role_names_keep_their_slashes() -> None:
    assert read(part("targets/releases") + part("root") + END) == [("targets/releases", b"{}"), ("root", b"{}")]


def test_no_part_at_all_as_go_writes_it() -> None:
    assert read(b"\r\n" + END) == read(END) == read(b"--B--") == []


@pytest.mark.parametrize(
    "kind",
    [
        'multipart/form-data; boundary="B"',
        "Multipart/Form-Data;boundary=B",
        'multipart/form-data; charset=utf-8; boundary="\\B"',
    ],
)
def test_ways_to_write_the_boundary(kind: str) -> None:
    assert read(part("root") + END, kind) == [("root", b"{}")]


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "application/json",
        "multipart/mixed; boundary=B",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=B; boundary=C",
        f"multipart/form-data; boundary={'B' * 71}",
        'multipart/form-data; boundary="B "',
        'multipart/form-data; boundary="B',
        'multipart/form-data; boundary="ä"',
    ],
)
def test_a_content_type_without_a_usable_boundary(kind: str) -> None:
    with pytest.raises(ApiError):
        read(part("root") + END, kind)


def test_each_refusal_is_an_error_of_its_own() -> None:
    """One raised again and again would pile up tracebacks, and with them the bodies it refused."""
    refusals = []
    for _ in range(2):
        with pytest.raises(ApiError) as refusal:
            read(b"")
        refusals.append(refusal.value)
    assert refusals[0] is not refusals[1]


HEADER = b'Content-Disposition: form-data; name="files"; filename="root"'
BAD_BODIES = {
    "nothing": b"",
    "another boundary": part("root", boundary=b"C") + b"--C--\r\n",
    "no end": part("root"),
    "no line after the boundary": b"--Bx" + END,
    "text before": b"hello\r\n" + part("root") + END,
    "text after": part("root") + END + b"hello",
    "parts after the end": part("root") + END + part("targets") + END,
    "no empty line after the headers": b"--B\r\n" + HEADER + b"\r\n" + END,
    "a header without colon": b"--B\r\n" + HEADER + b"\r\nnonsense\r\n\r\n{}\r\n" + END,
    "a header twice": b"--B\r\n" + HEADER + b"\r\n" + HEADER + b"\r\n\r\n{}\r\n" + END,
    "a folded header": b"--B\r\n" + HEADER + b';\r\n filename="targets"\r\n\r\n{}\r\n' + END,
    "two file names": b"--B\r\n" + HEADER + b'; filename="targets"\r\n\r\n{}\r\n' + END,
    "an encoding": b"--B\r\n" + HEADER + b"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}\r\n" + END,
    "endless headers": b"--B\r\n" + HEADER + b"\r\nX: " + b"x" * 5000 + b"\r\n\r\n{}\r\n" + END,
}


@pytest.mark.parametrize("case", BAD_BODIES)
def test_a_malformed_body_with(case: str) -> None:
    with pytest.raises(ApiError) as refusal:
        read(BAD_BODIES[case])
    assert refusal.value.kind.code == "MALFORMED_UPLOAD"


@pytest.mark.parametrize(
    "header",
    [
        b'Content-Disposition: form-data; name="files"',
        b'Content-Disposition: form-data; filename=""',
        b"Content-Type: application/octet-stream",
        b"Content-Disposition: form-data; filename*=utf-8''root",
    ],
)
def test_a_part_without_file_name(header: bytes) -> None:
    with pytest.raises(ApiError) as refusal:
        read(b"--B\r\n" + header + b"\r\n\r\n{}\r\n" + END)
    assert refusal.value.kind.code == "NO_FILENAME"


def test_content_that_looks_like_a_boundary_is_content() -> None:
    data = b"\r\n--Bx\r\n--B-\r\n--\r\n--B \t x\r\n\r\n"
    assert read(part("root", data) + END) == [("root", data)]


def test_reading_stops_at_too_many_parts() -> None:
    assert len(read(part("root") * MOST_PARTS + END)) == MOST_PARTS
    with pytest.raises(ApiError) as refusal:
        read(part("root") * (MOST_PARTS + 2) + b"whatever follows is not looked at")
    assert refusal.value.kind.status == 413


ROLES = st.from_regex(r"targets(/[-a-z0-9_]{1,20}){0,4}", fullmatch=True)
BOUNDARIES = st.from_regex(r"[A-Za-z0-9'()+_,./:=?-]{1,70}", fullmatch=True)


@settings(deadline=None)  # a busy machine is no mistake of the reader
@given(BOUNDARIES, st.lists(st.tuples(ROLES, st.binary(max_size=200)), max_size=8))
def test_what_is_written_is_read(boundary: str, parts: list[tuple[str, bytes]]) -> None:
    delimiter = rb"\r\n--" + re.escape(boundary.encode())
    parts = [(name, re.sub(delimiter, b"", data)) for name, data in parts]
    parts = [(name, data) for name, data in parts if not re.search(delimiter, b"\r\n" + data + b"\r\n")]
    body = b"".join(part(name, data, boundary.encode()) for name, data in parts) + b"--%b--\r\n" % boundary.encode()
    assert read(body, f'multipart/form-data; boundary="{boundary}"') == parts


@settings(deadline=None)  # a busy machine is no mistake of the reader
@given(st.binary(max_size=400), st.text(max_size=80))
def test_noise_is_refused_by_name(noise: bytes, content_type: str) -> None:
    for body, kind in (
        (noise, KIND),
        (noise, content_type),
        (part("root") + noise, KIND),
        (b"--B\r\n" + noise + END, KIND),
    ):
        with contextlib.suppress(ApiError):
            read(body, kind)

"""Keys on a token of SoftHSM: made there, used there, and what is said when the token does not let us."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from signing.trust.errors import BoundToToken, InvalidKey, KeyNotHeld, TokenUnavailable
from signing.trust.keystore import pkcs11 as tokens
from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.pkcs11 import Token, TokenPlace
from tests.parts.notary_cli import NotaryCli
from tests.parts.softhsm import SoftHsm, softhsm
from tests.parts.standalone_server import StandaloneServer

PAYLOAD = b'{"_type":"Timestamp"}'


@pytest.fixture(scope="module")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    """A folder of tokens that this process finds, too: a module reads its settings when it is loaded."""
    made = softhsm(tmp_path_factory.mktemp("hsm") / "softhsm")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in made.environment.items():
            patch.setenv(name, value)
        made.token("first")
        import pkcs11

        pkcs11.lib(made.token("second").module).reinitialize()
        yield made


@pytest.fixture
def place(hsm: SoftHsm, request: pytest.FixtureRequest) -> TokenPlace:
    """A token of the test's own."""
    import pkcs11

    made = hsm.token(request.node.name[-32:])
    pkcs11.lib(made.module).reinitialize()
    return made


def verifies(key: PrivateKey) -> bool:
    method, signature = key.sign(PAYLOAD)
    return key.public.verifies(method, signature, PAYLOAD)


def test_a_key_is_made_and_used_on_the_token(place: TokenPlace) -> None:
    made = Token(place).generate("timestamp of team/app")
    assert verifies(made)
    assert made.public.keytype == "ecdsa"

    assert verifies(Token(place).open(made.key_id))


def test_another_process_finds_the_key_by_its_id(place: TokenPlace) -> None:
    made = Token(place).generate("alice")
    token = restarted(place)
    assert [(info.key_id, info.role) for info in token.list()] == [(made.key_id, "alice")]
    assert token.holds(made.key_id)
    assert verifies(token.open(made.key_id))
    assert not token.holds("ab" * 32)
    with pytest.raises(KeyNotHeld):
        token.open("ab" * 32)


def test_a_key_that_another_program_made_is_found(place: TokenPlace) -> None:
    token = Token(place)
    made = token.generate("made elsewhere")
    from pkcs11 import Attribute, ObjectClass

    assert token._session is not None
    for kind in (ObjectClass.PUBLIC_KEY, ObjectClass.PRIVATE_KEY):
        for key in list(token._session.get_objects({Attribute.CLASS: kind})):
            key[Attribute.ID] = b"\x01"
    assert verifies(restarted(place).open(made.key_id))


def test_the_private_half_cannot_be_had(place: TokenPlace) -> None:
    from pkcs11 import Attribute, ObjectClass
    from pkcs11.exceptions import AttributeSensitive

    token = Token(place)
    made = token.generate("timestamp")
    with pytest.raises(BoundToToken):
        made.loaded  # noqa: B018
    assert token._session is not None
    (key,) = token._session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})
    with pytest.raises(AttributeSensitive):
        key[Attribute.VALUE]
    with pytest.raises(InvalidKey):
        token.add(PrivateKey.generate(), "alice")


def test_a_wrong_pin_is_said_once_and_tried_once(place: TokenPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    token = Token(replace(place, pin="0000"))
    assert "0000" not in repr(token.place)
    with pytest.raises(TokenUnavailable, match="does not take its PIN") as told:
        token.check()
    assert "0000" not in str(told.value) + told.value.next_step

    monkeypatch.setattr(tokens, "_session", lambda *arguments, **options: pytest.fail("the PIN was tried again"))
    with pytest.raises(TokenUnavailable, match="does not take its PIN"):
        token.generate("timestamp")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"label": "nowhere"}, "There is no token with the label nowhere."),
        ({"module": "/nowhere/module.so"}, "cannot open shared object file"),
        ({"module": __file__}, "does not answer as it should"),
    ],
)
def test_a_token_that_is_not_there(place: TokenPlace, change: dict[str, str], sentence: str) -> None:
    with pytest.raises(TokenUnavailable, match=sentence):
        Token(replace(place, **change)).check()


def test_without_the_library_it_says_what_to_install(place: TokenPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(TokenUnavailable) as told:
        Token(place).check()
    assert "requirements-hsm.txt" in told.value.next_step


def test_after_a_fork_the_session_is_opened_anew(place: TokenPlace) -> None:
    token = Token(place)
    key = token.generate("timestamp")
    assert in_a_child(lambda: verifies(key) and token._process == os.getpid())
    assert verifies(key)


def test_a_lost_session_is_opened_anew(place: TokenPlace) -> None:
    token = Token(place)
    key = token.generate("timestamp")
    assert token._session is not None
    token._session.close()
    assert verifies(key)


def test_a_token_that_went_away_is_one_clear_error(place: TokenPlace) -> None:
    token = Token(place)
    key = token.generate("timestamp")
    folder = Path(os.environ["SOFTHSM2_CONF"]).parent / "tokens"
    hidden = folder.rename(folder.with_name("pulled"))
    folder.mkdir()
    try:
        assert in_a_child(lambda: raises_unavailable(key))
    finally:
        folder.rmdir()
        hidden.rename(folder)
    assert verifies(key)


# The server with its keys on a token


@pytest.fixture
def server(hsm: SoftHsm, place: TokenPlace, tmp_path: Path) -> Iterator[StandaloneServer]:
    pin = tmp_path / "pin"
    pin.write_text(f"{place.pin}\n")
    settings = {
        "TRUST_SERVER_HSM_MODULE": place.module,
        "TRUST_SERVER_HSM_TOKEN": place.label,
        "TRUST_SERVER_HSM_PIN_FILE": str(pin),
    }
    (tmp_path / "server").mkdir()
    made = StandaloneServer(tmp_path / "server", environment={**hsm.environment, **settings})
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def trust_server(server: StandaloneServer) -> StandaloneServer:
    return server.start()


def test_notary_publishes_and_rotates_with_keys_on_the_token(
    trust_server: StandaloneServer, notary_cli: NotaryCli, place: TokenPlace, gun: str, tmp_path: Path
) -> None:
    content = tmp_path / "content"
    content.write_text("signed with a timestamp of a token")
    notary_cli.run("init", gun, "-p").succeeded()
    notary_cli.run("add", gun, "v1", str(content), "-p").succeeded()
    notary_cli.rotate(gun, "timestamp", to_server=True).succeeded()
    trust_server.stop()
    trust_server.start()
    notary_cli.rotate(gun, "snapshot", to_server=True).succeeded()
    notary_cli.run("add", gun, "v2", str(content), "-p").succeeded()
    assert set(notary_cli.list(gun)) == {"v1", "v2"}

    labels = {info.role for info in restarted(place).list()}
    assert labels == {f"timestamp {gun}", f"snapshot {gun}"}
    assert "PRIVATE KEY" not in trust_server.log.read_text()


def test_it_does_not_start_with_a_wrong_pin(server: StandaloneServer, tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("0000\n")
    server.migrate()
    said = server.manage(*server.command_line(f"127.0.0.1:{server.port}")[2:]).failed().stderr
    assert said.count("does not take its PIN") == 1
    assert "Traceback" not in said
    assert "0000" not in said


def restarted(place: TokenPlace) -> Token:
    """Give the token as a process finds it that has just begun."""
    import pkcs11

    pkcs11.lib(place.module).reinitialize()
    return Token(place)


def raises_unavailable(key: PrivateKey) -> bool:
    try:
        key.sign(PAYLOAD)
    except TokenUnavailable:
        return True
    return False


def in_a_child(check: Callable[[], bool]) -> bool:
    """Ask a forked child."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = 0 if check() else 1
        finally:
            os._exit(code)
    return os.waitpid(pid, 0)[1] == 0

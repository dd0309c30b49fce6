"""Passphrases as docker asks for them: from its two variables, else at the terminal (reference 1.7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from signing.local_signer.terminal import complain
from signing.trust.errors import WrongPassphrase
from signing.trust.notary.inspect import visible

ROOT_VARIABLE = "DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE"
REPOSITORY_VARIABLE = "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE"
NEW_VARIABLE = "TRUSTCTL_NEW_PASSPHRASE"
SHORTEST = 8
MOST_NEW_ATTEMPTS = 11

Ask = Callable[[str], str]


class Passphrases:
    """Gives passphrases by role; each role is asked for once, and what was typed serves its other keys too."""

    def __init__(self, environ: Mapping[str, str], ask: Ask | None) -> None:
        """`ask` reads one line without showing it; None where there is no terminal."""
        self._environ = environ
        self._ask = ask
        self._typed: dict[str, str] = {}

    def __call__(self, role: str, key_id: str, *, new: bool, attempt: int) -> str:
        """Give the passphrase of a key.

        Raises:
            WrongPassphrase: the variable's does not open it, or there is nobody to ask.
        """
        variable = ROOT_VARIABLE if role == "root" else REPOSITORY_VARIABLE
        if configured := self._environ.get(variable):
            if attempt:
                raise WrongPassphrase(
                    f"The passphrase in {variable} does not open the {shown(role)} key {key_id[:7]}.",
                    next_step=f"Correct {variable}, or unset it to be asked.",
                )
            return configured
        if attempt or role not in self._typed:
            self._typed[role] = self._new(role, key_id, variable) if new else self._known(role, key_id, variable)
        return self._typed[role]

    def fresh(self, role: str, key_id: str) -> str:
        """Give a key's next passphrase: the variable's for new ones, else what is typed twice.

        Raises:
            WrongPassphrase: there is nobody to ask.
        """
        return self._environ.get(NEW_VARIABLE) or self._new(role, key_id, NEW_VARIABLE)

    def _known(self, role: str, key_id: str, variable: str) -> str:
        return self._asked(f"Enter passphrase for {shown(role)} key{_with_id(key_id)}: ", variable)

    def _new(self, role: str, key_id: str, variable: str) -> str:
        if role == "root" and self._ask is not None:
            complain(
                "This makes a new root key. Whoever holds it and its passphrase decides what your repositories trust, "
                "and nobody can replace either. Choose a long passphrase and keep a copy of the key's file offline."
            )
        for _ in range(MOST_NEW_ATTEMPTS):
            passphrase = self._asked(f"Enter passphrase for new {shown(role)} key{_with_id(key_id)}: ", variable)
            if len(passphrase) < SHORTEST:
                complain(f"The passphrase is too short: it needs {SHORTEST} characters.")
                continue
            if self._asked(f"Repeat passphrase for new {shown(role)} key{_with_id(key_id)}: ", variable) == passphrase:
                return passphrase
            complain("The passphrases do not match.")
        raise WrongPassphrase(f"No passphrase was chosen for the new {shown(role)} key.")

    def _asked(self, prompt: str, variable: str) -> str:
        if self._ask is None:
            raise WrongPassphrase(
                "A passphrase is needed and there is no terminal to ask at.", next_step=f"Set {variable}."
            )
        try:
            return self._ask(prompt)
        except EOFError:
            raise WrongPassphrase("No passphrase was given.") from None


def shown(role: str) -> str:
    """Name a role as docker's prompts do."""
    return "repository" if role in ("targets", "snapshot") else visible(role) or "unnamed"


def _with_id(key_id: str) -> str:
    return f" with ID {key_id[:7]}" if key_id else ""

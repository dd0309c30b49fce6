"""Shell completion, from the tree of commands itself: the shells ask for the words that may come next."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Sequence

from signing.local_signer.exit_codes import Exit
from signing.local_signer.menu import Level
from signing.local_signer.session import Session
from signing.local_signer.terminal import say

BASH = """\
_trustctl() {
    local IFS=$'\\n'
    COMPREPLY=($(trustctl completion words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
    [ ${#COMPREPLY[@]} -gt 0 ] || compopt -o default
}
complete -F _trustctl trustctl"""

ZSH = """\
#compdef trustctl
_trustctl() {
    local -a found
    found=(${(f)"$(trustctl completion words -- "${(@)words[2,CURRENT]}" 2>/dev/null)"})
    if (( $#found )); then compadd -a found; else _files; fi
}
if [[ $funcstack[1] = _trustctl ]]; then _trustctl "$@"; else compdef _trustctl trustctl; fi"""

FISH = """\
function __trustctl_words
    set -l words (commandline -opc) (commandline -ct)
    set -l found (trustctl completion words -- $words[2..-1] 2>/dev/null)
    if set -q found[1]
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c trustctl -f -a '(__trustctl_words)'"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
FOR_SHELLS = "words"


def run(_session: Session, arguments: Namespace) -> Exit:
    """Print the script for a shell, or the words that fit what is typed so far."""
    from signing.local_signer.main import command_line

    if arguments.shell in SCRIPTS:
        say(SCRIPTS[arguments.shell])
        return Exit.DONE
    for word in candidates(command_line(), arguments.words):
        say(word)
    return Exit.DONE


def candidates(parser: argparse.ArgumentParser, words: Sequence[str]) -> list[str]:
    """Give the words that may stand in the place of the last of `words`; none where a file or a name belongs."""
    *before, typed = words or [""]
    waiting: argparse.Action | None = None
    for word in before:
        if waiting is not None:
            waiting = waiting if word == "=" else None  # bash makes three words of --server=URL
        elif word.startswith("-"):
            waiting = _wants_value(parser, word)
        else:
            parser = _into(parser, word)
    if waiting is not None:
        offered = [str(choice) for choice in waiting.choices or ()]
    elif typed.startswith("-"):
        offered = [option for action in _actions(parser) for option in action.option_strings if option.startswith("--")]
    else:
        offered = [*_below(parser), *_choices(parser)]
    return sorted(word for word in set(offered) - {FOR_SHELLS} if word.startswith(typed))


def _into(parser: argparse.ArgumentParser, word: str) -> argparse.ArgumentParser:
    """Go down to a command, or to what a level takes other words for."""
    below = _below(parser)
    return below.get(word) or (_otherwise(parser) if below else None) or parser


def _below(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    return parser.commands() if isinstance(parser, Level) else {}


def _otherwise(parser: argparse.ArgumentParser) -> argparse.ArgumentParser | None:
    return parser.otherwise if isinstance(parser, Level) else None


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    other = _otherwise(parser)
    return [*parser._actions, *(other._actions if other else ())]


def _choices(parser: argparse.ArgumentParser) -> list[str]:
    plain = [
        action
        for action in parser._actions
        if not action.option_strings and not isinstance(action, argparse._SubParsersAction)
    ]
    return [str(choice) for action in plain for choice in action.choices or ()]


def _wants_value(parser: argparse.ArgumentParser, word: str) -> argparse.Action | None:
    for action in _actions(parser):
        if word in action.option_strings and action.nargs != 0:
            return action
    return None

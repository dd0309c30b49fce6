"""Whatever a form does, a program can do by the same name; and every page says how."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import URLPattern, get_resolver

from trustui.api.calls import endpoints
from trustui.pages.api_calls import SHOWN

# An endpoint is called like the page's function: `pages.accounts.new` and `accounts_new`. Where it is not:
ENDPOINTS = {
    "webhook": "webhooks_change",  # the page of a webhook holds the form that changes it
    "machine_token_new": "tokens_new",  # the body says whose token it is
}

# Ways into the dashboard, and how a person proves who they are: for browsers only.
FOR_BROWSERS = {
    "theme",
    "language",
    "registry_token",  # answers programs already: docker and notary
    "account_login",
    "account_logout",
    "account_reauthenticate",
    "account_signup",
    "account_change_password",
    "account_reset_password",
    "account_reset_password_from_key",
    "openid_connect_login",
    "mfa_login_webauthn",
    "mfa_authenticate",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "mfa_activate_totp",
    "mfa_deactivate_totp",
    "mfa_add_webauthn",
    "mfa_remove_webauthn",
    "mfa_edit_webauthn",
    "mfa_generate_recovery_codes",
}


def _pages() -> Iterator[URLPattern]:
    for pattern in get_resolver().url_patterns:
        if isinstance(pattern, URLPattern):  # the API itself, and Django's admin, are resolvers
            yield pattern


def _takes_post(pattern: URLPattern) -> bool:
    """Tell by the methods that the view's decorator lets through, or that its class has; a plain view takes any."""
    view = pattern.callback
    if view_class := getattr(view, "view_class", None):
        return hasattr(view_class, "post")
    while view is not None:
        for name, cell in zip(view.__code__.co_freevars, view.__closure__ or (), strict=True):
            if name == "request_method_list":
                return "POST" in cell.cell_contents
        view = getattr(view, "__wrapped__", None)
    return True


FORMS = {str(pattern.name): pattern for pattern in _pages() if _takes_post(pattern)}


def _endpoint_of(name: str) -> str:
    function = FORMS[name].callback
    return ENDPOINTS.get(name) or f"{function.__module__.rpartition('.')[2]}_{function.__name__}"


def test_forms_are_found() -> None:
    assert {"account_new", "request_approve", "operation_cancel", "theme", "account_login"} <= FORMS.keys()
    assert not {"accounts", "audit", "operation", "key_download"} & FORMS.keys()


@pytest.mark.parametrize("name", sorted(FORMS.keys() - FOR_BROWSERS))
def test_it_has_an_endpoint(name: str) -> None:
    endpoint = endpoints().get(_endpoint_of(name))

    assert endpoint is not None, f"{_endpoint_of(name)} is missing in trustui/api"
    assert endpoint.method != "GET"


@pytest.mark.parametrize("name", sorted(FORMS.keys() - FOR_BROWSERS))
def test_some_page_shows_its_call(name: str) -> None:
    shown = {endpoint for names in SHOWN.values() for endpoint in names}

    assert _endpoint_of(name) in shown, "add it to SHOWN in trustui/pages/api_calls.py"


def test_what_is_shown_exists() -> None:
    pages = {str(pattern.name) for pattern in _pages()}

    assert SHOWN.keys() <= pages
    assert {name for names in SHOWN.values() for name in names} <= endpoints().keys()


def test_what_is_for_browsers_is_a_form() -> None:
    assert FORMS.keys() >= FOR_BROWSERS, "so that no name stays here for nothing"

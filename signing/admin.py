"""Django's admin for operators: every row of the dashboard to look at, and none to change.

Trust is changed through services only, which authorise, record and announce. So nothing here adds, edits or deletes,
and no column that holds a secret, sealed or hashed, is shown. It is off unless `DJANGO_ADMIN` is set, and for
administrators only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

SECRETS = frozenset({"password", "token_hash", "locked_token", "challenge"})  # besides every binary column
SHOWN_COLUMNS = 6


if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[models.Model]
else:
    _ModelAdmin = admin.ModelAdmin  # generic in the stubs only


class OperatorsSite(admin.AdminSite):
    """The admin behind the dashboard's own sign-in: it has none of its own, and changes no password past the record."""

    site_header = site_title = "TrustUI for operators"
    index_title = "What the database holds, to read"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return bool(user.is_active and getattr(user, "is_superuser", False) and not getattr(user, "is_machine", True))

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Send who is not signed in to the sign-in page; who is signed in and no administrator, away."""
        return redirect("overview" if request.user.is_authenticated else "account_login")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]
        return redirect("account_logout")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]
        return redirect("account_change_password")


class ReadOnly(_ModelAdmin):
    """Rows to look at."""

    actions = None
    list_select_related = True
    show_facets = admin.ShowFacets.NEVER

    def get_fields(self, request: HttpRequest, obj: models.Model | None = None) -> tuple[str, ...]:
        return tuple(field.name for field in self.model._meta.concrete_fields if is_shown(field))

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return self.get_fields(request)[:SHOWN_COLUMNS]

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.admin_site.has_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.admin_site.has_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


def is_shown(field: models.Field[Any, Any]) -> bool:
    """Tell whether a column may be seen: no secret, be it sealed, locked or hashed."""
    return not isinstance(field, models.BinaryField) and field.name not in SECRETS


site = OperatorsSite(name="admin")
site.register(list(apps.get_app_config("signing").get_models()), ReadOnly)

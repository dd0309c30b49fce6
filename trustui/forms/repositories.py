"""Repositories: adding one, narrowing the list, and choosing some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from signing.models import Account, Repository
from signing.selectors.accounts import visible_accounts
from trustui.forms.base import NameField, ServiceForm
from trustui.htmx import HtmxRequest

SHOWN_REPOSITORIES = 200  # beyond that the search in the address narrows the choice


class RepositoriesField(forms.MultipleChoiceField):
    """Some of the repositories a person may see, by name; the address narrows a long list with `q`."""

    def __init__(self, request: HtmxRequest, rows: QuerySet[Repository], **kwargs: Any) -> None:
        self.rows = rows
        search = request.GET.get("q", "").strip()
        shown = rows.filter(gun__icontains=search) if search else rows
        names = list(shown.values_list("gun", flat=True)[:SHOWN_REPOSITORIES])
        chosen = rows.filter(gun__in=request.POST.getlist("repositories")).values_list("gun", flat=True)
        names += [gun for gun in chosen if gun not in names]
        kwargs.setdefault("widget", forms.CheckboxSelectMultiple)
        super().__init__(choices=[(gun, gun) for gun in names], **kwargs)

    def clean(self, value: Any) -> Sequence[Repository]:
        names: list[str] = super().clean(value)
        return list(self.rows.filter(gun__in=names))


class RepositoryForm(ServiceForm):
    """A new repository of one account."""

    path = NameField(max_length=200, label=_("Name"), help_text=_("The rest of the image name, without a tag."))
    description = forms.CharField(max_length=200, required=False)

    def __init__(self, request: HtmxRequest, account: Account) -> None:
        super().__init__(request)
        prefix = "/".join(filter(None, (account.registry, account.namespace)))
        self.fields["path"].help_text = gettext("The image will be called %(prefix)s/NAME:TAG.") % {"prefix": prefix}


class RepositoryFilter(forms.Form):
    """Filters of the list, kept in the address."""

    q = forms.CharField(required=False, label=_("Search"), max_length=255)
    account = forms.ChoiceField(required=False)
    verdict = forms.ChoiceField(
        required=False, choices=[("", _("Any")), *Repository.Verdict.choices], label=_("Status")
    )

    def __init__(self, request: HtmxRequest) -> None:
        super().__init__(data=request.GET)
        names = [account.name for account in visible_accounts(request.user)]
        cast(forms.ChoiceField, self.fields["account"]).choices = [
            ("", gettext("Any")),
            *((name, name) for name in names),
        ]
        self.fields["q"].widget = forms.TextInput(attrs={"type": "search", "autocomplete": "off"})

    def value(self, name: str) -> str:
        """Return a filter's value; one that is no choice narrows nothing."""
        return self.cleaned_data.get(name, "") if self.is_valid() or name in self.cleaned_data else ""

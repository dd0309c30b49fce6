"""An account's webhooks: who is told of its events, and what was sent."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from signing.models import Account, Webhook
from signing.permissions import may, require
from signing.selectors.accounts import visible_accounts
from signing.selectors.webhooks import deliveries_of, visible_webhooks
from signing.services.webhooks import (
    change_webhook,
    create_webhook,
    delete_webhook,
    ping_webhook,
    renew_secret,
    send_again,
)
from trustui.forms.webhooks import WebhookChangeForm, WebhookForm
from trustui.htmx import HtmxRequest
from trustui.pages.base import form_page, page_of


@login_required
@require_GET
def index(request: HtmxRequest, name: str) -> HttpResponse:
    account = _account(request, name)
    require(request.user, "view_webhooks", account)
    context = {
        "account": account,
        "page": page_of(request, visible_webhooks(request.user, account)),
        "may_manage": may(request.user, "manage_webhooks", account),
    }
    return render(request, "pages/webhooks.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def new(request: HtmxRequest, name: str) -> HttpResponse:
    account = _account(request, name)
    require(request.user, "manage_webhooks", account)
    form = WebhookForm(request)
    if form.is_valid() and (
        made := form.carry_out(create_webhook, actor=request.user, account=account, **form.cleaned_data)
    ):
        webhook, secret = made
        return render(request, "pages/webhook_secret.html", {"webhook": webhook, "secret": secret}, status=201)
    return form_page(request, "pages/webhook_new.html", form, account=account)


@login_required
@require_http_methods(["GET", "POST"])
def show(request: HtmxRequest, pk: int) -> HttpResponse:
    """What was sent, and the form that changes it."""
    webhook = _visible(request, pk)
    form = WebhookChangeForm(
        request, initial={"url": webhook.url, "events": webhook.events, "is_active": webhook.is_active}
    )
    if form.is_valid():
        form.carry_out(change_webhook, actor=request.user, webhook=webhook, **form.cleaned_data)
        if form.refusal is None:
            messages.success(request, gettext("Saved."))
            return redirect("webhook", pk)
    context = {
        "webhook": webhook,
        "page": page_of(request, deliveries_of(webhook)),
        "may_manage": may(request.user, "manage_webhooks", webhook),
    }
    return form_page(request, "pages/webhook.html", form, **context)


@login_required
@require_POST
def secret(request: HtmxRequest, pk: int) -> HttpResponse:
    """Replace the secret."""
    webhook = _visible(request, pk)
    fresh = renew_secret(actor=request.user, webhook=webhook)
    return render(request, "pages/webhook_secret.html", {"webhook": webhook, "secret": fresh})


@login_required
@require_POST
def ping(request: HtmxRequest, pk: int) -> HttpResponse:
    """Send a test."""
    webhook = _visible(request, pk)
    ping_webhook(actor=request.user, webhook=webhook)
    messages.success(request, gettext("A test is on its way; it stands at the top of the deliveries."))
    return redirect("webhook", pk)


@login_required
@require_POST
def delete(request: HtmxRequest, pk: int) -> HttpResponse:
    webhook = _visible(request, pk)
    account = webhook.account
    delete_webhook(actor=request.user, webhook=webhook)
    messages.success(request, gettext("%(url)s is told nothing any more.") % {"url": webhook.url})
    return redirect("account_webhooks", account.name)


@login_required
@require_POST
def again(request: HtmxRequest, pk: int, delivery: int) -> HttpResponse:
    """Send one delivery once more."""
    row = get_object_or_404(deliveries_of(_visible(request, pk)), pk=delivery)
    send_again(actor=request.user, delivery=row)
    messages.success(request, gettext("It is sent again."))
    return redirect("webhook", pk)


def _account(request: HtmxRequest, name: str) -> Account:
    return get_object_or_404(visible_accounts(request.user), name=name)


def _visible(request: HtmxRequest, pk: int) -> Webhook:
    return get_object_or_404(visible_webhooks(request.user), pk=pk)

"""Keys: the list, new ones in three ways, one key with its certificate."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from signing.certificates import issuer_name
from signing.freezing import freezes_on
from signing.models import Key, Repository
from signing.permissions import may
from signing.selectors.keys import visible_keys
from signing.selectors.signers import repositories_of
from signing.services.keys import attach_certificate, enrol_public_key, generate_key, import_key, request_csr
from trustui.forms.keys import CertificateForm, CsrForm, EnrolKeyForm, GenerateKeyForm, ImportKeyForm
from trustui.htmx import HtmxRequest
from trustui.pages import commands
from trustui.pages.base import accounts_where, ask_account, chosen_account, form_page, may_somewhere, page_of
from trustui.pages.files import file_of_rows

COLUMNS = (
    "name",
    "key_id",
    "purpose",
    "custody",
    "unattended",
    "location",
    "allowed",
    "keytype",
    "account",
    "repository",
    "owner",
    "certificate_issuer",
    "certificate_ends",
    "proved",
    "created",
)


@login_required
@require_GET
def index(request: HtmxRequest) -> HttpResponse:
    purpose = request.GET.get("purpose", "")
    context = {
        "page": page_of(request, _wanted(request)),
        "purpose": purpose,
        "purposes": Key.Purpose.choices,
        "may_add": may_somewhere(request, "create_key"),
        "generate_command": commands.key_generate(request.user.username),
    }
    return render(request, "pages/keys.html", context)


@login_required
@require_GET
def as_csv(request: HtmxRequest) -> HttpResponse:
    """The keys that are listed, on all pages, for a spreadsheet."""
    return file_of_rows("keys", "csv", COLUMNS, (row_of(key) for key in _wanted(request)))


@login_required
@require_GET
def as_json(request: HtmxRequest) -> HttpResponse:
    """The keys that are listed, on all pages, for a program."""
    return file_of_rows("keys", "json", COLUMNS, (row_of(key) for key in _wanted(request)))


def row_of(key: Key) -> dict[str, Any]:
    """Give one key in a program's words."""
    return {
        "name": key.name,
        "key_id": key.key_id,
        "purpose": key.purpose,
        "custody": key.custody,
        "unattended": bool(key.unattended),
        "location": key.location,
        "allowed": " ".join(key.allowed_guns),
        "keytype": key.keytype,
        "account": key.account.name,
        "repository": key.gun,
        "owner": key.owner.username if key.owner else "",
        "certificate_issuer": issuer_name(key.certificate_pem),
        "certificate_ends": key.certificate_expires.isoformat() if key.certificate_expires else "",
        "proved": key.proved_at.isoformat() if key.proved_at else "",
        "created": key.created_at.isoformat(),
    }


@login_required
@require_http_methods(["GET", "POST"])
def generate(request: HtmxRequest) -> HttpResponse:
    accounts = accounts_where(request, "create_key")
    if (account := chosen_account(request, accounts)) is None:
        return ask_account(request, accounts, gettext("make a key"))
    form = GenerateKeyForm(request, account)
    if form.is_valid():
        operation = form.carry_out(generate_key, actor=request.user, account=account, **form.arguments())
        if operation:
            return redirect(operation)
    return form_page(
        request,
        "pages/key_generate.html",
        form,
        account=account,
        generate_command=commands.key_generate(request.user.username),
    )


@login_required
@require_http_methods(["GET", "POST"])
def import_file(request: HtmxRequest) -> HttpResponse:
    accounts = accounts_where(request, "create_key")
    if (account := chosen_account(request, accounts)) is None:
        return ask_account(request, accounts, gettext("import a key"))
    form = ImportKeyForm(request, account)
    if form.is_valid():
        operation = form.carry_out(import_key, actor=request.user, account=account, **form.arguments())
        if operation:
            return redirect(operation)
    return form_page(request, "pages/key_import.html", form, account=account)


@login_required
@require_http_methods(["GET", "POST"])
def enrol(request: HtmxRequest) -> HttpResponse:
    accounts = accounts_where(request, "create_key")
    if (account := chosen_account(request, accounts)) is None:
        return ask_account(request, accounts, gettext("enrol a public key"))
    form = EnrolKeyForm(request, account)
    if form.is_valid():
        key = form.carry_out(
            enrol_public_key,
            actor=request.user,
            account=account,
            name=form.cleaned_data["name"],
            public_pem=form.cleaned_data["pem"],
        )
        if key:
            messages.success(
                request, gettext("The key of %(key)s is enrolled; its private half stays with you.") % {"key": key.name}
            )
            return redirect(key)
    return form_page(
        request,
        "pages/key_enrol.html",
        form,
        account=account,
        generate_command=commands.key_generate(request.user.username),
    )


@login_required
@require_GET
def show(request: HtmxRequest, key_id: str) -> HttpResponse:
    return _key_page(request, _visible(request, key_id))


@login_required
@require_POST
def csr(request: HtmxRequest, key_id: str) -> HttpResponse:
    """Have a certificate request made."""
    key = _visible(request, key_id)
    form = CsrForm(request, key)
    if form.is_valid():
        operation = form.carry_out(request_csr, actor=request.user, key=key, **form.cleaned_data)
        if operation:
            return redirect(operation)
    return _key_page(request, key, csr_form=form)


@login_required
@require_POST
def certificate(request: HtmxRequest, key_id: str) -> HttpResponse:
    """Attach what the authority issued."""
    key = _visible(request, key_id)
    form = CertificateForm(request)
    if (
        form.is_valid()
        and form.carry_out(attach_certificate, actor=request.user, key=key, pem=form.cleaned_data["pem"]) is not None
    ):
        messages.success(request, gettext("The certificate belongs to this key and is attached."))
        return redirect(key)
    return _key_page(request, key, certificate_form=form)


@login_required
@require_GET
def download(request: HtmxRequest, key_id: str, part: str) -> HttpResponse:
    """Give the public key, the certificate request or the certificate as a file."""
    key = _visible(request, key_id)
    texts = {"public": key.public_pem, "csr": key.csr_pem, "certificate": key.certificate_pem}
    if not texts.get(part):
        raise Http404("no such part")
    names = {"public": f"{key.name}.pub", "csr": f"{key.name}.csr", "certificate": f"{key.name}.crt"}
    headers = {"Content-Disposition": f'attachment; filename="{names[part]}"'}
    return HttpResponse(texts[part], content_type="application/x-pem-file", headers=headers)


def _wanted(request: HtmxRequest) -> QuerySet[Key]:
    rows, purpose = visible_keys(request.user), request.GET.get("purpose", "")
    return rows.filter(purpose=purpose) if purpose in Key.Purpose.values else rows


def _visible(request: HtmxRequest, key_id: str) -> Key:
    return get_object_or_404(visible_keys(request.user), key_id=key_id)


def _key_page(
    request: HtmxRequest, key: Key, csr_form: CsrForm | None = None, certificate_form: CertificateForm | None = None
) -> HttpResponse:
    sent = csr_form or certificate_form
    signers = list(key.signers.select_related("account", "user", "key"))
    repositories: list[Repository] = [one for signer in signers for one in repositories_of(signer)]
    if key.gun:
        repositories = list(Repository.objects.filter(gun=key.gun, account=key.account))
    context = {
        "key": key,
        "issuer": issuer_name(key.certificate_pem),
        "csr_command": commands.key_csr(key),
        "signers": signers,
        "repositories": repositories,
        "may_use": may(request.user, "use_key", key),
        "may_freeze": may(request.user, "freeze", key),
        "may_replace": may(request.user, "replace_key", key),
        "freezes": list(freezes_on(key=key)),
        "may_make_signer": key.purpose == Key.Purpose.SIGNER and may(request.user, "create_signer", key.account),
        "csr_form": csr_form or CsrForm(request, key, is_sent=False),
        "certificate_form": certificate_form or CertificateForm(request, is_sent=False),
        "operations": key.operations.select_related("repository", "account")[:5],
    }
    return render(request, "pages/key.html", context, status=sent.status if sent else 200)

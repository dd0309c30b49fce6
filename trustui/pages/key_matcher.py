"""The key matcher: whose key is this, and what does it vouch for."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from signing.selectors.key_matcher import MOST_KEYS, SHORTEST, match_keys
from trustui.forms.key_matcher import KeyMatcherForm
from trustui.htmx import HtmxRequest
from trustui.pages.base import form_page

SHOWN_TAGS = 12
_ID = re.compile(rf"[0-9a-f]{{{SHORTEST},64}}")


@sensitive_post_parameters("pem")
@login_required
@require_http_methods(["GET", "POST"])
def find(request: HtmxRequest) -> HttpResponse:
    """Ask with a form, and answer under an address that names the ids alone, which can be kept and passed on."""
    form = KeyMatcherForm(request)
    if form.is_valid() and (ids := form.read()):
        return redirect(f"{request.path}?{urlencode({'key': ids}, doseq=True)}")
    status = form.status
    if form.is_bound:
        form.forget()
    asked = [value for value in request.GET.getlist("key") if _ID.fullmatch(value)][: 2 * MOST_KEYS]
    answer = form_page(
        request,
        "pages/key_matcher.html",
        form,
        asked=asked,
        matches=[] if form.is_bound else match_keys(request.user, asked),
        shown_tags=SHOWN_TAGS,
    )
    answer.status_code = status
    return answer

"""Use in CI: a repository's steps for build servers."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from signing.selectors.repositories import visible_repositories
from signing.selectors.signers import approved_signers
from trustui.htmx import HtmxRequest
from trustui.pages.ci_snippets import ASK, PUBLISH, snippets

WAYS = {ASK: _("Ask for a signature"), PUBLISH: _("Publish")}


@login_required
@require_GET
def show(request: HtmxRequest, gun: str) -> HttpResponse:
    repository = get_object_or_404(visible_repositories(request.user), gun=gun)
    way = request.GET.get("way", ASK)
    way = way if way in WAYS else ASK
    here = [signer for signer in approved_signers(repository) if signer.key.is_held_here]
    # nobody's signer signs once it is approved; a person's waits for that person, and publishes for them alone
    here.sort(key=lambda signer: signer.user_id != (None if way == ASK else request.user.pk))
    signer = next((signer.name for signer in here if signer.name == request.GET.get("signer")), "")
    signer = signer or (here[0].name if here else "")
    context = {
        "repository": repository,
        "ways": WAYS.items(),
        "way": way,
        "signers": here,
        "signer": signer,
        "snippets": snippets(request.build_absolute_uri("/"), gun, signer, way),
    }
    return render(request, "pages/repository_ci.html", context)

"""The first page: what to do first, what waits for me, what happens now."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from signing.models import Operation
from signing.selectors.operations import visible_operations
from signing.selectors.overview import Overview, overview
from signing.selectors.requests import visible_requests, waiting_for
from trustui.htmx import HtmxRequest

WAITING_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Task:
    """One step of the walk-through, as people know it from the command line."""

    title: str
    known_as: str
    is_done: bool
    url: str
    button: str


@login_required
@require_GET
def show(request: HtmxRequest) -> HttpResponse:
    counts = overview(request.user)
    tasks = _walk_through(request, counts)
    return render(
        request,
        "pages/overview.html",
        {
            "counts": counts,
            "waiting": waiting_for(request.user)[:WAITING_SHOWN],
            "tasks": tasks,
            "next_task": next((task for task in tasks if not task.is_done), None),
            "done_count": sum(task.is_done for task in tasks),
        },
    )


def _walk_through(request: HtmxRequest, counts: Overview) -> list[Task]:
    """List W1 to W10 of the tutorial every user of content trust has followed."""
    kinds = set(
        visible_operations(request.user)
        .filter(state=Operation.State.DONE)
        .order_by()
        .values_list("kind", flat=True)
        .distinct()
    )
    asked = visible_requests(request.user).exists()
    published = Operation.Kind.PUBLISH in kinds
    repositories = reverse("repositories")
    return [
        Task(
            "Make your signer key",
            "docker trust key generate",
            counts.signer_keys > 0,
            reverse("key_generate"),
            "New key",
        ),
        Task(
            "Or bring one: a key file or a certificate",
            "docker trust key load",
            counts.signer_keys > 0,
            reverse("key_import"),
            "Import a key",
        ),
        Task(
            "Have a trust server",
            "docker-compose up -d",
            counts.accounts > 0,
            reverse("trust_servers"),
            "Trust servers",
        ),
        Task(
            "Add a signer: ask, and somebody else approves",
            "docker trust signer add",
            asked,
            reverse("request_new"),
            "Request a signer",
        ),
        Task(
            "Name the trust server to use",
            "export DOCKER_CONTENT_TRUST_SERVER",
            counts.accounts > 0,
            reverse("accounts"),
            "Accounts",
        ),
        Task(
            "Pull the image",
            "docker pull",
            published or Operation.Kind.PULL in kinds,
            repositories,
            "Choose a repository",
        ),
        Task("Name it for your repository", "docker tag", published, repositories, "Publish"),
        Task("Sign the tag", "docker trust sign", counts.signed_tags > 0, repositories, "Publish"),
        Task(
            "Push with content trust on",
            "export DOCKER_CONTENT_TRUST=1; docker push",
            published,
            repositories,
            "Publish",
        ),
        Task(
            "Look who signed what",
            "docker trust inspect --pretty",
            counts.signed_tags > 0 and counts.verdicts["verified"] > 0,
            repositories,
            "Inspect",
        ),
    ]

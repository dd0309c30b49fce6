"""Repositories a person may see, as the last check left them."""

from __future__ import annotations

from django.db.models import Count, QuerySet

from signing.models import Repository, SignedTag, User
from signing.selectors.reach import Reach


def visible_repositories(user: User, search: str = "") -> QuerySet[Repository]:
    """List the repositories a person has a role in, with the number of their signed tags as `tag_count`."""
    repositories = Repository.objects.select_related("account__trust_server").filter(Reach(user).repositories())
    if search:
        repositories = repositories.filter(gun__icontains=search.strip())
    return repositories.annotate(tag_count=Count("tags")).order_by("gun")


def tags_of(repository: Repository) -> QuerySet[SignedTag]:
    """List the signed tags in the order `docker trust inspect` prints them."""
    return repository.tags.order_by("sort_key", "digest")

"""Repositories a person may see, as the last check left them."""

from __future__ import annotations

from django.db.models import Count, QuerySet

from signing.models import Repository, SignedTag, User


def visible_repositories(user: User, search: str = "") -> QuerySet[Repository]:
    """List the repositories of the person's accounts with the number of their signed tags as `tag_count`."""
    repositories = Repository.objects.select_related("account__trust_server")
    if not user.is_superuser:
        repositories = repositories.filter(account__memberships__user=user)
    if search:
        repositories = repositories.filter(gun__icontains=search.strip())
    return repositories.annotate(tag_count=Count("tags")).order_by("gun")


def tags_of(repository: Repository) -> QuerySet[SignedTag]:
    """List the signed tags in the order `docker trust inspect` prints them."""
    return repository.tags.order_by("sort_key", "digest")

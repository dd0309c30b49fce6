"""API tokens a person may see: their own, those of machines they answer for, and for an administrator all."""

from __future__ import annotations

from django.db.models import QuerySet

from signing.models import ApiToken, User
from signing.permissions import acting_token, scope_of
from signing.selectors.people import machines_run_by


def visible_tokens(user: User) -> QuerySet[ApiToken]:
    """List them, the newest first. A token shows its own row at most, whatever its user sees."""
    tokens = ApiToken.objects.select_related("user", "created_by").prefetch_related("repositories__account")
    token = acting_token(user)
    if token and (scope_of("manage_tokens") not in token.scopes or token.repositories.exists()):
        return tokens.filter(pk=token.pk)
    if not user.is_active:
        return tokens.none()
    if user.is_superuser:
        return tokens
    return tokens.filter(user__in=[user, *machines_run_by(user)])

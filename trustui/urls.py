"""Every address a person can open.

A GUN holds slashes and, in its host, a colon; its path holds no colon. So `repositories/GUN/` and
`repositories/GUN:TAG/` read like the image name itself, and what is done with one begins with its own word.
"""

from __future__ import annotations

from allauth.account import views as allauth
from allauth.mfa.base import views as second_factor
from allauth.mfa.webauthn import views as passkey
from django.conf import settings
from django.urls import path, register_converter
from django.urls.converters import StringConverter

from trustui.api.main import api
from trustui.pages import (
    accounts,
    alerts,
    api_docs,
    audit,
    ci,
    design,
    expiry,
    freezing,
    health,
    held_keys,
    history,
    inbox,
    key_matcher,
    keys,
    machines,
    members,
    metadata,
    metrics,
    my_sign_in,
    oidc,
    operations,
    overview,
    people,
    policies,
    publish,
    registry_tokens,
    repositories,
    repository,
    request_asking,
    requests,
    rotations,
    session,
    shell,
    signers,
    step_up,
    tokens,
    trust_server_contents,
    trust_server_transfers,
    trust_servers,
    webhooks,
)


class GunConverter:
    """A GUN: its host may carry a port, the parts after it no colon; none is a hyphen, which ends it in the API."""

    regex = r"[^/]+(?:/(?!-(?:/|$))[^/:]+)+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class UidConverter(StringConverter):
    """A row's number in base 36, as allauth writes it into links."""

    regex = "[0-9A-Za-z]+"


register_converter(GunConverter, "gun")
register_converter(UidConverter, "uid")

handler500 = "trustui.pages.failures.broken"

urlpatterns = [
    path("", overview.show, name="overview"),
    path("healthz", shell.health, name="health"),
    path("metrics", metrics.show, name="metrics"),
    path("theme/", shell.theme, name="theme"),
    path("design/", design.show, name="design"),
    path("language/", shell.language, name="language"),
    path("token", registry_tokens.issue, name="registry_token"),
    # signing in; of allauth's pages those that an administrator, who hands out accounts, leaves to do
    path("me/login/", session.SignIn.as_view(), name="account_login"),
    path("me/login/passkey/", passkey.login_webauthn, name="mfa_login_webauthn"),
    path("me/login/code/", second_factor.authenticate, name="mfa_authenticate"),
    path("me/login/cancelled/", oidc.cancelled, name="socialaccount_login_cancelled"),
    path("me/login/with/<slug:provider_id>/", oidc.go, name="openid_connect_login"),
    path("me/login/with/<slug:provider_id>/back/", oidc.back, name="openid_connect_callback"),
    path("me/logout/", allauth.logout, name="account_logout"),
    path("me/confirm/", allauth.reauthenticate, name="account_reauthenticate"),
    path("me/confirm/code/", second_factor.reauthenticate, name="mfa_reauthenticate"),
    path("me/confirm/passkey/", passkey.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("me/signup/", allauth.signup, name="account_signup"),
    path("me/inactive/", allauth.account_inactive, name="account_inactive"),
    path("me/password/change/", session.PasswordChange.as_view(), name="account_change_password"),
    path("me/password/forgotten/", session.PasswordForgotten.as_view(), name="account_reset_password"),
    path("me/password/forgotten/sent/", session.PasswordForgottenSent.as_view(), name="account_reset_password_done"),
    path(
        "me/password/reset/<uid:uidb36>-<slug:key>/",
        session.PasswordReset.as_view(),
        name="account_reset_password_from_key",
    ),
    path(
        "me/password/reset/done/",
        session.PasswordResetDone.as_view(),
        name="account_reset_password_from_key_done",
    ),
    path("me/sign-in/", my_sign_in.show, name="mfa_index"),
    path("me/sign-in/app/", my_sign_in.AppAdd.as_view(), name="mfa_activate_totp"),
    path("me/sign-in/app/remove/", my_sign_in.AppRemove.as_view(), name="mfa_deactivate_totp"),
    path("me/sign-in/passkeys/new/", my_sign_in.PasskeyAdd.as_view(), name="mfa_add_webauthn"),
    path("me/sign-in/passkeys/<int:pk>/remove/", my_sign_in.PasskeyRemove.as_view(), name="mfa_remove_webauthn"),
    path("me/sign-in/passkeys/<int:pk>/rename/", my_sign_in.PasskeyRename.as_view(), name="mfa_edit_webauthn"),
    path("me/sign-in/codes/", my_sign_in.CodesShow.as_view(), name="mfa_view_recovery_codes"),
    path("me/sign-in/codes/new/", my_sign_in.CodesNew.as_view(), name="mfa_generate_recovery_codes"),
    path("me/sign-in/sessions/end/", my_sign_in.sessions_end, name="my_sessions_end"),
    path("me/sign-in/sessions/<int:pk>/end/", my_sign_in.session_end, name="my_session_end"),
    # for programs
    path("api/v1/docs", api_docs.show, name="api_docs"),
    path("api/v1/docs/<slug:stem>", api_docs.part, name="api_docs_part"),
    path("api/v1/", api.urls),
    # repositories
    path("repositories/", repositories.index, name="repositories"),
    path("new/repository/", repositories.new, name="repository_new"),
    path("repositories/<gun:gun>/", repository.show, name="repository"),
    path("repositories/<gun:gun>:<str:tag>/", repositories.tag, name="tag"),
    path("repository-check/<gun:gun>/", repositories.check, name="repository_check"),
    path("repository-json/<gun:gun>/", repositories.as_json, name="repository_json"),
    path("repository-metadata/<gun:gun>/", metadata.show, name="repository_metadata"),
    path("repository-metadata-file/<gun:gun>/", metadata.download, name="repository_metadata_file"),
    path("repository-history/<gun:gun>/", history.index, name="repository_history"),
    path("history-files/<slug:form>/<gun:gun>/", history.download, name="repository_history_file"),
    path("repository-ci/<gun:gun>/", ci.show, name="repository_ci"),
    path("publish/<gun:gun>/", publish.image, name="publish"),
    path("sign/<gun:gun>/", publish.digest, name="sign"),
    path("pull/<gun:gun>:<str:tag>/", publish.pull, name="repository_pull"),
    # keys and signers
    path("keys/", keys.index, name="keys"),
    path("keys/keys.csv", keys.as_csv, name="keys_csv"),
    path("keys/keys.json", keys.as_json, name="keys_json"),
    path("new/key/", keys.generate, name="key_generate"),
    path("new/key/import/", keys.import_file, name="key_import"),
    path("new/key/enrol/", keys.enrol, name="key_enrol"),
    path("new/key/held/", held_keys.enrol, name="key_held"),
    path("keys/<str:key_id>/allowed/", held_keys.allow, name="key_allowed"),
    path("keys/<str:key_id>/", keys.show, name="key"),
    path("keys/<str:key_id>/csr/", keys.csr, name="key_csr"),
    path("keys/<str:key_id>/certificate/", keys.certificate, name="key_certificate"),
    path("keys/<str:key_id>/<str:part>.pem", keys.download, name="key_download"),
    path("keys/<str:key_id>/rotate/", rotations.rotate, name="key_rotate"),
    path("rotations/", rotations.index, name="rotations"),
    path("rotations/<int:pk>/", rotations.show, name="rotation"),
    path("rotations/<int:pk>/ask/", rotations.ask, name="rotation_ask"),
    path("rotations/<int:pk>/pause/", rotations.pause, name="rotation_pause"),
    path("rotations/<int:pk>/resume/", rotations.resume, name="rotation_resume"),
    path("rotations/<int:pk>/retry/", rotations.retry, name="rotation_retry"),
    path("rotations/<int:pk>/drop/", rotations.drop, name="rotation_drop"),
    path("keys/<str:key_id>/freeze/", freezing.key, name="key_freeze"),
    path("accounts/<slug:name>/freeze/", freezing.account, name="account_freeze"),
    path("people/<int:pk>/freeze/", freezing.person, name="person_freeze"),
    path("freezes/", freezing.index, name="freezes"),
    path("freezes/<int:pk>/lift/", freezing.lift, name="freeze_lift"),
    path("freezes/step-up/<slug:act>/<slug:kind>/<str:which>/", freezing.confirm, name="freeze_step_up"),
    path("signers/", signers.index, name="signers"),
    path("new/signer/", signers.new, name="signer_new"),
    path("signers/<int:pk>/", signers.show, name="signer"),
    path("key-matcher/", key_matcher.find, name="key_matcher"),
    path("expiry/", expiry.index, name="expiry"),
    path("expiry/expiry.csv", expiry.as_csv, name="expiry_csv"),
    path("expiry/expiry.json", expiry.as_json, name="expiry_json"),
    path("expiry/calendar.ics", expiry.feed, name="expiry_feed"),
    # requests and operations
    path("requests/", requests.index, name="requests"),
    path("new/request/", request_asking.signer, name="request_new"),
    path("new/request/removal/", request_asking.removal, name="request_removal"),
    path("new/request/rotation/", request_asking.rotation, name="request_rotation"),
    path("new/request/signature/<gun:gun>/", request_asking.signature, name="request_signature"),
    path("new/request/revocation/<gun:gun>:<str:tag>/", request_asking.revocation, name="request_revocation"),
    path("requests/<int:pk>/", requests.show, name="request"),
    path("requests/<int:pk>/approve/", requests.approve, name="request_approve"),
    path("requests/<int:pk>/step-up/", step_up.begin, name="request_step_up"),
    path("requests/<int:pk>/reject/", requests.reject, name="request_reject"),
    path("requests/<int:pk>/proof/", requests.prove, name="request_prove"),
    path("requests/<int:pk>/retry/", requests.retry, name="request_retry"),
    path("requests/<int:pk>/withdraw/", requests.withdraw, name="request_withdraw"),
    path("requests/<int:pk>/renew/", requests.renew, name="request_renew"),
    path("requests/<int:pk>/change/", request_asking.change, name="request_change"),
    path("operations/", operations.index, name="operations"),
    path("operations/<int:pk>/", operations.show, name="operation"),
    path("operations/<int:pk>/cancel/", operations.cancel, name="operation_cancel"),
    path("operations/<int:pk>/retry/", operations.retry, name="operation_retry"),
    # set-up
    path("accounts/", accounts.index, name="accounts"),
    path("new/account/", accounts.new, name="account_new"),
    path("accounts/<slug:name>/", accounts.show, name="account"),
    path("accounts/<slug:name>/change/", accounts.change, name="accounts_change"),
    path("accounts/<slug:name>/members/", members.of_account, name="accounts_members"),
    path("accounts/<slug:name>/members/remove/", members.remove_from_account, name="accounts_remove_member"),
    path("accounts/<slug:name>/policy/", policies.of_account, name="accounts_policy"),
    path("repository-policy/<gun:gun>/", policies.of_repository, name="repository_policy"),
    path("repository-members/<gun:gun>/", members.of_repository, name="repository_members"),
    path("repository-members-remove/<gun:gun>/", members.remove_from_repository, name="repository_remove_member"),
    path("trust-servers/", trust_servers.index, name="trust_servers"),
    path("new/trust-server/", trust_servers.new, name="trust_server_new"),
    path("trust-servers/<slug:name>/", trust_servers.change, name="trust_server"),
    path("trust-servers/<slug:name>/contents/", trust_server_contents.index, name="trust_server_contents"),
    path("trust-servers/<slug:name>/import/", trust_server_transfers.bring_in, name="trust_server_import"),
    path("trust-servers/<slug:name>/export/", trust_server_transfers.give_back, name="trust_server_export"),
    path(
        "trust-servers/<slug:name>/contents/<gun:gun>/",
        trust_server_contents.repository,
        name="trust_server_repository",
    ),
    path("trust-servers/<slug:name>/ca.crt", trust_servers.ca_file, name="trust_server_ca"),
    path("people/", people.index, name="people"),
    path("new/person/", people.new, name="person_new"),
    path("people/<int:pk>/", people.show, name="person"),
    path("people/<int:pk>/change/", people.change, name="person_change"),
    path("people/<int:pk>/standing/", people.standing, name="person_standing"),
    path("people/<int:pk>/password/", people.password, name="person_password"),
    path("people/<int:pk>/second-factor/", people.second_factor, name="person_second_factor"),
    path("people/<int:pk>/sessions/", people.sessions, name="person_sessions"),
    path("people/<int:pk>/activate/", people.activate, name="person_activate"),
    path("people/<int:pk>/deactivate/", people.deactivate, name="person_deactivate"),
    path("machines/", machines.index, name="machines"),
    path("new/machine/", machines.new, name="machine_new"),
    path("machines/<int:pk>/", machines.show, name="machine"),
    path("machines/<int:pk>/tokens/new/", machines.new_token, name="machine_token_new"),
    path("me/tokens/", tokens.index, name="own_tokens"),
    path("me/tokens/new/", tokens.new, name="token_new"),
    path("tokens/<int:pk>/revoke/", tokens.revoke, name="token_revoke"),
    # what happens
    path("health/", health.index, name="health_page"),
    path("inbox/", inbox.index, name="inbox"),
    path("inbox/read/", inbox.read, name="inbox_read"),
    path("me/notices/", inbox.choices, name="notice_choices"),
    path("accounts/<slug:name>/webhooks/", webhooks.index, name="account_webhooks"),
    path("accounts/<slug:name>/webhooks/new/", webhooks.new, name="account_webhook_new"),
    path("webhooks/<int:pk>/", webhooks.show, name="webhook"),
    path("webhooks/<int:pk>/secret/", webhooks.secret, name="webhook_secret"),
    path("webhooks/<int:pk>/ping/", webhooks.ping, name="webhook_ping"),
    path("webhooks/<int:pk>/delete/", webhooks.delete, name="webhook_delete"),
    path("webhooks/<int:pk>/deliveries/<int:delivery>/again/", webhooks.again, name="webhook_again"),
    path("alerts/", alerts.index, name="alerts"),
    path("alerts/alerts.csv", alerts.as_csv, name="alerts_csv"),
    path("alerts/alerts.json", alerts.as_json, name="alerts_json"),
    path("alerts/<int:pk>/", alerts.show, name="alert"),
    path("alerts/<int:pk>/accept/", alerts.accept, name="alert_accept"),
    path("me/watched-keys/", alerts.watched, name="watched_keys"),
    path("me/watched-keys/<slug:key_id>/remove/", alerts.unwatch, name="watched_key_remove"),
    path("audit/", audit.index, name="audit"),
    path("audit/check/", audit.check, name="audit_check"),
    path("audit/key.pem", audit.key, name="audit_key"),
    path("audit/download/<slug:form>/", audit.download, name="audit_download"),
    path("audit/<int:number>/", audit.show, name="audit_event"),
]

if settings.DJANGO_ADMIN:  # its module needs the app, which is installed only then
    from signing.admin import site

    urlpatterns += [path("operators/", site.urls)]

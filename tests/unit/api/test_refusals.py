"""What a program must not get by: other people's things, rights it was not given, members it may not set."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from signing.models import Account, ApiToken, AuditEvent, ChangeRequest, Operation, User, Webhook
from signing.services.api_tokens import revoke_token
from signing.services.machines import create_machine
from signing.services.requests import request_signer
from tests.factories import Cast, make_key, make_operation, make_repository, make_request, make_signer
from tests.unit.api.conftest import Caller, as_machine, as_program, token_of


class TestMassAssignment:
    @pytest.mark.parametrize("member", ["is_superuser", "is_staff", "is_active", "password", "reads_everything", "id"])
    def test_a_person_gets_no_more_than_the_form_gives(self, cast: Cast, member: str) -> None:
        answer = as_program(cast.admin).post("/people", {"username": "eve", member: True})

        assert answer.status_code == 422
        assert answer.json()["errors"].keys() == {member}
        assert not User.objects.filter(username="eve").exists()

    @pytest.mark.parametrize("member", ["state", "needed_approvals", "requested_by", "content_hash", "expires_at"])
    def test_a_request_cannot_come_decided(self, cast: Cast, member: str) -> None:
        signer = make_signer(cast.account, "bob", user=cast.developer)
        body = {"signer": signer.pk, "repositories": [cast.repository.gun], member: "approved"}

        assert as_program(cast.developer).post("/requests/signer", body).status_code == 422
        assert not ChangeRequest.objects.exists()

    def test_an_account_keeps_what_only_its_making_sets(self, cast: Cast) -> None:
        answer = as_program(cast.admin)("PATCH", "/accounts/team", {"name": "mine", "registry": "evil.test"})

        assert answer.status_code == 422
        assert Account.objects.filter(name="team").exists()


class TestForeignIds:
    """Each id in an address, asked for by the lead of another account."""

    def addresses(self, cast: Cast) -> dict[tuple[str, str], Any]:
        signer = make_signer(cast.account, "bob", user=cast.developer)
        request = make_request(signer, [cast.repository], cast.developer)
        operation = make_operation(Operation.Kind.REFRESH, "refresh", cast.repository, requested_by=cast.lead)
        key = make_key(cast.account, name="carol", owner=cast.lead)
        token = ApiToken.objects.get(user=cast.lead)
        webhook = Webhook.objects.create(account=cast.account, url="https://hook.test/", secret=b"")
        machine = create_machine(actor=cast.lead, account=cast.account, username="ci")
        event = AuditEvent.objects.exclude(actor=cast.outsider).order_by("-number")[0]
        repository = f"/repositories/{cast.repository.gun}"
        return {
            ("GET", "/accounts/team"): None,
            ("PATCH", "/accounts/team"): {"enforces_trust": False},
            ("GET", "/accounts/team/members"): None,
            ("PUT", "/accounts/team/members/oscar"): {"role": "lead"},
            ("DELETE", "/accounts/team/members/dan"): None,
            ("GET", repository): None,
            ("GET", f"{repository}/-/tags"): None,
            ("GET", f"{repository}/-/tags/1.0"): None,
            ("GET", f"{repository}/-/inspect"): None,
            ("POST", f"{repository}/-/check"): None,
            ("POST", f"{repository}/-/publish"): {"source": "alpine:3.20", "tag": "1", "signer": "alice"},
            ("POST", f"{repository}/-/sign"): {"tag": "1", "digest": "5f" * 32, "length": 1, "signer": "alice"},
            ("POST", f"{repository}/-/tags/1.0/pull"): None,
            ("GET", f"/keys/{key.key_id}"): None,
            ("GET", f"/keys/{key.key_id}/public.pem"): None,
            ("POST", f"/keys/{key.key_id}/csr"): {},
            ("POST", f"/keys/{key.key_id}/certificate"): {"pem": key.public_pem},
            ("GET", f"/signers/{signer.pk}"): None,
            ("GET", f"/requests/{request.pk}"): None,
            ("POST", f"/requests/{request.pk}/change"): {"repositories": [cast.repository.gun]},
            ("GET", f"/requests/{request.pk}/step-up"): None,
            ("POST", f"/requests/{request.pk}/approve"): {"content_hash": request.content_hash},
            ("POST", f"/requests/{request.pk}/reject"): {},
            ("POST", f"/requests/{request.pk}/proof"): {"signature": "c2ln"},
            ("POST", f"/requests/{request.pk}/retry"): {},
            ("POST", f"/requests/{request.pk}/withdraw"): None,
            ("POST", f"/requests/{request.pk}/renew"): None,
            ("POST", f"{repository}/-/requests/signature"): {
                "tag": "1",
                "digest": "5f" * 32,
                "length": 1,
                "signer": "alice",
            },
            ("POST", f"{repository}/-/tags/1.0/requests/revocation"): {},
            ("GET", f"{repository}/-/policy"): None,
            ("POST", f"{repository}/-/policy/request"): {"needed_approvals": 0},
            ("GET", f"{repository}/-/members"): None,
            ("PUT", f"{repository}/-/members/oscar"): {"role": "lead"},
            ("DELETE", f"{repository}/-/members/dan"): None,
            ("GET", "/accounts/team/policy"): None,
            ("POST", "/accounts/team/policy/request"): {"needed_approvals": 0},
            ("GET", "/accounts/team/webhooks"): None,
            ("POST", "/accounts/team/webhooks"): {"url": "https://hook.test/", "events": ["signed"]},
            ("GET", f"/webhooks/{webhook.pk}"): None,
            ("PATCH", f"/webhooks/{webhook.pk}"): {"is_active": False},
            ("DELETE", f"/webhooks/{webhook.pk}"): None,
            ("POST", f"/webhooks/{webhook.pk}/secret"): None,
            ("POST", f"/webhooks/{webhook.pk}/ping"): None,
            ("GET", f"/webhooks/{webhook.pk}/deliveries"): None,
            ("POST", f"/webhooks/{webhook.pk}/deliveries/1/again"): None,
            ("GET", f"/machines/{machine.pk}"): None,
            ("GET", f"/operations/{operation.pk}"): None,
            ("POST", f"/operations/{operation.pk}/cancel"): None,
            ("POST", f"/operations/{operation.pk}/retry"): {},
            ("GET", f"/people/{cast.developer.pk}"): None,
            ("POST", f"/people/{cast.developer.pk}/password"): None,
            ("POST", f"/people/{cast.developer.pk}/activate"): None,
            ("POST", f"/people/{cast.developer.pk}/deactivate"): None,
            ("PATCH", f"/people/{cast.developer.pk}"): {"full_name": "Eve"},
            ("PUT", f"/people/{cast.developer.pk}/standing"): {"standing": "administrator"},
            ("POST", f"/people/{cast.developer.pk}/second-factor"): None,
            ("POST", f"/people/{cast.developer.pk}/sessions"): None,
            ("GET", f"/tokens/{token.pk}"): None,
            ("POST", f"/tokens/{token.pk}/revoke"): None,
            ("GET", f"/audit/{event.number}"): None,
        }

    def test_none_of_them_is_there_for_a_stranger(self, cast: Cast) -> None:
        token_of(cast.lead)
        addresses = self.addresses(cast)
        call = as_program(cast.outsider)
        before = AuditEvent.objects.count()
        statuses = {
            place: call(*place, body if body is not None or place[0] == "GET" else {})
            for place, body in addresses.items()
        }

        assert {place: answer.status_code for place, answer in statuses.items() if answer.status_code != 404} == {}
        assert AuditEvent.objects.count() == before, "nothing was done"

    def test_ids_in_a_body_are_unknown_in_the_same_words(self, cast: Cast) -> None:
        call = as_program(cast.outsider)
        foreign = {"signer": cast.alice.pk, "repositories": [cast.repository.gun]}
        missing = {"signer": 2**40, "repositories": ["registry.test:5000/other/none"]}
        answers = [call.post("/requests/signer", body).json() | {"request_id": ""} for body in (foreign, missing)]

        assert answers[0] == answers[1]
        assert answers[0]["errors"].keys() == {"signer"}
        assert call.post("/repositories", {"account": "team", "path": "x"}).json()["errors"].keys() == {"account"}


class TestDeciding:
    def asked(self, cast: Cast, by: User) -> ChangeRequest:
        make_key(cast.account, "root", is_unattended=True)
        repository = make_repository(cast.account, "fresh")
        signer = make_signer(cast.account, "bob", user=cast.signer)
        return request_signer(actor=by, signer=signer, repositories=[repository])

    def approve(self, call: Caller, request: ChangeRequest) -> Any:
        return call.post(f"/requests/{request.pk}/approve", {"content_hash": request.content_hash})

    def test_another_lead_approves(self, cast: Cast) -> None:
        request = self.asked(cast, cast.developer)
        answer = self.approve(as_program(cast.lead), request)

        assert answer.status_code == 200, answer.content
        assert answer.json()["state"] == "approved"
        assert [item["operation_state"] for item in answer.json()["items"]] == ["queued"]

    def test_nobody_approves_their_own_request(self, cast: Cast) -> None:
        request = self.asked(cast, cast.lead)
        answer = self.approve(as_program(cast.lead), request)

        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
        request.refresh_from_db()
        assert request.state == "waiting"

    def test_nobody_approves_what_a_token_they_made_asked_for(self, cast: Cast) -> None:
        make_key(cast.account, "root", is_unattended=True)
        repository = make_repository(cast.account, "fresh")
        machine = as_machine(cast, repository=repository)
        signer = make_signer(cast.account, "bob", user=User.objects.get(username="ci"))
        asked = machine.post("/requests/signer", {"signer": signer.pk, "repositories": [repository.gun]})
        assert asked.status_code == 201, asked.content
        request = ChangeRequest.objects.get(pk=asked.json()["id"])

        assert self.approve(as_program(cast.lead), request).status_code == 403, "the lead made the machine's token"
        assert self.approve(as_program(cast.other_lead), request).status_code == 200

    def test_an_approval_of_something_else_is_refused(self, cast: Cast) -> None:
        request = self.asked(cast, cast.developer)
        answer = as_program(cast.lead).post(f"/requests/{request.pk}/approve", {"content_hash": "0" * 64})

        assert (answer.status_code, answer.json()["code"]) == (409, "stale_approval")

    def test_an_approval_sent_twice_counts_once(self, cast: Cast) -> None:
        ChangeRequest.objects.filter(pk=(request := self.asked(cast, cast.developer)).pk).update(needed_approvals=2)
        call = as_program(cast.lead)

        assert self.approve(call, request).json()["missing_approvals"] == 1
        assert self.approve(call, request).json()["code"] == "too_late"

    def test_a_machine_approves_nothing_whatever_its_token_says(self, cast: Cast) -> None:
        request = self.asked(cast, cast.developer)
        call = as_machine(cast)
        ApiToken.objects.filter(user__username="ci").update(scopes=["read", "request", "approve", "manage"])

        assert self.approve(call, request).status_code in (403, 404)
        assert call.post(f"/requests/{request.pk}/reject").status_code in (403, 404)

    def test_a_token_without_the_scope_approves_nothing(self, cast: Cast) -> None:
        request = self.asked(cast, cast.developer)
        answer = self.approve(as_program(cast.lead, "read", "request", "publish", "manage"), request)

        assert answer.status_code == 403
        assert "approve" in answer.json()["next_step"]


class TestTokens:
    def test_a_machine_reads_no_keys(self, cast: Cast) -> None:
        call = as_machine(cast)

        assert call.get("/keys").json()["total"] == 0
        assert call.get(f"/keys/{cast.alice.key.key_id}").status_code == 404

    def test_a_machine_sees_its_repository_and_no_other(self, cast: Cast) -> None:
        call = as_machine(cast)

        assert [row["gun"] for row in call.get("/repositories").json()["items"]] == [cast.repository.gun]

    def test_a_token_that_may_only_ask_reads_nothing(self, cast: Cast) -> None:
        answer = as_program(cast.lead, "request").get("/repositories")

        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")

    def test_a_token_that_only_reads_changes_nothing(self, cast: Cast) -> None:
        call = as_program(cast.admin, "read")

        assert call.post("/people", {"username": "eve"}).status_code == 403
        assert call.post(f"/repositories/{cast.repository.gun}/-/check").status_code == 403

    def test_an_expired_token_opens_nothing(self, cast: Cast) -> None:
        call = as_program(cast.lead, days=1)
        assert call.get("/me").status_code == 200
        with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1), tick=False):
            assert call.get("/me").status_code == 401

    def test_a_revoked_token_opens_nothing(self, cast: Cast) -> None:
        call = as_program(cast.lead)
        revoke_token(actor=cast.lead, token=ApiToken.objects.get(user=cast.lead))

        assert call.get("/me").status_code == 401

    def test_a_deactivated_person_s_token_opens_nothing(self, cast: Cast) -> None:
        call = as_program(cast.developer)
        assert as_program(cast.admin).post(f"/people/{cast.developer.pk}/deactivate").status_code == 200

        assert call.get("/me").status_code == 401

    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic cm9vdDpwdw==", "Bearer trustui_" + "a" * 43])
    def test_what_is_no_token_opens_nothing_even_beside_a_session(self, cast: Cast, header: str) -> None:
        client = Client()
        client.force_login(cast.admin)
        answer = client.get("/api/v1/me", headers={"Authorization": header})

        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == 'Bearer realm="TrustUI"'

    def test_trying_out_tokens_is_slowed_down(self, cast: Cast) -> None:
        wrong = Caller("trustui_" + "a" * 43)
        statuses = [wrong.get("/me").status_code for _ in range(11)]

        assert statuses == [401] * 10 + [429]
        assert int(wrong.get("/me")["Retry-After"]) >= 1
        right = as_program(cast.lead)
        assert right.get("/me").status_code == 429, "a right one among them is not found out either"


class TestSessions:
    def signed_in(self, user: User, **options: Any) -> Client:
        client = Client(**options)
        client.force_login(user)
        return client

    def test_a_session_opens_the_api(self, cast: Cast) -> None:
        assert self.signed_in(cast.lead).get("/api/v1/me").json()["username"] == "lea"

    def test_a_session_without_the_csrf_token_changes_nothing(self, cast: Cast) -> None:
        client = self.signed_in(cast.admin, enforce_csrf_checks=True)
        answer = client.post("/api/v1/people", {"username": "eve"}, content_type="application/json")

        assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
        assert not User.objects.filter(username="eve").exists()

    def test_with_it_the_session_does(self, cast: Cast) -> None:
        client = self.signed_in(cast.admin, enforce_csrf_checks=True)
        client.get("/accounts/team/change/")  # a page with a form sets the cookie
        answer = client.post(
            "/api/v1/people",
            {"username": "eve"},
            content_type="application/json",
            headers={"X-CSRFToken": client.cookies["csrftoken"].value},
        )

        assert answer.status_code == 201

    def test_a_token_needs_no_csrf_token_even_beside_a_session(self, cast: Cast) -> None:
        client = self.signed_in(cast.lead, enforce_csrf_checks=True)
        answer = client.post(
            "/api/v1/people",
            {"username": "eve"},
            content_type="application/json",
            headers={"Authorization": f"Bearer {token_of(cast.admin)}"},
        )

        assert answer.status_code == 201, "the token's person counts, not the session's"

    def test_a_one_time_password_opens_nothing(self, cast: Cast) -> None:
        User.objects.filter(pk=cast.lead.pk).update(must_change_password=True)
        answer = self.signed_in(cast.lead).get("/api/v1/me")

        assert (answer.status_code, answer.json()["code"]) == (403, "password_to_change")

"""The pages that tell of the API: its description to read, the calls at the foot of pages, steps for build servers."""

from __future__ import annotations

import html

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import Cast, make_request, make_signer
from trustui.api.calls import curl, endpoints
from trustui.errors import known_problems
from trustui.pages.ci_snippets import ASK, PUBLISH, script


@pytest.fixture
def lead(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.lead)
    return client


def test_every_endpoint_and_every_problem_can_be_read_about(lead: Client) -> None:
    page = lead.get(reverse("api_docs")).content.decode()
    parts = {
        one.tag: lead.get(reverse("api_docs_part", args=[one.tag])).content.decode() for one in endpoints().values()
    }

    assert [one.name for one in endpoints().values() if f'{one.tag}#{one.name}"' not in page] == []
    assert [one.name for one in endpoints().values() if f'id="{one.name}"' not in parts[one.tag]] == []
    assert [problem.code for problem in known_problems() if f'id="{problem.code}"' not in page] == []


def test_problems_name_the_place_that_explains_them(lead: Client) -> None:
    assert lead.get("/api/v1/no/such").json()["type"] == f"{reverse('api_docs')}#not_found"


def test_a_request_s_page_shows_calls_with_its_own_values(cast: Cast, lead: Client) -> None:
    asked = make_request(make_signer(cast.account, "bob"), [cast.repository], cast.developer)
    page = html.unescape(lead.get(reverse("request", args=[asked.pk])).content.decode())

    assert f"http://testserver/api/v1/requests/{asked.pk}/approve" in page
    assert f'"content_hash":"{asked.content_hash}"' in page


def test_a_form_s_page_fills_in_what_its_address_says(cast: Cast, lead: Client) -> None:
    page = html.unescape(lead.get(f"{reverse('sign', args=[cast.repository.gun])}?tag=1.4&length=528").content.decode())

    assert '{"tag":"1.4","digest":"DIGEST","length":528,"signer":"SIGNER"}' in page


def test_words_from_outside_stay_one_word_of_the_shell() -> None:
    line = curl("http://x/", "requests_reject", {"pk": 7, "comment": 'it\'s $(rm -rf ~) "no"'})

    assert """'{"comment":"it'"'"'s $(rm -rf ~) \\"no\\""}'""" in line


def test_what_broke_names_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trustui.pages.shell.JsonResponse", lambda _: 1 / 0)
    answer = Client(raise_request_exception=False).get("/healthz", headers={"X-Request-Id": "build-4711"})

    assert answer.status_code == 500
    assert "build-4711" in answer.content.decode()


def test_what_is_not_there_names_the_request(db: None) -> None:
    answer = Client().get("/no/such/page", headers={"X-Request-Id": "build-4711"})

    assert (answer.status_code, "build-4711" in answer.content.decode()) == (404, True)


class TestBuildServers:
    def test_the_page_shows_the_repository_s_steps(self, cast: Cast, lead: Client) -> None:
        page = html.unescape(lead.get(reverse("repository_ci", args=[cast.repository.gun])).content.decode())

        for text in (
            ".github/workflows/sign.yml",
            ".gitlab-ci.yml",
            "Jenkinsfile",
            f"{cast.repository.gun}/-/requests",
        ):
            assert text in page
        assert " alice " in page, "its signer, whose key is here"

    def test_a_stranger_finds_nothing(self, cast: Cast) -> None:
        client = Client()
        client.force_login(cast.outsider)

        assert client.get(reverse("repository_ci", args=[cast.repository.gun])).status_code == 404

    @pytest.mark.parametrize("way", [ASK, PUBLISH])
    def test_its_text_can_stand_in_yaml_and_groovy(self, way: str) -> None:
        text = script("https://trust.test/", "registry.test:5000/team/app", "alice", way)

        assert "\\" not in text
        assert "'''" not in text

    def test_without_a_signer_there_is_a_word_to_replace(self) -> None:
        assert " SIGNER " in script("https://trust.test/", "registry.test:5000/team/app", "", ASK)

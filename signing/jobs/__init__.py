"""RQ entry points, by the names in `signing.queue`. Each takes an operation's id and is safe to run twice.

Jobs never call services: they claim a step, do it with what `signing.wiring` gives them and write the outcome on
the row.
"""

from signing.jobs.audit import sign_audit_head
from signing.jobs.keys import generate_key, import_key, make_csr
from signing.jobs.publish import clean_staging, pull, push, release, resolve
from signing.jobs.ticks import engine_status, refresh_due, sweep
from signing.jobs.trust import add_signer, refresh, sign

__all__ = [
    "add_signer",
    "clean_staging",
    "engine_status",
    "generate_key",
    "import_key",
    "make_csr",
    "pull",
    "push",
    "refresh",
    "refresh_due",
    "release",
    "resolve",
    "sign",
    "sign_audit_head",
    "sweep",
]

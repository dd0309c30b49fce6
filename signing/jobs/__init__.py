"""RQ entry points, by the names in `signing.queue`. Each takes an operation's id and is safe to run twice.

Jobs never call services: they claim a step, do it with what `signing.wiring` gives them and write the outcome on
the row.
"""

from signing.jobs.audit import sign_audit_head
from signing.jobs.checking import check_batch, refresh_due
from signing.jobs.expiry import announce_expiring
from signing.jobs.health import report_docker, report_notices, report_signing
from signing.jobs.held_keys import enrol_key
from signing.jobs.history import tell_history
from signing.jobs.keys import generate_key, import_key, make_csr
from signing.jobs.notices import send_digests, send_notices
from signing.jobs.publish import clean_staging, pull, push, release, resolve
from signing.jobs.registries import check_registries, check_registry
from signing.jobs.request_ticks import end_signers
from signing.jobs.requested import add_signer, remove_signer, revoke, rotate
from signing.jobs.rotations import replace_key
from signing.jobs.ticks import engine_status, sweep
from signing.jobs.transfers import export_trust, import_trust
from signing.jobs.trust import refresh, sign

__all__ = [
    "add_signer",
    "announce_expiring",
    "check_batch",
    "check_registries",
    "check_registry",
    "clean_staging",
    "end_signers",
    "engine_status",
    "enrol_key",
    "export_trust",
    "generate_key",
    "import_key",
    "import_trust",
    "make_csr",
    "pull",
    "push",
    "refresh",
    "refresh_due",
    "release",
    "remove_signer",
    "replace_key",
    "report_docker",
    "report_notices",
    "report_signing",
    "resolve",
    "revoke",
    "rotate",
    "send_digests",
    "send_notices",
    "sign",
    "sign_audit_head",
    "sweep",
    "tell_history",
]

"""What the trust server's own keys are locked with: for the server, and the worker that imports and exports them."""

from __future__ import annotations

from trustui.settings.environment import env, is_given, secret_key_bytes

TRUST_SERVER_MASTER_KEY = secret_key_bytes("TRUST_SERVER_MASTER_KEY") if is_given("TRUST_SERVER_MASTER_KEY") else None
# Set while `manage.py resealkeys` brings the keys from one to the other.
TRUST_SERVER_PREVIOUS_MASTER_KEY = (
    secret_key_bytes("TRUST_SERVER_PREVIOUS_MASTER_KEY")
    if env.str("TRUST_SERVER_PREVIOUS_MASTER_KEY", default="")
    else None
)

# New keys of the server are made on this token, where one is named (PKCS#11); those that are sealed stay in use.
TRUST_SERVER_HSM_MODULE = env.str("TRUST_SERVER_HSM_MODULE", default="")
TRUST_SERVER_HSM_TOKEN = env.str("TRUST_SERVER_HSM_TOKEN", default="")
TRUST_SERVER_HSM_PIN = env.str("TRUST_SERVER_HSM_PIN", default="").strip()

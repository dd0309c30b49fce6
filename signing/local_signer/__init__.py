"""`trustctl`, the command a key holder runs at home. It uses the trust core only, never Django."""

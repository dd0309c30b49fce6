"""`docker trust` for docker CLI 29 and later: a plugin that speaks docker's syntax and does what `trustctl` does."""

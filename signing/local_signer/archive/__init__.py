"""The commands of `trustctl archive`."""

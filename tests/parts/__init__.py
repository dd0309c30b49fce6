"""The real programs, started privately on loopback for a test run and ended by their process id."""

"""Issuing: rosters, batches and the bureau's command line `sscard`."""

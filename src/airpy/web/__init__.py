"""Speaks HTTP: contract, authentication, errors, replies."""

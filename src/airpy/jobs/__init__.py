"""Runs work after the reply: queue, record, progress, result."""

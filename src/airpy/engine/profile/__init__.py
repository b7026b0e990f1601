"""Describes a frame: metrics, checks, hints."""

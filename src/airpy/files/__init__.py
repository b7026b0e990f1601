"""Finds and opens dataset files under the base path."""

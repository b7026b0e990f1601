"""AIR-Py, a private data-science service that owns files for a Go backend."""

__version__ = "0.1.0"
CONTRACT_VERSION = "0.1.0"

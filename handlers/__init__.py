"""One module per path under /v1/py, one function per operation."""

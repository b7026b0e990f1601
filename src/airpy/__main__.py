"""`python -m airpy` is the `airpy` command."""

from airpy.cli import main

main()

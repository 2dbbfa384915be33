"""`python -m gateway` is the `footlight` command."""

from gateway.cli import main

main()

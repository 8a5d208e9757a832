"""``python -m tsunagu`` is the command ``tsunagu``."""

from tsunagu.cli import main

main()

"""`mes-terminal` and `python -m mes_terminal`."""

import sys

from mes_terminal.cli.main import run


def main() -> None:
    """Run the command line and end with its exit code."""
    code = run()
    try:
        sys.stdout.flush()
    except OSError:
        code = code or 1
    sys.exit(code)


if __name__ == "__main__":
    main()

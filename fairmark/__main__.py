"""The command ``fairmark``; ``python -m fairmark`` is the same.

Nothing is imported here before it is needed: importing the rest takes seconds, in which Ctrl-C may
come, and worker processes import this module too, since it is the one that was started.
"""

import sys

# jsonschema would spend a second on it, for a format that no schema of a notebook uses
sys.modules.setdefault("rfc3987_syntax", None)


def main() -> int:
    """Run the command line; returns the exit code, that of Ctrl-C being 130."""
    try:
        from .cli import main as run

        return run()
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())

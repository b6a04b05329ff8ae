"""Run the command as ``python -m avsieve``."""

from avsieve.cli import main

if __name__ == "__main__":
    main()

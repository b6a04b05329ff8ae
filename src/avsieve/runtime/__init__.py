"""What every command line needs: logs, progress, terminals, reading ahead."""

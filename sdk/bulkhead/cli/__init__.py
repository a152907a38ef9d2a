"""The command line. `main` is the console script `bulkhead`."""

from bulkhead.cli.root import main as main

"""`python -m bulkhead` is the command line."""

from bulkhead.cli import main

if __name__ == "__main__":
    main()

"""How long the command line takes to say what it can do.

Run it with `python -m benchmarks.command_line`.
"""

import subprocess
import sys
import time
from statistics import median

RUNS = 7
WORDS = (["--help"], ["--version"], ["order", "--help"], ["explain", "--help"])


def seconds(*words: str) -> float:
    """The median of some runs, each a process of its own."""
    command = [sys.executable, "-m", "bulkhead", *words]
    found = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        found.append(time.perf_counter() - start)
    return median(found)


def main() -> None:
    for words in WORDS:
        print(f"bulkhead {' '.join(words):16} {seconds(*words):.2f} s")


if __name__ == "__main__":
    main()

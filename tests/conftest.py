"""What every test shares."""

from pathlib import Path

from boa.interpret import set_cache_dir

# titanoboa keeps compiled contracts in the home folder unless told otherwise.
set_cache_dir(str(Path(__file__).resolve().parent.parent / ".cache" / "titanoboa"))

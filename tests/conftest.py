"""What every test shares."""

from pathlib import Path

import boa

# titanoboa keeps compiled contracts in the home folder unless told otherwise.
boa.set_cache_dir(str(Path(__file__).resolve().parent.parent / ".cache" / "titanoboa"))

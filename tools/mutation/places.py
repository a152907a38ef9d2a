"""Where things are, below the root that this file is in: the checkout, or a private copy of it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"


def deployed() -> list[str]:
    """Every contract of ours that is deployed; mocks are not ours to defend."""
    return sorted(path.stem for path in CONTRACTS.glob("[A-Z]*.vy"))

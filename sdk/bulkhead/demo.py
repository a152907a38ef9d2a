"""The exchange end to end on a chain in memory: isolated and cross margin side by side.

Run it with `make demo` or `python -m bulkhead.demo`. It plays the story `worked_example`.
"""

from rich.console import Console

from bulkhead.local import memory_chain
from bulkhead.scenarios import Player, load, open_stage
from bulkhead.scenarios.narration import Narrator
from bulkhead.world import ROLES

STORY = "worked_example"


def main() -> None:
    """Tells the story; fails if anything in it is not as it should be, the books above all."""
    console = Console()
    story = load(STORY)
    with console.status("deploying the exchange"):
        world = open_stage(story, memory_chain(len(ROLES) + len(story.people)))
    narrator = Narrator(console, world)
    failed = False
    for told in Player(story, world).play():
        narrator.tell(told)
        failed = failed or bool(told.failures)
    if failed:
        raise SystemExit(1)
    console.print(
        "Conservation holds to the unit, every side equals the sum of its positions, and the logs "
        "alone rebuild every word on chain.",
        highlight=False,
    )


if __name__ == "__main__":
    main()

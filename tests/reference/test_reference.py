"""A state machine of hypothesis drives the chain and a model that was written from the documents.

`FUZZ_STEPS` and `FUZZ_SEED` choose how far and where it goes (`make fuzz`); whatever differs is
shrunk to the actions that are needed.
"""

import os
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.reference import liveness
from tests.reference.machine import WEIGHTS, Actions, kinds_of
from tests.reference.walking import world

STEPS = int(os.environ.get("FUZZ_STEPS", "20000"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
PARTS = 8  # which as many processes can share
LONGEST = 120  # actions of one example
LOOK = 100  # steps after which every other example is asked whether everybody can leave
KINDS = sum(WEIGHTS.values())


def number(bits: int) -> st.SearchStrategy[int]:
    """A number whose walk is the same in every process, as a seed says.

    hypothesis puts constants of whatever modules are loaded among its numbers, not its booleans.
    """
    drawn = st.lists(st.booleans(), min_size=bits, max_size=bits)
    return drawn.map(lambda ones: sum(one << place for place, one in enumerate(ones)))


class Machine(RuleBasedStateMachine):
    """One example: a fresh exchange, and actions one after the other."""

    world = world()
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        protocol, traders = self.world
        self.anchor = protocol.anchored()
        self.anchor.__enter__()
        self.actions = Actions(protocol, traders, Random(0))
        self.kinds = kinds_of(self.actions)

    @rule(kind=number(12), chance=number(20))
    def act(self, kind: int, chance: int) -> None:
        self.actions.random = Random(chance)
        before = self.actions.twin.steps
        self.kinds[kind % KINDS]()
        after = self.actions.twin.steps
        type(self).steps += after - before
        if before < LOOK <= after and chance & 1:
            liveness.check(self.actions)

    def teardown(self) -> None:
        self.anchor.__exit__(None, None, None)
        assert self.actions.twin.dust >= 0, "dust is the pool's"


@pytest.mark.slow
@pytest.mark.stateful
@pytest.mark.parametrize("part", range(PARTS))
def test_chain_and_model_agree_after_every_action(part: int) -> None:
    Machine.steps = 0
    run_state_machine_as_test(
        seed(SEED * PARTS + part)(Machine),
        settings=settings(
            max_examples=max(1, STEPS // PARTS // LONGEST),
            stateful_step_count=LONGEST,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert Machine.steps >= STEPS // PARTS * 9 // 10

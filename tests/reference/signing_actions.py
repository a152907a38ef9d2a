"""Orders that their placers have signed, and that others bring."""

from typing import Any

from tests.helpers.chain import now
from tests.helpers.protocol import Order
from tests.helpers.signing import bracket, key_of, placement, signed, typed
from tests.reference import placing
from tests.reference.state import Dust, State
from tests.reference.tied_actions import TiedActions

NONCES = 6  # few, so that some are used again


class SigningActions(TiedActions):
    """Each method is one thing that is done with signatures."""

    def place_with_signature(self) -> None:
        self.sign(self.some_order(), None)

    def place_bracket_with_signature(self) -> None:
        entry = self.some_entry()
        self.sign(entry, self.exits_of(entry))

    def sign(self, order: Order, children: list[Order] | None) -> None:
        nonce = self.random.randrange(NONCES)
        deadline = now() + self.random.choice((-1, 0, 60, 60, 60, 60))
        signer = order.placer if self.random.random() < 0.95 else self.random.choice(self.traders)
        key = next(key for key in map(key_of, self.names) if key.address == signer)
        given: tuple[Any, ...]
        if children is None:
            function, given = "place_with_signature", (order,)
            data = typed(self.protocol, "Placement", placement(order, nonce, deadline))
        else:
            function, given = "place_bracket_with_signature", (order, children)
            data = typed(self.protocol, "Bracket", bracket(order, children, nonce, deadline))
        signature = signed(key, data)
        keeper, exits = self.protocol.keeper, children or []
        made = self.placed(
            function,
            lambda: self.book(keeper, function, *given, nonce, deadline, signature),
            lambda state: placing.place_signed(state, order, exits, nonce, deadline, signer),
        )
        if made and self.random.random() < 0.6:
            self.fill(made[0])

    def cancel_nonces(self) -> None:
        account, mask = self.random.choice(self.traders), self.random.randrange(2**NONCES)
        if self.random.random() < 0.7:
            mask = 1 << self.random.randrange(NONCES)

        def act(state: State, _: Dust) -> None:
            state.book.spent |= {(account, n) for n in range(NONCES) if mask >> n & 1}

        self.twin.both(
            "cancel_nonces", lambda: self.book(account, "cancel_nonces", 0, mask), act, 0
        )

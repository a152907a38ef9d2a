"""What accounts do with money, margin and settings."""

from tests.helpers.chain import now
from tests.helpers.protocol import PPM, USD
from tests.helpers.signing import key_of, permit
from tests.reference import margins
from tests.reference.margin import Ledger, is_firm
from tests.reference.orders import Refused
from tests.reference.state import ISOLATED, Dust, Slot, State
from tests.reference.walking import Walker

TOKEN = "USD Coin"


class AccountActions(Walker):
    """Each method is one thing that an account does."""

    # Money

    def deposit(self) -> None:
        account = self.random.choice(self.traders)
        poor = self.state.accounts[account].cash < 3_000 * USD
        amount = self.random.randrange(1, 2_000 * USD if poor else 100)

        def act(state: State, dust: Dust) -> None:
            state.accounts[account].cash += amount

        self.twin.both("deposit", lambda: self.attempt(account, "deposit", account, amount), act, 0)

    def deposit_with_permit(self) -> None:
        """For exactly what is signed; without, a standing allowance brings nothing."""
        who = self.random.randrange(len(self.traders))
        account, token = self.traders[who], self.protocol.token
        signer = key_of(self.names[who if self.random.random() < 0.8 else who - 1])
        amount, deadline = self.random.randrange(1, 200 * USD), now() + self.random.choice((-1, 60))
        custodian = self.protocol.clearinghouse.address
        signed = permit(signer, token, TOKEN, custodian, amount, deadline)

        def act(state: State, dust: Dust) -> None:
            if signer.address != account or deadline < state.now:
                raise Refused("permit: bad allowance")
            state.accounts[account].cash += amount

        arguments = (account, amount, *signed)
        self.twin.both(
            "deposit_with_permit",
            lambda: self.attempt(self.protocol.keeper, "deposit_with_permit", *arguments),
            act,
            0,
        )
        token.send(account, "approve", custodian, 2**256 - 1)

    def withdraw(self) -> None:
        account = self.random.choice(self.traders)
        most = max(self.state.accounts[account].cash, 0) + 2
        if self.random.random() < 0.5:
            free = Ledger(self.state, account).withdrawable
            most = int(free) + self.random.randrange(-20, 20)
        amount = max(int(most * self.random.random() ** 3), 1)
        if self.random.random() < 0.3:
            amount = max(int(most), 1)

        def act(state: State, dust: Dust) -> None:
            if not is_firm(state, account):
                raise Refused("price: not firm", "balance: not withdrawable")
            held = state.legs(account)
            free = Ledger(state, account).withdrawable
            if amount > free if not held else not dust.holds(free, amount):
                raise Refused("balance: not withdrawable")
            state.accounts[account].cash -= amount

        self.twin.both(
            "withdraw", lambda: self.attempt(account, "withdraw", amount, account), act, 0
        )

    # Margin and settings

    def vault(self) -> Slot | None:
        found = [
            place
            for place, position in self.state.positions.items()
            if position.size and place[2] >= ISOLATED
        ]
        return self.random.choice(found) if found else None

    def deposit_margin(self) -> None:
        if (place := self.vault()) is None:
            return
        account, market, slot = place
        amount = self.random.randrange(1, 30 * USD)
        self.twin.both(
            "deposit_margin",
            lambda: self.attempt(
                self.protocol.keeper, "deposit_margin", account, market, slot == ISOLATED, amount
            ),
            lambda state, dust: margins.bring(state, place, amount),
            0,
        )

    def add_margin(self) -> None:
        if (place := self.vault()) is None:
            return
        account, market, slot = place
        amount = int(10 ** self.random.uniform(0, 2.5) * USD)
        self.twin.both(
            "add_margin",
            lambda: self.attempt(account, "add_margin", market, slot == ISOLATED, amount),
            lambda state, dust: margins.add(state, place, amount, dust),
            0,
        )

    def remove_margin(self) -> None:
        if (place := self.vault()) is None:
            return
        account, market, slot = place
        amount = int(10 ** self.random.uniform(0, 2) * USD)
        self.twin.both(
            "remove_margin",
            lambda: self.attempt(account, "remove_margin", market, slot == ISOLATED, amount),
            lambda state, dust: margins.remove(state, place, amount, dust),
            0,
        )

    def set_auto_margin(self) -> None:
        if (place := self.vault()) is None:
            return
        account, market, slot = place
        allowance = (
            0 if self.random.random() < 0.1 else int(10 ** self.random.uniform(1, 3.5) * USD)
        )

        def act(state: State, dust: Dust) -> None:
            state.positions[place].is_auto = allowance > 0
            state.allowances[place] = allowance

        self.twin.both(
            "set_auto_margin",
            lambda: self.attempt(account, "set_auto_margin", market, slot == ISOLATED, allowance),
            act,
            0,
        )

    def set_leverage(self) -> None:
        account, market = self.random.choice(self.traders), self.random.randrange(3)
        leverage = self.random.choice((0, 1, 5 * PPM, 10 * PPM, 50 * PPM))
        is_isolated, is_long = self.random.random() < 0.5, self.random.random() < 0.5
        slot = (ISOLATED if is_long else ISOLATED + 1) if is_isolated else 0
        self.twin.both(
            "set_leverage",
            lambda: self.attempt(account, "set_leverage", market, leverage, is_isolated, is_long),
            lambda state, dust: margins.set_leverage(
                state, (account, market, slot), leverage, dust
            ),
            0,
        )

    def set_default_margin_mode(self) -> None:
        account, market = self.random.choice(self.traders), self.random.randrange(3)
        is_isolated = self.random.random() < 0.5

        def act(state: State, dust: Dust) -> None:
            (state.isolates.add if is_isolated else state.isolates.discard)((account, market))

        self.twin.both(
            "set_default_margin_mode",
            lambda: self.attempt(account, "set_default_margin_mode", market, is_isolated),
            act,
            0,
        )

    def set_hedge_mode(self) -> None:
        """Of who is flat, mostly."""
        flat = [name for name in self.traders if self.state.is_flat(name)]
        account = self.random.choice(flat if flat and self.random.random() < 0.8 else self.traders)
        is_hedge = self.random.random() < 0.5

        def act(state: State, dust: Dust) -> None:
            if not state.is_flat(account):
                raise Refused("account: not flat")
            state.accounts[account].is_hedge = is_hedge

        self.twin.both(
            "set_hedge_mode", lambda: self.attempt(account, "set_hedge_mode", is_hedge), act, 0
        )

    def convert_position(self) -> None:
        found = [place for place, position in self.state.positions.items() if position.size]
        if not found:
            return
        account, market, slot = place = self.random.choice(found)
        to_isolated = slot < ISOLATED
        amount = 0
        if to_isolated and self.random.random() < 0.3:
            amount = int(10 ** self.random.uniform(1, 3) * USD)
        self.twin.both(
            "convert to isolated" if to_isolated else "convert to cross",
            lambda: self.attempt(
                account, "convert_position", market, slot & 1 == 0, to_isolated, amount
            ),
            lambda state, dust: margins.convert(state, place, amount, dust),
        )

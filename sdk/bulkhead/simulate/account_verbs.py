"""What accounts do with money, margin and settings: `Clearinghouse.vy` and `AccountLogic.vy`."""

from bulkhead.simulate import conversion, custody, isolated_margin, settings
from bulkhead.simulate.calls import Caller, Done


class AccountVerbs(Caller):
    """The first argument of each is who calls, the others are the contract's. Money is quote."""

    def deposit(self, payer: str, account: str, amount: int) -> Done[None]:
        """Brings money into an account's cash."""
        return self.call(custody.deposit, payer, account, amount)

    def withdraw(self, account: str, amount: int, receiver: str) -> Done[None]:
        """Sends cash out: at most what is withdrawable."""
        return self.call(custody.withdraw, account, amount, receiver)

    def deposit_margin(
        self, payer: str, account: str, market: int, is_long: bool, amount: int
    ) -> Done[None]:
        """Brings money straight into an open isolated position's margin."""
        return self.call(isolated_margin.deposit_margin, payer, account, market, is_long, amount)

    def add_margin(self, account: str, market: int, is_long: bool, amount: int) -> Done[None]:
        """Moves withdrawable cash into an open isolated position."""
        return self.call(isolated_margin.add_margin, account, market, is_long, amount)

    def remove_margin(self, account: str, market: int, is_long: bool, amount: int) -> Done[None]:
        """Moves margin of an isolated position back to cash."""
        return self.call(isolated_margin.remove_margin, account, market, is_long, amount)

    def set_auto_margin(
        self, account: str, market: int, is_long: bool, allowance: int
    ) -> Done[None]:
        """Lets liquidations add margin to an isolated position, up to an allowance in all."""
        return self.call(isolated_margin.set_auto_margin, account, market, is_long, allowance)

    def convert_position(
        self, account: str, market: int, is_long: bool, to_isolated: bool, amount: int = 0
    ) -> Done[None]:
        """Moves a whole position from cross to isolated margin, or back."""
        return self.call(conversion.convert_position, account, market, is_long, to_isolated, amount)

    def set_leverage(
        self, account: str, market: int, leverage: int, is_isolated: bool, is_long: bool
    ) -> Done[None]:
        """Sets leverage, ppm, of an isolated side or of both cross legs."""
        return self.call(settings.set_leverage, account, market, leverage, is_isolated, is_long)

    def set_default_margin_mode(self, account: str, market: int, is_isolated: bool) -> Done[None]:
        """Sets what `DEFAULT` means in the account's orders for a market."""
        return self.call(settings.set_default_margin_mode, account, market, is_isolated)

    def set_hedge_mode(self, account: str, is_hedge: bool) -> Done[None]:
        """Switches between one-way and hedge mode; the account must be flat."""
        return self.call(settings.set_hedge_mode, account, is_hedge)

"""Reasons that the pool, tokens and owners meet."""

from bulkhead.errors._entry import Entry

HOUSE = {
    "aggregator: dead": Entry("The mock feed was told to be dead.", "Revive it.", True),
    "aggregator: no bounds": Entry("The mock feed has no bounds.", "Set them, or do without."),
    "aggregator: reverts": Entry("The mock feed is hostile.", "Use another one."),
    "caller: not allowed": Entry(
        "Another contract of the exchange, or a controller, may call this.",
        "Call the function that is meant for users.",
    ),
    "caller: not an operator": Entry(
        "A keeper's account works for the keys its owner let in.",
        "Let the account's owner call set_operator first.",
    ),
    "caller: not the owner": Entry(
        "Only the clearinghouse's owner may.", "Send it from the owner."
    ),
    "claim: too large": Entry(
        "The controller's fixed requests are worth less.", "Claim at most what is claimable."
    ),
    "controller: zero": Entry("The controller is the zero address.", "Name a controller."),
    "ecdsa: invalid signature": Entry("No key made this signature.", "Sign again."),
    "ecdsa: invalid signature `s` value": Entry(
        "The signature is the malleable twin of a valid one.", "Sign with a low s."
    ),
    "erc20: approve from the zero address": Entry(
        "The zero address approves nothing.", "Approve from the owner."
    ),
    "erc20: approve to the zero address": Entry(
        "Nobody spends from the zero address.", "Name a spender."
    ),
    "erc20: burn amount exceeds balance": Entry(
        "Fewer shares are there to burn.", "Ask for at most the balance."
    ),
    "erc20: burn from the zero address": Entry(
        "The zero address holds no shares.", "Name their owner."
    ),
    "erc20: expired deadline": Entry(
        "The permit's deadline has passed.", "Sign a permit with a later deadline."
    ),
    "erc20: insufficient allowance": Entry(
        "The owner allowed the caller fewer shares.", "The owner approves more."
    ),
    "erc20: invalid signature": Entry(
        "The permit is not signed by the owner, or not with its nonce.", "Sign again."
    ),
    "erc20: mint to the zero address": Entry("Shares go to somebody.", "Name another receiver."),
    "erc20: transfer amount exceeds balance": Entry(
        "The owner holds fewer shares.", "Move at most the balance."
    ),
    "erc20: transfer from the zero address": Entry(
        "The zero address holds no shares.", "Name their owner."
    ),
    "erc20: transfer to the zero address": Entry(
        "Shares go to somebody.", "Name another receiver."
    ),
    "ether: not taken": Entry(
        "A keeper's account takes no ether but the oracle's change, or its caller takes none back.",
        "Send ether along with work, from an account that takes it back.",
    ),
    "insurance: lapsed": Entry(
        "More than ten days have passed since the withdrawal was announced.",
        "Announce it again, and withdraw three to ten days later.",
    ),
    "insurance: none requested": Entry(
        "No withdrawal from insurance is announced.", "Call request_insurance first."
    ),
    "insurance: too early": Entry(
        "Less than three days have passed since the withdrawal was announced.",
        "Wait until it is claimable.",
        True,
    ),
    "insurance: too little": Entry(
        "The fund holds less, or would hold less than open positions may need.",
        "Ask for less, or wait until open interest has shrunk.",
        True,
    ),
    "ownable: caller is not the owner": Entry(
        "Only the clearinghouse's owner may, or the guardian where it stops risk.",
        "Send it from the owner.",
    ),
    "ownable_2step: caller is not the new owner": Entry(
        "Only the pending owner accepts ownership.", "Send it from the pending owner."
    ),
    "logic: called directly": Entry(
        "The code runs in the clearinghouse's storage only.", "Call the clearinghouse."
    ),
    "owner: zero": Entry("The exchange needs an owner.", "Name one at deployment."),
    "pool: bad cooldown": Entry(
        "The cooldown is 1 second to 30 days.", "Deploy the pool with another cooldown."
    ),
    "pool: insolvent": Entry(
        "The pool owes traders more than it holds.", "Wait until it has recovered.", True
    ),
    "pool: owes above its share": Entry(
        "A market owes its traders more than its share of the pool's cash.",
        "Wait for the price, for liquidity or for deleveraging; or keep a larger pool_share.",
        True,
    ),
    "pool: redemption is requested": Entry(
        "What a redemption brings is known once its request is fixed.",
        "Use requestRedeem, then redeem.",
    ),
    "pool: reserve": Entry(
        "The exit would leave less than the markets' reserves.",
        "Wait for positions to close or for liquidity.",
        True,
    ),
    "price: before maturity": Entry(
        "A market's price is older than the request's maturity.",
        "Bring newer prices, then fix again.",
        True,
    ),
    "pyth: bad update": Entry("An update of the mock is 160 bytes.", "Encode its five words."),
    "pyth: fee too low": Entry("The mock Pyth asks for its fee.", "Send it along."),
    "pyth: no price": Entry("The mock Pyth has no such price.", "Update it first.", True),
    "request: lapsed": Entry(
        "Nobody fixed the request within a day of its maturity.",
        "Call lapse, then request again.",
    ),
    "request: not lapsed": Entry(
        "The request can still be fixed, or is not mature yet.",
        "Fix it from maturity on, lapse it a day later.",
        True,
    ),
    "request: not mature": Entry(
        "The cooldown of the request still runs.", "Fix it from its maturity on.", True
    ),
    "request: unknown": Entry(
        "No request of this id waits: it was never made, fixed, or has lapsed.", "Check the id."
    ),
    "shares: too many": Entry("Shares are below 2**128.", "Check the number's decimals."),
    "shares: zero": Entry(
        "No share would move: the amount is zero, or worth less than one.", "Move more."
    ),
    "token: allowance too low": Entry(
        "The payer allowed the caller fewer tokens.", "Approve the clearinghouse for more."
    ),
    "token: bad decimals": Entry("The collateral has 2 to 18 decimals.", "Use another token."),
    "token: barred": Entry(
        "The token's issuer bars the payer or the receiver.", "Settle it with the issuer."
    ),
    "token: balance too low": Entry("The payer holds fewer tokens.", "Move at most the balance."),
    "token: fee on transfer": Entry(
        "The token brought less than it said.", "Use a token without transfer fees."
    ),
    "token: transfer failed": Entry(
        "The token answered that nothing moved.", "Check balance and allowance."
    ),
}

"""Signed prices as servers give them, and the payload that enough of them make. Pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bulkhead import prices

MAX_QUOTES = 4_096  # read of one answer
MAX_OF_MARKET = 32  # of one answer: what one server can have checked in vain
CHECKED = 8_192  # signatures whose signers are remembered: a check takes milliseconds
_HALF_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 // 2
_DECIMALS = re.compile(r"[1-9][0-9]{0,76}")
_HEX = re.compile(r"0x[0-9a-fA-F]{130}")


@dataclass(frozen=True, slots=True)
class Quote:
    """What one signer says of a price.

    Attributes:
        market: Whose.
        price: WAD USD per base unit.
        published_at: Seconds.
        signature: r, s, v.
    """

    market: int
    price: int
    published_at: int
    signature: bytes


def quotes_in(answer: Any, markets: Collection[int]) -> Iterator[Quote]:
    """The quotes of some markets in an answer, of each its newest; what is none is passed over."""
    found = answer.get("prices") if isinstance(answer, dict) else None
    read = map(_quote_of, found[:MAX_QUOTES] if isinstance(found, list) else ())
    quotes = [quote for quote in read if quote is not None and quote.market in markets]
    quotes.sort(key=lambda quote: -quote.published_at)
    taken: Counter[int] = Counter()
    for quote in quotes:
        taken[quote.market] += 1
        if taken[quote.market] <= MAX_OF_MARKET:
            yield quote


def best_payload(
    quotes: Sequence[Quote],
    signers: Collection[str],
    threshold: int,
    chain_id: int,
    price_oracle: str,
) -> bytes | str:
    """The newest price of one market that enough have signed, or why there is none.

    Args:
        quotes: Of one market.
        signers: Those of the oracle, with checksum.
        threshold: How many of them must sign.
        chain_id: Of the chain that they sign for.
        price_oracle: Likewise.
    """
    if threshold == 0:
        return "the oracle has no signers"
    rounds: defaultdict[tuple[int, int], dict[bytes, Quote]] = defaultdict(dict)
    for quote in quotes:
        rounds[quote.published_at, quote.price][quote.signature] = quote
    for (published_at, price), copies in sorted(rounds.items(), reverse=True):
        signed: dict[str, bytes] = {}
        for quote in copies.values() if len(copies) >= threshold else ():
            signer = _signer_of(quote, chain_id, price_oracle)
            if signer in signers:
                signed[signer] = quote.signature
            if len(signed) == threshold:
                return prices.signed_payload(price, published_at, signed)
    return f"{threshold} signers must agree on a price, and fewer do"


def _quote_of(one: Any) -> Quote | None:
    if not isinstance(one, dict):
        return None
    market, price, at = one.get("market"), one.get("price"), one.get("published_at")
    signature = one.get("signature")
    if not (isinstance(market, int) and isinstance(at, int) and 0 < at < 2**40):
        return None
    if not (isinstance(price, str) and _DECIMALS.fullmatch(price)):
        return None
    if not (isinstance(signature, str) and _HEX.fullmatch(signature)):
        return None
    raw = bytes.fromhex(signature[2:])
    return Quote(market, int(price), at, raw) if _is_canonical(raw) else None


def _is_canonical(signature: bytes) -> bool:
    """Whether the oracle takes a signature in this form: every one has others that say the same."""
    return signature[64] in (27, 28) and int.from_bytes(signature[32:64]) <= _HALF_ORDER


@lru_cache(CHECKED)
def _signer_of(quote: Quote, chain_id: int, price_oracle: str) -> str:
    """Who has signed a quote; nobody where it is no signature."""
    from eth_account import Account
    from eth_account.messages import encode_typed_data
    from eth_keys.exceptions import BadSignature
    from eth_utils.exceptions import ValidationError

    message = prices.price_message(
        chain_id, price_oracle, quote.market, quote.price, quote.published_at
    )
    signable = encode_typed_data(message["domain"], message["types"], message["message"])
    try:
        return str(Account.recover_message(signable, signature=quote.signature))
    except (BadSignature, ValidationError, ValueError):
        return ""

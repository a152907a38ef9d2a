# pragma version 0.4.3
"""
@title Signatures
@license MIT
@notice What traders and their operator sign and others bring: orders, brackets and permits. A signature
        counts once, for what it says, in time, from whoever it names; a permit credits its signer.
"""

from contracts.interfaces import IOrderBook
from contracts.interfaces import IOrderLogic
from . import books
from . import desk
from . import drafts
from . import stage
from . import ties
from . import typed_data

uses: books
uses: desk
uses: drafts
uses: stage
uses: ties
uses: typed_data

PERMIT_TYPEHASH: constant(bytes32) = keccak256(
    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
)
PLACE_WITH_SIGNATURE: constant(Bytes[4]) = method_id(
    "place_with_signature((address,address,uint256,uint256,uint256,uint256,bool,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,bytes32,address,uint256,uint256),uint256,uint256,bytes)"
)
PLACE_BRACKET_WITH_SIGNATURE: constant(Bytes[4]) = method_id(
    "place_bracket_with_signature((address,address,uint256,uint256,uint256,uint256,bool,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,bytes32,address,uint256,uint256),(address,address,uint256,uint256,uint256,uint256,bool,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,bytes32,address,uint256,uint256)[],uint256,uint256,bytes)"
)
DEPOSIT_WITH_PERMIT: constant(Bytes[4]) = method_id(
    "deposit_with_permit(address,uint256,uint256,uint8,bytes32,bytes32)"
)
NONCES: constant(uint256) = 512  # of a signer: so few that some come twice

_spent: HashMap[address, HashMap[uint256, bool]]  # nonces by signer


struct Signed:
    nonce: uint256
    deadline: uint256  # seconds
    key: uint256
    is_good: bool  # whether it is the signer's, of what is brought, in time, by an unspent nonce


struct Permit:
    deadline: uint256
    v: uint8
    r: bytes32
    s: bytes32


@external
def place_signed(seed: bytes32):
    """
    @notice Anybody brings a signed order. The same signature brings no second one.
    """
    stage._begin(seed)
    trader: uint256 = stage._draw(stage.TRADERS)
    order: IOrderBook.Order = drafts._draft(trader, stage._draw(5))
    signed: Signed = self._draw_signed(order.placer)
    signature: Bytes[65] = typed_data._sign(
        signed.key,
        keccak256(
            abi_encode(
                typed_data.PLACEMENT_TYPEHASH,
                typed_data._struct_hash(order),
                signed.nonce,
                signed.deadline,
            )
        ),
    )
    if stage._chance(10):
        order.size += 1
        signed.is_good = False
    data: Bytes[5120] = abi_encode(
        order, signed.nonce, signed.deadline, signature, method_id=PLACE_WITH_SIGNATURE
    )
    if self._bring("place_with_signature", order.placer, signed, data):
        order = desk._resolved(order)
        desk._record_placed(order)
        desk._keep(order)
    books._close(trader)


@external
def place_signed_bracket(seed: bytes32):
    stage._begin(seed)
    trader: uint256 = stage._draw(stage.TRADERS)
    bracket: ties.Bracket = ties._draft(trader)
    signed: Signed = self._draw_signed(bracket.entry.placer)
    children: Bytes[64] = concat(
        typed_data._struct_hash(bracket.children[0]), typed_data._struct_hash(bracket.children[1])
    )
    signature: Bytes[65] = typed_data._sign(
        signed.key,
        keccak256(
            abi_encode(
                typed_data.BRACKET_TYPEHASH,
                typed_data._struct_hash(bracket.entry),
                keccak256(children),
                signed.nonce,
                signed.deadline,
            )
        ),
    )
    if stage._chance(10):
        bracket.children[0].trigger_price += 1
        signed.is_good = False
    data: Bytes[5120] = abi_encode(
        bracket.entry,
        bracket.children,
        signed.nonce,
        signed.deadline,
        signature,
        method_id=PLACE_BRACKET_WITH_SIGNATURE,
    )
    if self._bring("place_bracket_with_signature", bracket.entry.placer, signed, data):
        ties._live(bracket)
    books._close(trader)


@external
def cancel_nonces(seed: bytes32):
    """
    @notice A signer voids what it has signed, or will.
    """
    stage._begin(seed)
    signer: address = stage._trader(stage._draw(stage.TRADERS))
    index: uint256 = stage._draw(NONCES // 256)
    bit: uint256 = stage._draw(256)
    mask: uint256 = 1 << bit
    stage._must(
        "cancel_nonces",
        signer,
        stage.book,
        abi_encode(index, mask, method_id=method_id("cancel_nonces(uint256,uint256)")),
    )
    self._spent[signer][256 * index + bit] = True
    books._close(books.NOBODY)


@external
def deposit_with_permit(seed: bytes32):
    """
    @notice Anybody brings a permit, which somebody may have used before. Wrong ones move nothing, though the
            exchange holds every trader's standing allowance; none credits another than its signer.
    """
    stage._begin(seed)
    trader: uint256 = stage._draw(stage.TRADERS)
    account: address = stage._trader(trader)
    amount: uint256 = 1 + stage._draw(10 * stage.USD)
    permit: Permit = self._sign_permit(stage._key(account), account, amount)
    is_good: bool = True
    how: uint256 = stage._draw(8)
    if how == 0:  # another's signature
        permit = self._sign_permit(
            stage._key(stage._trader((trader + 1) % stage.TRADERS)), account, amount
        )
        is_good = False
    elif how == 1:  # another's account
        trader = (trader + 1) % stage.TRADERS
        account = stage._trader(trader)
        is_good = False
    elif how == 2:
        amount += 1
        is_good = False
    elif how == 3:
        stage._advance(permit.deadline - stage.now + 1)
        is_good = False
    elif how == 4:  # used by another, before
        stage._prank(stage.KEEPER)
        extcall stage.token.permit(
            account, stage.clearinghouse, amount, permit.deadline, permit.v, permit.r, permit.s
        )
    cash: int256 = books._account(account).cash
    data: Bytes[5120] = abi_encode(
        account,
        amount,
        permit.deadline,
        permit.v,
        permit.r,
        permit.s,
        method_id=DEPOSIT_WITH_PERMIT,
    )
    if stage._attempt("deposit_with_permit", stage.KEEPER, stage.clearinghouse, data)[0]:
        assert is_good, "permit: taken without a signature"
        assert books._account(account).cash == cash + convert(amount, int256), (
            "permit: credited another amount"
        )
        assert not stage._attempt("permit again", stage.KEEPER, stage.clearinghouse, data)[0], (
            "permit: taken twice"
        )
        stage._prank(account)
        extcall stage.token.approve(stage.clearinghouse, max_value(uint256))
    else:
        assert not is_good, "permit: refused though signed"
    books._close(trader)


@internal
def _draw_signed(signer: address) -> Signed:
    """
    @notice How something is signed: mostly as it should be.
    """
    signed: Signed = Signed(
        nonce=stage._draw(NONCES),
        deadline=stage.now + stage._draw(600),
        key=stage._key(signer),
        is_good=True,
    )
    if stage._chance(10):
        signed.key = stage._key(stage._trader(stage._draw(stage.TRADERS)))
    if stage._chance(10):
        signed.deadline = stage.now - 1
    signed.is_good = (
        signed.key == stage._key(signer)
        and signed.deadline >= stage.now
        and not self._spent[signer][signed.nonce]
    )
    return signed


@internal
def _bring(name: String[32], signer: address, signed: Signed, data: Bytes[5120]) -> bool:
    """
    @notice Somebody brings what is signed: taken only if it is good, and never again.
    """
    if not stage._attempt(name, stage.KEEPER, stage.book, data)[0]:
        return False
    assert signed.is_good, "signature: taken though it is bad"
    assert not stage._attempt("bring again", stage.KEEPER, stage.book, data)[0], (
        "signature: taken twice"
    )
    self._spent[signer][signed.nonce] = True
    nonces: uint256 = staticcall IOrderLogic(stage.book).nonce_word(signer, signed.nonce // 256)
    assert (nonces >> (signed.nonce % 256)) & 1 == 1, "signature: nonce not spent"
    return True


@internal
@view
def _sign_permit(key: uint256, owner: address, amount: uint256) -> Permit:
    deadline: uint256 = stage.now + 600
    struct_hash: bytes32 = keccak256(
        abi_encode(
            PERMIT_TYPEHASH,
            owner,
            stage.clearinghouse,
            amount,
            staticcall stage.token.nonces(owner),
            deadline,
        )
    )
    domain: bytes32 = staticcall stage.token.DOMAIN_SEPARATOR()
    permit: Permit = empty(Permit)
    permit.deadline = deadline
    permit.v, permit.r, permit.s = staticcall stage.VM.sign(
        key, typed_data._digest(domain, struct_hash)
    )
    return permit

"""A card made at once: its order to the branch's device, prepared and signed, and its file."""

from datetime import datetime
from pathlib import Path

from card_core.errors import NotFoundError
from card_core.kernel import Actor, Kernel
from card_core.kernel.acts.at_once import OrderAtOnce
from card_core.states import OrderState
from card_core.store import making_orders, makings
from card_core.store.cards import Card
from card_core.store.making_orders import Order
from issuance import engine
from issuance.batches import new_request_id
from issuance.making import maker_files, preparing


def write_file(
    kernel: Kernel, card: Card, maker: str, path: Path, *, actor: Actor, made_at: datetime
) -> Order:
    """Order the card from a branch's device, and write the file that the device makes it by.

    Run again after it was interrupted, or where the file was lost, it goes on with the order that
    there is. Raises KernelError, IssuanceError, CryptoError.
    """
    order = _open_order(kernel, card)
    if order is None:
        act = OrderAtOnce(card.id, maker)
        order_id = kernel.perform(act, actor=actor, request_id=new_request_id())["order_id"]
        order = _order(kernel, order_id)
    if order.state is OrderState.PREPARING:
        with engine.here(kernel) as pool:
            preparing.prepare(pool, kernel, order, actor=actor, progress=lambda _done, _all: None)
    maker_files.write_file(
        kernel, order, path, actor=actor, made_at=made_at, progress=lambda _done, _all: None
    )
    return order


def _open_order(kernel: Kernel, card: Card) -> Order | None:
    """The card's order that is not answered yet."""
    with kernel.store.read() as tx:
        if makings.get(tx, card.id) is None:
            raise NotFoundError("making")
        orders = making_orders.of_batch(tx, card.batch_id)
    waiting = {OrderState.PREPARING, OrderState.SENT}
    return next((one for one in orders if one.state in waiting), None)


def _order(kernel: Kernel, order_id: str) -> Order:
    with kernel.store.read() as tx:
        order = making_orders.get(tx, order_id)
    if order is None:
        raise NotFoundError("making order")
    return order

"""What a label names here: its item by any of its numbers, then the unit, lot, container or box.

Quantities leave in the item's base unit, by its conversions; one that cannot be converted is a
fault of the meaning and never counts one for one (BF-2).
"""

from fractions import Fraction

from msgspec import structs

from mes_terminal.barcodes.label import Label, gtin_forms
from mes_terminal.domain.conversions import ConversionFault
from mes_terminal.domain.intent import Meaning
from mes_terminal.domain.quantity import MICRO, QuantityError, parse_quantity
from mes_terminal.store import codes
from mes_terminal.store.codes import ItemFound
from mes_terminal.store.database import Connection
from mes_terminal.store.orders import read_unit


def read_label(conn: Connection, label: Label) -> list[Meaning]:
    """Return what the label names; several meanings are for `interpret` to refuse."""
    orders = [
        meaning
        for text in label.orders
        for meaning in codes.look_up(conn, text)
        if meaning.kind == "order"
    ]
    if not label.names_an_item:
        return orders or _without_item(conn, label)
    gtins = gtin_forms(label.gtin) if label.gtin else []
    items = codes.items_of(conn, gtins, label.item_codes, label.partner)
    found = [_of_item(conn, item, label) for item in _the_items(items)]
    if orders and all(order.item_id == item.item_id for order in orders for item in items):
        return [_of_order(conn, orders[0], found[0], items[0], label)] if items else orders
    return [*orders, *found]


def with_pack(conn: Connection, meaning: Meaning) -> Meaning:
    """Return an item named by a code of a pack, with the pack's quantity in its base unit."""
    if meaning.pack_uom is None or meaning.quantity_micro is None:
        return meaning
    return _converted(conn, meaning, meaning.quantity_micro, meaning.pack_uom)


def _the_items(items: list[ItemFound]) -> list[ItemFound]:
    """Return each item once; of several numbers that name it the one that says how many."""
    by_id: dict[int, ItemFound] = {}
    for item in items:
        known = by_id.get(item.item_id)
        if known is None or known.pack_micro is None:
            by_id[item.item_id] = item
    return list(by_id.values())


def _without_item(conn: Connection, label: Label) -> list[Meaning]:
    """A package, serial or lot that stands alone names what the database knows by it."""
    kinds = (
        (label.package, ("container",)),
        (label.serial, ("unit", "component_serial")),
        (label.lot, ("lot", "container")),
    )
    for text, wanted in kinds:
        found = [one for one in codes.look_up(conn, text or "") if one.kind in wanted]
        if found:
            return found
    return []


def _of_item(conn: Connection, item: ItemFound, label: Label) -> Meaning:
    found = _named(conn, item, label)
    return _measured(conn, found, item, label)


def _of_order(
    conn: Connection, order: Meaning, found: Meaning, item: ItemFound, label: Label
) -> Meaning:
    """Return what a label of a product names that names its order too: the unit with that serial,
    which must be of that order, a new serial for that order (BF-39), else the order, a box of it
    once (BF-34)."""
    if found.kind == "unit" and read_unit(conn, found.row_id).work_order != order.key:
        return structs.replace(found, other_order=order.key)
    if found.kind == "component_serial":
        return structs.replace(found, order=order.key)
    if found.kind == "unit":
        return found
    return _measured(conn, structs.replace(order, box=found.box), item, label)


def _named(conn: Connection, item: ItemFound, label: Label) -> Meaning:
    """Return what of the item the label names."""
    package = label.package
    if label.serial:
        known = codes.serial_of(conn, item.item_id, label.serial)
        if known is not None:
            return known
        if item.tracking == "serial":
            return Meaning("component_serial", label.serial, 0, item.item_id)
        package = package or f"{item.item}|{label.serial}"
    containers = [c for c in codes.look_up(conn, label.package or "") if c.kind == "container"]
    if containers:
        return containers[0]
    if item.is_made and package and (label.quantity or item.pack_micro):
        return Meaning("item", item.item, item.item_id, item.item_id, box=package)
    if label.lot:
        lot_id = codes.lot_id_of(conn, item.item_id, label.lot)
        return Meaning("lot", f"{item.item}|{label.lot}", lot_id or 0, item.item_id)
    return Meaning("item", item.item, item.item_id, item.item_id)


def _measured(conn: Connection, meaning: Meaning, item: ItemFound, label: Label) -> Meaning:
    """Return the meaning with quantity, expiry and supplier of the label."""
    told = Meaning(
        meaning.kind,
        meaning.key,
        meaning.row_id,
        meaning.item_id,
        box=meaning.box,
        expires_on=label.expires_on,
        supplier=label.partner,
    )
    if label.quantity is None:
        if item.pack_micro is None:
            return told
        return _converted(conn, told, item.pack_micro, item.pack_uom or item.uom)
    try:
        quantity = parse_quantity(label.quantity)
    except QuantityError as error:
        return _faulty(told, f"The label's quantity: {error}")
    if label.uom is not None:
        return _converted(conn, told, quantity, label.uom)
    if item.pack_micro is not None and label.gtin:
        return _converted(
            conn, told, quantity * item.pack_micro // MICRO, item.pack_uom or item.uom
        )
    return _with_quantity(told, quantity)


def _converted(conn: Connection, meaning: Meaning, quantity_micro: int, uom: str) -> Meaning:
    """Return the meaning with a quantity of another unit, exactly, or with its fault."""
    factor = codes.factor_to_base(conn, meaning.item_id, uom)
    if isinstance(factor, ConversionFault):
        return structs.replace(_faulty(meaning, factor.message), lacks_uom=uom)
    quantity = Fraction(quantity_micro) * factor
    if quantity.denominator != 1:
        return _faulty(meaning, f"{uom} of the label is no exact quantity in the base unit")
    return _with_quantity(meaning, int(quantity))


def _with_quantity(meaning: Meaning, quantity_micro: int) -> Meaning:
    return Meaning(
        meaning.kind,
        meaning.key,
        meaning.row_id,
        meaning.item_id,
        quantity_micro=quantity_micro,
        box=meaning.box,
        expires_on=meaning.expires_on,
        supplier=meaning.supplier,
    )


def _faulty(meaning: Meaning, fault: str) -> Meaning:
    return Meaning(meaning.kind, meaning.key, meaning.row_id, meaning.item_id, fault=fault)

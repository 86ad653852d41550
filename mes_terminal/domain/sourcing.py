"""Draw on more than the books of one item: mounted containers' gains, and substitutes. Pure.

A line is covered, in this order: from the books of what is mounted for it, its own item before
substitutes in its position; from what these containers may hold beyond their books (BF-17); from
its other stock (BF-15); and, after every line of the report had its own, from substitutes that the
station may choose (BF-29). All is counted in units of the component; each substitute covers whole
steps of it, and what of it would cover less than a step stays in stock.
"""

from collections.abc import Iterable, Mapping, Sequence

from mes_terminal.domain import backflush
from mes_terminal.domain.backflush import Draw, Due, Piece, PoolKey, Stock, with_certainty
from mes_terminal.domain.order import LineFacts, Source, Substitute
from mes_terminal.domain.quantity import MICRO, ceil_to_step, floor_to_step

Substitutes = Mapping[int, Sequence[Substitute]]
"""Line id → what may stand in for its component, in the order of choice."""


def mounted_keys(needed: Iterable[Due], substitutes: Substitutes) -> set[PoolKey]:
    """Return the stock of substitutes that stand in the positions of these lines."""
    return {
        (each.item_id, due.line.location_id)
        for due in needed
        for each in substitutes.get(due.line.line_id, ())
        if each.mounted_lot_id is not None
    }


def automatic_keys(draws: Iterable[Draw], substitutes: Substitutes) -> set[PoolKey]:
    """Return the stock of substitutes that the station may choose for what is missing."""
    return {
        (each.item_id, draw.line.location_id)
        for draw in draws
        for each in _automatic(draw, substitutes)
    }


def draw(
    needed: Sequence[Due], stock: Stock, substitutes: Substitutes, *, units_micro: int
) -> list[Draw]:
    """Draw what is due from what is mounted and from each line's own stock."""
    if not (stock.has_containers or substitutes):
        return backflush.draw(needed, stock, units_micro=units_micro)
    draws: list[Draw] = []
    for due in needed:
        standing = [
            each
            for each in substitutes.get(due.line.line_id, ())
            if each.mounted_lot_id is not None
        ]
        if standing or any(stock.is_sized(source) for source in stock.sources(due.key)):
            each = _draw_mounted(due, standing, stock)
            draws.append(with_certainty(each, one_unit=units_micro <= MICRO))
        else:
            draws += backflush.draw([due], stock, units_micro=units_micro)
    return draws


def add_substitutes(
    draws: Sequence[Draw], stock: Stock, substitutes: Substitutes, *, units_micro: int
) -> list[Draw]:
    """Draw what is missing from the substitutes that the station may choose (BF-29)."""
    return [
        with_certainty(_stood_in(each, chosen, stock), one_unit=units_micro <= MICRO)
        if (chosen := _automatic(each, substitutes))
        else each
        for each in draws
    ]


def _automatic(draw: Draw, substitutes: Substitutes) -> list[Substitute]:
    missing = draw.net_missing_micro or draw.scrap_missing_micro
    if not missing or draw.line.mount_required:
        return []
    return [each for each in substitutes.get(draw.line.line_id, ()) if each.is_automatic]


def _draw_mounted(due: Due, standing: Sequence[Substitute], stock: Stock) -> Draw:
    net, net_missing, net_over = _cover(due, due.net_micro, standing, stock)
    scrap, scrap_missing, scrap_over = _cover(due, due.scrap_micro, standing, stock)
    return Draw(due.line, net, scrap, net_missing, scrap_missing, net_over + scrap_over)


def _cover(
    due: Due, wanted_micro: int, standing: Sequence[Substitute], stock: Stock
) -> tuple[list[Piece], int, int]:
    """Return the pieces that cover what is wanted, what is missing, and what the mounted containers
    should have given."""
    line = due.line
    own = [source for source in stock.sources(due.key) if source.mounted]
    others = {each.item_id: _in_position(each, line, stock) for each in standing}
    pieces: list[Piece] = []
    rest = wanted_micro
    for with_gain in (False, True):
        rest = _take_own(pieces, own, rest, stock, with_gain=with_gain)
        for each in standing:
            sources = others[each.item_id]
            taken, rest = _take(line, each, sources, rest, stock, with_gain=with_gain)
            pieces += taken
    sized = any(stock.is_sized(one) for sources in (own, *others.values()) for one in sources)
    overdrawn = rest if sized else 0
    if not line.mount_required:
        unmounted = [source for source in stock.sources(due.key) if not source.mounted]
        rest = _take_own(pieces, unmounted, rest, stock, with_gain=False)
    return _merged(pieces), rest, overdrawn


def _stood_in(each: Draw, chosen: Sequence[Substitute], stock: Stock) -> Draw:
    net, net_missing = _choose(each.line, chosen, each.net_missing_micro, stock)
    scrap, scrap_missing = _choose(each.line, chosen, each.scrap_missing_micro, stock)
    return Draw(
        each.line,
        _merged(each.net + net),
        _merged(each.scrap + scrap),
        net_missing,
        scrap_missing,
        each.overdrawn_micro,
    )


def _choose(
    line: LineFacts, chosen: Sequence[Substitute], missing_micro: int, stock: Stock
) -> tuple[list[Piece], int]:
    pieces: list[Piece] = []
    rest = missing_micro
    for each in chosen:
        sources = stock.sources((each.item_id, line.location_id))
        if each.mount_required:
            sources = [source for source in sources if source.mounted]
        taken, rest = _take(line, each, sources, rest, stock, with_gain=False)
        pieces += taken
    return pieces, rest


def _in_position(each: Substitute, line: LineFacts, stock: Stock) -> list[Source]:
    """Return the balances of the substitute that stands in the line's position."""
    return [
        source
        for source in stock.sources((each.item_id, line.location_id))
        if source.mounted
        and source.lot_id == each.mounted_lot_id
        and each.mounted_container_id in (0, source.container_id)
    ]


def _take_own(
    pieces: list[Piece], sources: Iterable[Source], rest: int, stock: Stock, *, with_gain: bool
) -> int:
    """Add what the sources give of the component; return what is still missing."""
    for source in sources:
        part = min(stock.available_micro(source, with_gain=with_gain), rest)
        if part > 0:
            pieces.append(Piece(source, part, None, stock.draw(source, part)))
            rest -= part
    return rest


def _take(
    line: LineFacts,
    each: Substitute,
    sources: Sequence[Source],
    rest: int,
    stock: Stock,
    *,
    with_gain: bool,
) -> tuple[list[Piece], int]:
    """Return what the sources give of a substitute, and what of the component is still missing.

    Its quantity is rounded up to its step once, not for each lot. What a lot covers is rounded down
    to the micro-unit; the last one covers exactly what is then left to be covered.
    """
    available = sum(stock.available_micro(source, with_gain=with_gain) for source in sources)
    covers = min(rest, floor_to_step(available * each.ratio_den, each.ratio_num, 1))
    if covers < rest:
        covers = floor_to_step(covers, 1, line.step_micro)
    needed = ceil_to_step(covers * each.ratio_num, each.ratio_den, each.step_micro)
    pieces: list[Piece] = []
    taken = covered = 0
    for source in sources:
        part = min(stock.available_micro(source, with_gain=with_gain), needed - taken)
        if part <= 0:
            continue
        through = (taken + part) * each.ratio_den // each.ratio_num
        through = covers if taken + part == needed else min(through, covers)
        if through > covered:
            gain = stock.draw(source, part)
            pieces.append(Piece(source, part, None, gain, each, through - covered))
            taken, covered = taken + part, through
    return pieces, rest - covered


def _merged(pieces: list[Piece]) -> list[Piece]:
    """Return one piece a balance, in the order first drawn."""
    merged: dict[int, Piece] = {}
    for piece in pieces:
        known = merged.get(piece.source.balance_id)
        if known is not None:
            piece = Piece(
                piece.source,
                known.quantity_micro + piece.quantity_micro,
                piece.certainty,
                known.gain_micro + piece.gain_micro,
                piece.substitute,
                known.substituted_micro + piece.substituted_micro,
            )
        merged[piece.source.balance_id] = piece
    return list(merged.values())

"""Draw on more than the shelf: on what is mounted, with its gains, and on substitutes. Pure.

A line is covered, in this order: from what stands in its own position, its item or a substitute,
from the books first and then from what the container may hold beyond them (BF-17); from what of its
item is mounted in other positions, in the same way, once every line has its own; from its other
stock (BF-15); and, after every line of the report had that, from substitutes that the station may
choose (BF-29). All is counted in units of the component; each substitute covers whole steps of it,
and what of it would cover less than a step stays in stock.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from mes_terminal.domain import backflush
from mes_terminal.domain.backflush import Draw, Due, Piece, PoolKey, Stock
from mes_terminal.domain.order import LineFacts, Source, Substitute
from mes_terminal.domain.outcome import Certainty
from mes_terminal.domain.quantity import MICRO, ceil_to_step, floor_to_step

Substitutes = Mapping[int, Sequence[Substitute]]
"""Line id → what may stand in for its component, in the order of choice."""


def mounted_keys(needed: Iterable[Due], substitutes: Substitutes) -> set[PoolKey]:
    """Return the stock of substitutes that stand in the positions of these lines."""
    if not substitutes:
        return set()
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
    """Draw what is due from what is mounted and from each line's own stock.

    Every line has what stands in its position before any line takes of another's, so none lacks
    what was scanned for it. `units_micro` is what the report says was made.
    """
    standing = _standing(needed, substitutes)
    keys = {due.key for due in needed if due.line.line_id in standing or stock.stands(due.key)}
    if not keys:
        return backflush.draw(needed, stock)
    draws: dict[int, Draw] = {}
    covers: list[_Cover] = []
    for due in needed:
        if due.key not in keys:
            continue
        others = standing.get(due.line.line_id, ())
        whole = None if others or due.scrap_micro else _whole(due, stock)
        if whole is not None:
            draws[due.line.line_id] = whole
            continue
        cover = _Cover(due, others, stock)
        cover.take_own()
        covers.append(cover)
    for cover in covers:
        cover.take_others()
    one_unit = units_micro <= MICRO
    for cover in covers:
        cover.take_unmounted()
        draws[cover.line.line_id] = _with_certainty(cover.drawn(), one_unit=one_unit)
    plain = backflush.draw([due for due in needed if due.key not in keys], stock)
    draws |= {each.line.line_id: each for each in plain}
    return [draws[due.line.line_id] for due in needed]


def add_substitutes(
    draws: Sequence[Draw], stock: Stock, substitutes: Substitutes, *, units_micro: int
) -> list[Draw]:
    """Draw what is missing from the substitutes that the station may choose (BF-29)."""
    return [
        _with_certainty(_stood_in(each, chosen, stock), one_unit=units_micro <= MICRO)
        if (chosen := _automatic(each, substitutes))
        else each
        for each in draws
    ]


def _automatic(draw: Draw, substitutes: Substitutes) -> list[Substitute]:
    missing = draw.net_missing_micro or draw.scrap_missing_micro
    if not missing or draw.line.mount_required:
        return []
    return [each for each in substitutes.get(draw.line.line_id, ()) if each.is_automatic]


def _standing(needed: Iterable[Due], substitutes: Substitutes) -> dict[int, Sequence[Substitute]]:
    """Return, by line id, what stands in the line's position in place of its component."""
    if not substitutes:
        return {}
    found = {
        due.line.line_id: [
            each
            for each in substitutes.get(due.line.line_id, ())
            if each.mounted_lot_id is not None
        ]
        for due in needed
    }
    return {line_id: standing for line_id, standing in found.items() if standing}


def _whole(due: Due, stock: Stock) -> Draw | None:
    """Draw from the first balance in the line's position if that covers it all."""
    line = due.line
    source = stock.take_from_first(due.key, due.net_micro, line.position)
    if source is None:
        return None
    piece = Piece(source, due.net_micro, None if line.tracking == "none" else "exact")
    return Draw(line, (piece,), whole=None if source.is_expired or source.is_held else piece)


class _Cover:
    """A line that something is mounted for, as it is covered: the units first, then its scrap."""

    def __init__(self, due: Due, standing: Sequence[Substitute], stock: Stock) -> None:
        line = self.line = due.line
        self._stock = stock
        self._sources = stock.sources(due.key)
        self._own = [source for source in self._sources if source.position == line.position]
        self._standing = [(each, _in_position(each, line, stock)) for each in standing]
        self._pieces: tuple[list[Piece], list[Piece]] = ([], [])
        self._missing_micro = [due.net_micro, due.scrap_micro]
        self._overdrawn_micro: int | None = None

    def take_own(self) -> None:
        """Take what stands in the line's position: its books, then what it may hold beyond."""
        for part, pieces in enumerate(self._pieces):
            for with_gain in (False, True):
                self._take(part, self._own, with_gain=with_gain)
                for each, sources in self._standing:
                    taken, self._missing_micro[part] = take_substitute(
                        each,
                        sources,
                        self._missing_micro[part],
                        self._stock,
                        step_micro=self.line.step_micro,
                        with_gain=with_gain,
                    )
                    pieces += taken
        self._note_overdrawn([*self._own, *(one for _, each in self._standing for one in each)])

    def take_others(self) -> None:
        """Take of the item what stands in other positions, unless the line is bound to its own."""
        line = self.line
        if line.mount_required and line.mount_position is not None:
            return
        others = [one for one in self._sources if one.position not in ("", line.position)]
        for part in (0, 1):
            for with_gain in (False, True):
                self._take(part, others, with_gain=with_gain)
        self._note_overdrawn(others)

    def take_unmounted(self) -> None:
        """Take what lies at the line's location."""
        if not self.line.mount_required:
            unmounted = [source for source in self._sources if not source.position]
            for part in (0, 1):
                self._take(part, unmounted, with_gain=False)

    def drawn(self) -> Draw:
        """Return what the line got, and what it did not get."""
        net, scrap = (_merged(pieces) for pieces in self._pieces)
        net_missing, scrap_missing = self._missing_micro
        return Draw(self.line, net, scrap, net_missing, scrap_missing, self._overdrawn_micro or 0)

    def _take(self, part: int, sources: Iterable[Source], *, with_gain: bool) -> None:
        for source in sources:
            there = self._stock.available_micro(source, with_gain=with_gain)
            taken = min(there, self._missing_micro[part])
            if taken > 0:
                gain = self._stock.draw(source, taken)
                self._pieces[part].append(Piece(source, taken, None, gain))
                self._missing_micro[part] -= taken

    def _note_overdrawn(self, sources: Iterable[Source]) -> None:
        """Note what the first containers of known size should have given and could not."""
        if self._overdrawn_micro is None and any(map(self._stock.is_sized, sources)):
            self._overdrawn_micro = sum(self._missing_micro)


def _stood_in(each: Draw, chosen: Sequence[Substitute], stock: Stock) -> Draw:
    net, net_missing = _choose(each.line, chosen, each.net_missing_micro, stock)
    scrap, scrap_missing = _choose(each.line, chosen, each.scrap_missing_micro, stock)
    return Draw(
        each.line,
        _merged([*each.net, *net]),
        _merged([*each.scrap, *scrap]),
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
            sources = [source for source in sources if source.position]
        taken, rest = take_substitute(each, sources, rest, stock, step_micro=line.step_micro)
        pieces += taken
    return pieces, rest


def _in_position(each: Substitute, line: LineFacts, stock: Stock) -> list[Source]:
    """Return the balances of the substitute that stands in the line's position."""
    sources = stock.sources((each.item_id, line.location_id))
    return [source for source in sources if source.position == line.position]


def take_substitute(
    each: Substitute,
    sources: Sequence[Source],
    rest: int,
    stock: Stock,
    *,
    step_micro: int,
    with_gain: bool = False,
) -> tuple[list[Piece], int]:
    """Return what the sources give of a substitute, and what of the component is still missing.

    `step_micro` is the component's: what is covered in part is a multiple of it. The substitute's
    quantity is rounded up to its own step once, not for each lot. What a lot covers is rounded down
    to the micro-unit; the last one covers exactly what is then left to be covered.
    """
    available = sum(stock.available_micro(source, with_gain=with_gain) for source in sources)
    covers = min(rest, floor_to_step(available * each.ratio_den, each.ratio_num, 1))
    if covers < rest:
        covers = floor_to_step(covers, 1, step_micro)
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


def _with_certainty(each: Draw, *, one_unit: bool) -> Draw:
    """Return the draw with how sure each of its pieces is (BF-37)."""
    line = each.line
    sources = [piece.source for piece in (*each.net, *each.scrap)]
    scanned = [source for source in sources if source.position]
    own = _certainty(sources, "exact", one_unit=one_unit)
    runs_over = any(_is_own(line, piece) for piece in (*each.net, *each.scrap))
    others = own if runs_over else _certainty(scanned, "assumed", one_unit=one_unit)

    def sure(piece: Piece) -> Piece:
        certainty = backflush.chosen(piece.substitute or line, piece.source)
        if certainty is not None and _is_own(line, piece):
            certainty = own
        elif certainty == "assumed" and piece.source.position:
            certainty = others
        return msgspec.structs.replace(piece, certainty=certainty)

    return msgspec.structs.replace(
        each, net=[sure(piece) for piece in each.net], scrap=[sure(piece) for piece in each.scrap]
    )


def _is_own(line: LineFacts, piece: Piece) -> bool:
    """Was it scanned for the line: into its position, or, where it names none, as the one container
    of its item?"""
    if piece.source.position == line.position:
        return True
    return line.mount_position is None and piece.substitute is None and bool(piece.source.is_alone)


def _certainty(sources: Sequence[Source], alone: Certainty, *, one_unit: bool) -> Certainty:
    """Return how sure what was scanned is: of several lots or containers nobody can say which of
    several units has which."""
    if one_unit or len({(source.lot_id, source.container_id) for source in sources}) < 2:
        return alone
    return "pooled"

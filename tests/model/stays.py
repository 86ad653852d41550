"""What is mounted, and what happens to its books when it leaves its position (BF-17)."""

from fractions import Fraction

from tests.model.drawing import Drawing
from tests.model.values import Mount, Movement

Opened = tuple[tuple[str, None, str, str], ...]


class Stays(Drawing):
    """Books with containers in positions."""

    def change_over(
        self, position: str, mount: Mount, label: Fraction | None, at: str
    ) -> list[tuple[str, Fraction]]:
        """Mount; return what differs too much of what was there: (item, quantity)."""
        if self.mounts.get(position) == mount:
            return []
        asked: list[tuple[str, Fraction]] = []
        for other, held in sorted(self.mounts.items()):
            same = (held.item, held.lot, held.container) == (mount.item, mount.lot, mount.container)
            if other == position:
                empty = self.sizes[position][1] and not same
                asked = self.leave(position, Fraction(0) if empty else None, at)
            elif held.container and held.container == mount.container:
                self.leave(other, None, at)
        book = self.book(mount)
        base = max(book, Fraction(0))
        if mount.container:
            base = sum(
                (
                    one.quantity
                    for one in self.movements
                    if (one.container, one.source) == (mount.container, "@supplier")
                ),
                Fraction(0),
            )
        self.sizes[position] = (base, bool(mount.container) or (label or None) == book)
        self.stays[position] = ("", mount.container)
        if not mount.container:
            self.stays[position] = (position, str(len(self.gained)))
        self.gained.setdefault(self.stays[position], Fraction(0))
        self.mounts[position] = mount
        return asked

    def leave(self, position: str, left: Fraction | None, at: str) -> list[tuple[str, Fraction]]:
        """Empty a position with so much left (None: as the books say); return what differs too
        much."""
        held = self.mounts.pop(position)
        book = self.book(held)
        difference = Fraction(0) if left is None else left - book
        if not difference:
            return []
        base, _ = self.sizes[position]
        key = self.stays[position]
        gained = self.gained[key] + difference
        if abs(gained) > self.tolerance(base, held.item):
            return [(held.item, abs(difference))]
        self.gained[key] = gained
        if difference > 0:
            arriving = Movement(
                held.item, held.lot, held.container, "@adjustment", held.place, difference
            )
            self.movements.append(arriving)
            place = (held.item, held.lot, held.container, held.place)
            self.arrived[place] = min(at, self.arrived.get(place, at))
            return []
        boxes = ["", *self.containers]
        for heap in sorted(self.heaps(), key=lambda heap: boxes.index(heap.container)):
            if self.is_in(heap.item, heap.lot, heap.container, heap.place, held):
                part = min(heap.quantity, -difference)
                difference += part
                if part > 0:
                    self.movements.append(
                        Movement(
                            heap.item, heap.lot, heap.container, heap.place, "@adjustment", part
                        )
                    )
        return []

    def book(self, held: Mount) -> Fraction:
        """Return what the books have of it where it is."""
        return sum(
            (
                heap.quantity
                for heap in self.heaps()
                if self.is_in(heap.item, heap.lot, heap.container, heap.place, held)
            ),
            Fraction(0),
        )

    @staticmethod
    def is_in(item: str, lot: str, container: str, place: str, held: Mount) -> bool:
        """Tell whether stock is what is mounted."""
        return (item, lot, place) == (held.item, held.lot, held.place) and held.container in (
            "",
            container,
        )

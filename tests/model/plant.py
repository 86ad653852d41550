"""What the files of a plant say, as text; units, steps, exploded BOMs (BF-2 … BF-10)."""

from fractions import Fraction

from tests.model.values import NEVER, Line, Operation, StandIn, path_of

Cells = dict[str, str]

KEYS = {
    "items": ("item",), "boms": ("item", "revision"), "bom_lines": ("item", "revision", "line"),
    "locations": ("location",), "unit_conversions": ("item", "from_uom", "to_uom"),
    "lots": ("item", "lot"), "receipts": ("reference",), "work_orders": ("work_order",),
    "operators": ("badge",), "reasons": ("code",),
    "bom_substitutes": ("item", "revision", "line", "substitute"),
    "routings": ("item", "revision", "operation"),
}  # fmt: skip


class Plant:
    """The tables as loaded last."""

    def __init__(self, *, planned_scrap: str) -> None:
        self.planned_scrap = planned_scrap
        self.tables: dict[str, dict[tuple[str, ...], Cells]] = {name: {} for name in KEYS}

    def cell(self, table: str, key: tuple[str, ...], column: str) -> str:
        """Return a cell of what was loaded; empty if there is none."""
        return self.tables[table].get(key, {}).get(column) or ""

    def uom(self, item: str) -> str:
        """Return the base unit."""
        return self.cell("items", (item,), "uom") or "pcs"

    def step(self, item: str) -> Fraction:
        """Return the smallest amount of the item (BF-2)."""
        return Fraction(1, 10 ** int(self.cell("items", (item,), "decimals") or 0))

    def factor(self, item: str, uom: str) -> Fraction:
        """Return how many base units one `uom` is; one step of conversion, either way round."""
        base = self.uom(item)
        if uom == base:
            return Fraction(1)
        for of in (item, ""):
            if told := self.cell("unit_conversions", (of, uom, base), "factor"):
                return Fraction(told)
            if told := self.cell("unit_conversions", (of, base, uom), "factor"):
                return 1 / Fraction(told)
        raise AssertionError(f"no conversion of {item} from {uom}")

    def explode(self, item: str, day: str, revision: str) -> list[Line]:
        found: list[Line] = []
        self._add_lines(found, item, day, revision, (), "per_unit", (Fraction(1), Fraction(1)), {})
        return sorted(found, key=lambda line: path_of(line.path))

    def routing(self, item: str, day: str, revision: str) -> list[Operation]:
        bom = self._revision(item, day, revision)
        rows = [
            row
            for row in self.tables["routings"].values()
            if (row["item"], row["revision"]) == (item, bom["revision"])
        ]
        rows.sort(key=lambda row: path_of(row["operation"]))
        return [
            Operation(row["operation"], row["backflush_point"] == "yes", row["overlap"] == "yes")
            for row in rows
        ]

    def _add_lines(
        self, found: list[Line], item: str, day: str, revision: str, above: tuple[str, ...],
        basis_above: str, ratios: tuple[Fraction, Fraction], stated: Cells,
    ) -> None:  # fmt: skip
        bom = self._revision(item, day, revision)
        makes = Fraction(bom.get("output_quantity") or 1)
        for row in self.tables["bom_lines"].values():
            if (row["item"], row["revision"]) != (item, bom["revision"]):
                continue
            component = row["component"]
            quantity = Fraction(row["quantity"])
            quantity *= self.factor(component, row.get("uom") or self.uom(component))
            scrap = self._scrap_factor(row)
            if row.get("basis") == "per_order":
                basis, net, gross = "per_order", quantity, quantity * scrap
            else:
                basis = basis_above
                net = ratios[0] * quantity / makes
                gross = ratios[1] * quantity / makes * scrap
            path = (*above, row["line"])
            said = {
                name: row.get(name) or stated.get(name, "")
                for name in ("issue_method", "supply_location", "operation")
            }
            if self.cell("items", (component,), "kind") == "phantom":
                self._add_lines(found, component, day, "", path, basis, (net, gross), said)
                continue
            of_item = self.cell("items", (component,), "issue_method")
            found.append(
                Line(
                    ".".join(path), component, basis, net, gross,
                    said["issue_method"] or of_item or "backflush",
                    said["supply_location"] or "LINE",
                    row.get("mount") or self.cell("items", (component,), "mount") or "optional",
                    row.get("mount_position") or component,
                    bool(row.get("mount_position")),
                    self._substitutes(row), said["operation"],
                )
            )  # fmt: skip

    def _substitutes(self, line: Cells) -> tuple[StandIn, ...]:
        rows = [
            row
            for key, row in self.tables["bom_substitutes"].items()
            if key[:3] == (line["item"], line["revision"], line["line"])
        ]
        rows.sort(
            key=lambda row: (not row["priority"], int(row["priority"] or 0), row["substitute"])
        )
        return tuple(
            StandIn(
                row["substitute"],
                Fraction(row["ratio"]),
                row["approval"] == "required",
                row["choice"] == "automatic" and row["approval"] != "required",
            )
            for row in rows
        )

    def _revision(self, item: str, day: str, revision: str) -> Cells:
        found = [
            bom
            for bom in self.tables["boms"].values()
            if bom["item"] == item
            and (bom["revision"] == revision if revision else _effective(bom, day))
        ]
        assert len(found) == 1, f"{item} has {len(found)} revisions on {day}"
        return found[0]

    def _scrap_factor(self, row: Cells) -> Fraction:
        if (row.get("planned_scrap") or self.planned_scrap) == "planning_only":
            return Fraction(1)
        scrap = Fraction(row.get("scrap_pct") or 0) / 100
        return 1 / (1 - scrap) if row.get("scrap_mode") == "divisive" else 1 + scrap


def _effective(bom: Cells, day: str) -> bool:
    return (bom.get("effective_from") or "") <= day <= (bom.get("effective_to") or NEVER)

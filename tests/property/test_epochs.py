"""However a database is copied, put back and cloned, no sequence of an epoch names two things."""

import shutil
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.plants import memory_folder
from tests.unit.test_epoch import Place, file_alone, new_file, whole_folder

WAYS = {"whole folder": whole_folder, "the file alone": file_alone, "a new file": new_file}
STEPS = st.one_of(
    st.just(("post", 0, "")),
    st.just(("keep", 0, "")),
    st.tuples(st.just("put back"), st.integers(0, 9), st.sampled_from(sorted(WAYS))),
    st.tuples(st.just("clone"), st.integers(0, 9), st.sampled_from(sorted(WAYS))),
)


@settings(max_examples=12, deadline=None)
@given(steps=st.lists(STEPS, min_size=3, max_size=12))
def test_what_an_epoch_and_a_sequence_name_is_one_posting(
    steps: list[tuple[str, int, str]],
) -> None:
    """UP-1, whatever hands do to the files of a stopped station, on one machine."""
    with memory_folder() as folder:
        world = World(folder)
        for act, which, way in [*steps, ("post", 0, "")]:
            world.step(act, which, way)
        for place in world.places:
            assert place.faults() == []


class World:
    """A station, what was kept of it, and its clones."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: list[Path] = []
        self._named: dict[tuple[str, int], str] = {}
        (folder / "0").mkdir()
        self.places = [Place(folder / "0")]
        self._post()

    def step(self, act: str, which: int, way: str) -> None:
        """Do one thing, then post at every place and look at what was posted so far."""
        if act == "keep":
            kept = self._folder / f"kept{len(self._kept)}"
            self._kept.append(shutil.copytree(self.places[0].path.parent, kept))
        elif act == "put back" and self._kept:
            WAYS[way](self._kept[which % len(self._kept)], self.places[0])
        elif act == "clone":
            folder = self._folder / str(len(self.places))
            folder.mkdir()
            clone = Place(folder)
            WAYS[way](self.places[which % len(self.places)].path.parent, clone)
            self.places.append(clone)
        self._post()

    def _post(self) -> None:
        for place in self.places:
            place.open()
            for key, body in place.postings().items():
                assert self._named.setdefault(key, body) == body, key

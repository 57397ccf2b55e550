"""A killed training goes on with the same bits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_networks import QUICK, SEEN, same_weights, seeded, squares

from glottis._errors import StorageError
from glottis.deep.training import NetworkClassifier

SETTINGS = replace(QUICK, epochs=5, flips=("vertical",), crop=14, patience=5, weight_decay=1e-3)


class KilledError(Exception):
    """Stands for a power cut."""


def kill_at(call: int):
    """A progress that raises when it is called for the nth time."""
    calls = iter(range(1, 10_000))

    def progress(*said: object) -> None:
        if next(calls) == call:
            raise KilledError

    return progress


def network(folder: Path | None, **change: object) -> NetworkClassifier:
    return NetworkClassifier(seeded, **{"settings": SETTINGS, "checkpoints": folder, **change})


@pytest.mark.parametrize("kills", [(4,), (8, 3), (2,), (7, 3, 2)])
@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_a_training_killed_anywhere_ends_with_the_same_bits(tmp_path, kills, optimiser) -> None:
    X, y = squares(40)
    change = {"settings": replace(SETTINGS, optimiser=optimiser)}
    undisturbed = network(None, **change).fit(X, y)
    for call in kills:
        with pytest.raises(KilledError):
            network(tmp_path, **change).fit(X, y, progress=kill_at(call))
    resumed = network(tmp_path, **change).fit(X, y)
    assert same_weights(resumed.network_, undisturbed.network_)
    assert resumed.history_ == undisturbed.history_


@pytest.mark.parametrize("cache", ["memory", "disk"])
def test_a_partial_training_goes_on_with_the_same_bits(tmp_path, cache) -> None:
    X, y = squares(40)
    change = {"settings": replace(QUICK, epochs=4), "mode": "partial", "frozen_until": "stem", "cache": cache}
    with pytest.raises(KilledError):
        network(tmp_path, **change).fit(X, y, progress=kill_at(8))
    resumed = network(tmp_path, **change).fit(X, y)
    assert same_weights(resumed.network_, network(None, **change).fit(X, y).network_)
    assert [file.suffix for file in tmp_path.iterdir()] == [".pt"]


@pytest.mark.parametrize(("mode", "until", "checks"), [("full", None, 0), ("partial", "stem", 3)])
def test_a_finished_training_is_not_repeated(tmp_path, mode, until, checks) -> None:
    X, y = squares(40)
    first = network(tmp_path, mode=mode, frozen_until=until).fit(X, y)
    seen = SEEN[0]
    second = network(tmp_path, mode=mode, frozen_until=until).fit(X, y)
    assert SEEN[0] == seen + checks  # of the cut, on one image
    assert same_weights(first.network_, second.network_)
    assert second.seconds_ == first.seconds_


@pytest.mark.parametrize("change", [{"random_state": 1}, {"threads": 2}, {"settings": replace(SETTINGS, epochs=3)}])
def test_another_training_has_a_checkpoint_of_its_own(tmp_path, change) -> None:
    X, y = squares(20)
    change = {"settings": replace(SETTINGS, epochs=2), **change}
    network(tmp_path, settings=replace(SETTINGS, epochs=2)).fit(X, y)
    other = network(tmp_path, **change).fit(X, y)
    assert len(list(tmp_path.iterdir())) == 2
    assert same_weights(other.network_, network(None, **change).fit(X, y).network_)


def test_other_images_have_a_checkpoint_of_their_own(tmp_path) -> None:
    X, y = squares(40)
    network(tmp_path).fit(X, y)
    network(tmp_path).fit(X + np.float32(1e-3), y)
    network(tmp_path).fit(X, 1 - y)
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("left", [0, 100, 0.5, 0.99])
def test_a_broken_checkpoint_counts_as_absent(tmp_path, left) -> None:
    X, y = squares(40)
    first = network(tmp_path).fit(X, y)
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    file.write_bytes(content[: left if isinstance(left, int) else int(left * len(content))])
    assert same_weights(network(tmp_path).fit(X, y).network_, first.network_)


def test_a_folder_that_cannot_be_written_is_named(tmp_path) -> None:
    X, y = squares(40)
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(StorageError, match=r"Cannot write the checkpoint '.*file.*': .*choose another folder"):
        network(blocked).fit(X, y)

"""Partial training: what is frozen stays as it is, and is run once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_networks import QUICK, SEEN, STAGES, seeded, skipping, squares

from glottis._errors import SettingsError
from glottis.deep.cut import Cut
from glottis.deep.training import NetworkClassifier

FEW = replace(QUICK, epochs=4)


def fit(cache: str | None, settings=FEW, until: str = "stem", n: int = 40) -> tuple[NetworkClassifier, int]:
    """A partial training, and how many images its first block saw."""
    X, y = squares(n)
    before = SEEN[0]
    fitted = NetworkClassifier(seeded, settings=settings, mode="partial", frozen_until=until, cache=cache).fit(X, y)
    return fitted, SEEN[0] - before


@pytest.mark.parametrize("cache", ["memory", "disk"])
@pytest.mark.parametrize("until", STAGES)
@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_cached_and_uncached_trainings_agree(cache, until, optimiser) -> None:
    settings = replace(FEW, optimiser=optimiser, learning_rate=1e-3)
    (kept, _), (run, _) = fit(cache, settings, until), fit(None, settings, until)
    for one, other in zip(kept.network_.state_dict().values(), run.network_.state_dict().values(), strict=True):
        assert torch.allclose(one, other, rtol=0, atol=1e-6)


def test_the_cache_runs_every_image_through_the_frozen_part_once() -> None:
    checks = 3  # the cut is found and shown on one image
    assert fit("memory")[1] == 40 + checks
    assert fit(None)[1] == 4 * 40 + checks


def test_with_random_views_only_what_early_stopping_watches_is_kept() -> None:
    settings = replace(FEW, flips=("horizontal",), patience=4)
    checks = 3
    assert fit("memory", settings)[1] == 4 * 32 + 8 + checks
    assert fit(None, settings)[1] == 4 * (32 + 8) + checks


@pytest.mark.parametrize("until", STAGES)
def test_the_frozen_part_keeps_its_weights_and_statistics(until) -> None:
    fitted, _ = fit("memory", until=until)
    start, after = seeded().module.state_dict(), fitted.network_.backbone.state_dict()
    frozen = STAGES[: STAGES.index(until) + 1]
    same = {name for name in start if torch.equal(start[name], after[name])}
    assert same == {name for name in start if name.startswith(frozen)}


def test_the_parts_of_a_cut_give_what_the_whole_gives() -> None:
    module = seeded().module
    x = torch.from_numpy(squares(5)[0])
    for stage in STAGES:
        cut = Cut.behind(module, stage, STAGES, x[:1])
        assert torch.allclose(cut.tail(cut.head(x)), module(x), atol=1e-6)
    assert "forward" not in vars(module.stem)


def test_a_network_with_a_way_round_the_stage_is_not_cut() -> None:
    X, y = squares(20)
    estimator = NetworkClassifier(skipping, settings=FEW, mode="partial", frozen_until="block1")
    with pytest.raises(SettingsError, match="cannot be cut behind 'block1', since later blocks use more"):
        estimator.fit(X, y)


def test_crops_and_flips_are_views_of_the_image() -> None:
    from glottis.deep.images import Augmentation, epoch_generator

    image = np.arange(36, dtype=np.float32).reshape(1, 1, 6, 6)
    augmentation = Augmentation(replace(QUICK, crop=4, flips=("horizontal", "vertical")))
    possible = {
        np.flip(image[..., top : top + 4, left : left + 4], axes).tobytes()
        for top in range(3)
        for left in range(3)
        for axes in ((), (2,), (3,), (2, 3))
    }
    seen = {augmentation.view(image, epoch_generator(0, epoch)).tobytes() for epoch in range(600)}
    assert seen == possible  # 600 draws of 36 views: one is missed with probability 36 (35/36)^600 = 2e-6
    assert np.array_equal(augmentation.central(image), image[..., 1:5, 1:5])


def test_a_single_last_row_joins_the_batch_before() -> None:
    from glottis.deep.images import shuffled

    batches = shuffled(np.arange(9), 4, np.random.default_rng(0))
    assert [batch.size for batch in batches] == [4, 5]
    assert sorted(np.concatenate(batches)) == list(range(9))

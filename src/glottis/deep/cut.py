"""A network cut behind a stage: the front is frozen and may be run once, the rest is trained on what it gave."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from glottis import _optional
from glottis._errors import SettingsError, nearest

if TYPE_CHECKING:
    from torch import Tensor, nn


class _ReachedError(Exception):
    """The stage has been run: what comes after it is not needed."""


@dataclass(frozen=True, eq=False)
class Cut:
    """A network in two parts.

    Attributes:
        module: the whole.
        stage: the last frozen block.
        front: the blocks that are run before it.
    """

    module: nn.Module
    stage: nn.Module
    front: tuple[nn.Module, ...]

    @classmethod
    def behind(cls, module: nn.Module, name: str, stages: Sequence[str], probe: Tensor) -> Cut:
        """Cut behind a stage, and show on an image that both parts together are the whole.

        Args:
            module: (n, c, h, w) to (n, width).
            name: the stage.
            stages: those that the backbone knows.
            probe: (1, c, h, w) image.

        Raises:
            SettingsError: an unknown stage, or one that does not split this network in two.
        """
        if name not in stages:
            message = f"frozen_until='{name}' is no stage of this backbone: {nearest(name, stages)}."
            raise SettingsError(message)
        stage = module.get_submodule(name)
        module.eval()
        cut = cls(module, stage, _before(module, stage, probe))
        cut._check(name, probe)
        return cut

    def freeze(self) -> None:
        """Take the front and the stage out of training; their batch norm keeps the statistics it came with."""
        for block in (*self.front, self.stage):
            block.requires_grad_(requires_grad=False)

    def train(self) -> None:
        """Training mode, the frozen part aside."""
        self.module.train()
        for block in (*self.front, self.stage):
            block.eval()

    def head(self, x: Tensor) -> Tensor:
        """What leaves the stage, without running what follows."""
        left: list[Tensor] = []

        def stop(module: nn.Module, given: Any, output: Tensor) -> None:
            left.append(output)
            raise _ReachedError

        handle = self.stage.register_forward_hook(stop)
        try:
            with _optional.require("torch", extra="deep").no_grad():
                self.module(x)
        except _ReachedError:
            pass
        finally:
            handle.remove()
        return left[0]

    def tail(self, activation: Tensor) -> Tensor:
        """(n, width) features from what left the stage."""
        with _replaced(self.front, _pass_on), _replaced((self.stage,), lambda *given: activation):
            features: Tensor = self.module(activation)
        return features

    def _check(self, name: str, probe: Tensor) -> None:
        torch = _optional.require("torch", extra="deep")
        with torch.no_grad():
            whole = self.module(probe)
            try:
                parts = self.tail(self.head(probe))
                same = torch.allclose(whole, parts, rtol=1e-4, atol=1e-6)
            except (RuntimeError, TypeError, IndexError, ValueError):  # a shape that the rest cannot take
                same = False
        if not same:
            message = (
                f"The backbone cannot be cut behind '{name}', since later blocks use more than what leaves it: freeze "
                "up to another stage, or use mode 'full' or 'frozen'."
            )
            raise SettingsError(message)


def _before(module: nn.Module, stage: nn.Module, probe: Tensor) -> tuple[nn.Module, ...]:
    """The blocks that are done when the stage begins and are not used again."""
    done: list[nn.Module] = []
    reached: list[int] = []

    def note(block: nn.Module, given: Any, output: Any) -> None:
        done.append(block)

    def begin(block: nn.Module, given: Any) -> None:
        reached.append(len(done))

    handles = [block.register_forward_hook(note) for block in module.modules()]
    handles.append(stage.register_forward_pre_hook(begin))
    try:
        with _optional.require("torch", extra="deep").no_grad():
            module(probe)
    finally:
        for handle in handles:
            handle.remove()
    again = {id(block) for block in done[reached[0] :]}
    return tuple({id(block): block for block in done[: reached[0]] if id(block) not in again}.values())


def _pass_on(x: Tensor, *rest: Any) -> Tensor:
    return x


@contextmanager
def _replaced(blocks: Sequence[nn.Module], forward: Callable[..., Tensor]) -> Iterator[None]:
    """The blocks do this instead, for a while."""
    for block in blocks:
        block.forward = forward
    try:
        yield
    finally:
        for block in blocks:
            del block.forward

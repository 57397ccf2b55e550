"""A network as ONNX: one block of bytes that ONNX Runtime scores without torch."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glottis import _optional
from glottis._errors import BundleError, ImageError
from glottis.deep.external import refuse_external_data

if TYPE_CHECKING:
    from torch import nn

OPSET = 18
INPUT, OUTPUT = "images", "outputs"
TOLERANCE = 1e-5


def to_onnx(network: nn.Module, image_shape: tuple[int, int, int]) -> bytes:
    """The network as ONNX, weights inside; checked against torch on one image and on two.

    Args:
        network: (n, c, h, w) float32 to (n, width) on the CPU: backbone and head for logits, a backbone for features.
        image_shape: (c, h, w) that it will be given; the number of images stays open.

    Returns:
        The model's bytes.

    Raises:
        BundleError: the exported network gives other values than torch, by more than 1e-5 (of the largest value where
            that is above 1).
    """
    torch = _optional.require("torch", extra="deep")
    for needed in ("onnx", "onnxscript", "onnxruntime"):
        _optional.require(needed, extra="deep")
    network.eval()
    generator = torch.Generator().manual_seed(0)
    images = torch.randn((2, *image_shape), generator=generator)
    content = _exported(network, images)
    model = OnnxNetwork(content)
    for given in (images, images[:1]):
        with torch.no_grad():
            expected = network(given).numpy()
        apart = float(np.abs(model(given.numpy()) - expected).max())
        if not apart <= TOLERANCE * max(1.0, float(np.abs(expected).max())):
            message = (
                f"The exported network differs from torch by {apart:.2g}, more than {TOLERANCE:g}: install torch, "
                "onnxscript and onnxruntime in the versions of constraints.txt."
            )
            raise BundleError(message)
    return content


class OnnxNetwork:
    """A network from ONNX bytes, on one CPU thread.

    Only what lies in the bytes is used: a model that keeps weights in another file is refused before anything is
    opened.

    Args:
        content: of :func:`to_onnx`, or of any model with one input (n, c, h, w) and one output (n, width).

    Raises:
        BundleError: no ONNX model, weights in another file, or other inputs and outputs.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        refuse_external_data(content)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1 or len(inputs[0].shape) != 4:
            message = (
                f"The network has {len(inputs)} inputs and {len(outputs)} outputs: export one from images (n, "
                "channels, height, width) to one output with glottis.deep.export.to_onnx."
            )
            raise BundleError(message)
        if isinstance(inputs[0].shape[0], int):
            message = (
                f"The network takes {inputs[0].shape[0]} images at a time and no other number: export it with an open "
                "first dimension, and let nothing in its forward depend on how many images there are."
            )
            raise BundleError(message)
        self.input_name = inputs[0].name
        self.image_shape = tuple(inputs[0].shape[1:])

    @cached_property
    def _session(self) -> Any:
        runtime = _optional.require("onnxruntime", extra="onnx")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            return runtime.InferenceSession(self.content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own errors have no common base that it makes public
            message = f"This is no network that ONNX Runtime can run ({error}): export it again."
            raise BundleError(message) from error

    def __getstate__(self) -> dict[str, Any]:
        """Without the session, which cannot travel."""
        return {name: value for name, value in vars(self).items() if name != "_session"}

    def __call__(self, X: ArrayLike) -> NDArray[np.float32]:
        """(n, width) outputs of (n, c, h, w) images.

        Raises:
            ImageError: images of another shape.
        """
        images = np.ascontiguousarray(X, dtype=np.float32)
        fits = images.ndim == 4 and all(
            size == own or not isinstance(own, int)
            for size, own in zip(images.shape[1:], self.image_shape, strict=True)
        )
        if not fits:
            wanted = ", ".join(map(str, self.image_shape))
            message = (
                f"Images of shape {images.shape} for a network that takes (n, {wanted}): crop them as in its study."
            )
            raise ImageError(message)
        outputs: NDArray[np.float32] = self._session.run(None, {self.input_name: images})[0]
        return outputs


def _exported(network: nn.Module, images: Any) -> bytes:
    torch = _optional.require("torch", extra="deep")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # deprecations inside torch's exporter
        program = torch.onnx.export(
            network, (images,), dynamo=True, external_data=False, opset_version=OPSET, input_names=[INPUT],
            output_names=[OUTPUT], dynamic_shapes=({0: torch.export.Dim("n", min=1)},), verbose=False,
        )  # fmt: skip
    content: bytes = program.model_proto.SerializeToString()
    return content

"""Write pyradiomics_schema.json: which parameter files PyRadiomics 3.0.1 takes, one verdict a value.

Run in an environment of Python 3.11 with ``pyradiomics==3.0.1``: ``python make_pyradiomics_schema.py``.
"""

import json
import logging
from pathlib import Path

from radiomics import featureextractor

VALUES = {
    "minimumROIDimensions": [1, 3, 0, 4, 2.5],
    "minimumROISize": [1, 0, -1, 5.5],
    "geometryTolerance": [1e-6, 1, 0, -0.1],
    "correctMask": [True, False, 1, "yes"],
    "additionalInfo": [True, False, "no"],
    "label": [1, 255, 0, -1, 1.5],
    "label_channel": [0, 3, -1],
    "binWidth": [25, 0.5, 0, -5],
    "binCount": [16, 1, 0, 2.5],
    "normalize": [True, "true"],
    "normalizeScale": [100, 0.5, 0],
    "removeOutliers": [3, 0.5, 0, -3],
    "resampledPixelSpacing": [[1, 1, 1], [0.5, 2, 0], [1, 1, -1], 1],
    "interpolator": ["sitkBSpline", "sitkLabelGaussian", "sitkBlackmanWindowedSinc", "linear", 1, 10, 0, 11, None],
    "padDistance": [0, 12, -1, 2.5],
    "distances": [[1], [1, 2, 5], [0], [1.5], 1],
    "force2D": [True, "x"],
    "force2Ddimension": [0, 2, 3, -1],
    "resegmentRange": [[-1000, 400], [0.5], ["a"], 3],
    "resegmentMode": ["absolute", "relative", "sigma", "percent"],
    "resegmentShape": [True, 2],
    "preCrop": [True, 0],
    "sigma": [[1, 2.5], [0], [-1], 2],
    "start_level": [0, 2, -1],
    "level": [1, 3, 0, 1.0],
    "wavelet": ["coif1", "db38", "bior6.8", "dmey", "coif", 3],
    "gradientUseSpacing": [True, False, "no"],
    "lbp2DRadius": [1, 0.5, 0],
    "lbp2DSamples": [1, 24, 0, 8.5],
    "lbp2DMethod": ["default", "ror", "uniform", "var", "nri_uniform"],
    "lbp3DLevels": [1, 4, 0],
    "lbp3DIcosphereRadius": [1, 2.5, 0],
    "lbp3DIcosphereSubdivision": [0, 2, -1],
    "voxelArrayShift": [0, 300, -5],
    "symmetricalGLCM": [True, False, "x"],
    "weightingNorm": ["euclidean", "manhattan", "infinity", "no_weighting", None, "l2", 2],
    "gldm_a": [0, 3, -1],
    "unheardOf": [1],
}


def taken(content):
    try:
        featureextractor.RadiomicsFeatureExtractor(content)
    except Exception:
        return False
    return True


def main():
    logging.disable(logging.CRITICAL)
    verdicts = [(name, value, taken({"setting": {name: value}})) for name, values in VALUES.items() for value in values]
    lines = ",\n".join(json.dumps(verdict) for verdict in verdicts)
    Path(__file__).with_name("pyradiomics_schema.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()

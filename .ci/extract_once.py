"""Extract one synthetic scan: shows that the core works on this Python."""

import sys
from pathlib import Path

from glottis import extract

folder = Path(sys.argv[1])
result = extract([(folder / "P001" / "T1WI_image.nii.gz", folder / "P001" / "T1WI_mask.nii.gz")])
assert not result.failures, result.failures
print(sys.version.split()[0], result.table.shape[1], "columns")

"""Files in and out: images, masks, DICOM series, clinical tables, manifests and folder layouts."""

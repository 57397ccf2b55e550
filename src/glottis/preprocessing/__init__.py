"""Steps between the file and the features of one image: bias field, normalisation, window, resampling, mask checks."""

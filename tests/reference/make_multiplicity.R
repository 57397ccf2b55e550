# Reference values of R's p.adjust. Rscript tests/reference/make_multiplicity.R > tests/reference/multiplicity.json
suppressMessages(library(jsonlite))
p <- c(0.0101, 0.04, 0.03, 0.8, 0.04, 0.0004, 1, 0.2, NA, 0.0499)
cat(toJSON(list(source = R.version.string, p = p, holm = p.adjust(p, "holm"), bh = p.adjust(p, "BH")),
  digits = NA, auto_unbox = TRUE, na = "null", pretty = TRUE), "\n")

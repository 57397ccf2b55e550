# Reference values of heterogeneity between groups: pROC's DeLong errors and metafor::rma on the logit scale. Data: aSAH of pROC.
# Rscript tests/reference/make_subgroups.R > tests/reference/subgroups.json
suppressMessages({library(pROC); library(metafor); library(jsonlite)})
data(aSAH)
age <- cut(aSAH$age, c(0, 45, 55, 100), labels = c("a", "b", "c"), right = FALSE)
parts <- lapply(levels(age), function(g) {
  rows <- age == g
  r <- roc(aSAH$outcome[rows] == "Poor", aSAH$s100b[rows], levels = c(FALSE, TRUE), direction = "<", quiet = TRUE)
  c(as.numeric(auc(r)), sqrt(var(r)), sum(rows), sum(aSAH$outcome[rows] == "Poor"))
})
v <- do.call(rbind, parts)
m <- rma(yi = qlogis(v[, 1]), sei = v[, 2] / (v[, 1] * (1 - v[, 1])), method = "FE")
cat(toJSON(list(source = paste0("metafor ", packageVersion("metafor"), ", pROC ", packageVersion("pROC"), ", ", R.version.string),
  auc = v[, 1], se = v[, 2], n = v[, 3], n_positive = v[, 4], q = m$QE, p = m$QEp, i_squared = m$I2 / 100),
  digits = NA, auto_unbox = TRUE, pretty = TRUE), "\n")

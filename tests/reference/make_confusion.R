# Reference values of a 2x2 table: epiR (proportions, likelihood ratios, odds ratio), psych (phi).
# Rscript tests/reference/make_confusion.R > tests/reference/confusion.json
suppressMessages(suppressWarnings({library(epiR); library(psych); library(jsonlite)}))
tables <- list(c(670, 202, 74, 640), c(19, 4, 7, 30), c(3, 9, 1, 2))  # tp, fp, fn, tn
row <- function(out, name) unlist(out[out$statistic == name, c("est", "lower", "upper")], use.names = FALSE)
out <- lapply(tables, function(t) {
  both <- lapply(c(wilson = "wilson", "clopper-pearson" = "clopper-pearson"), function(method) {
    d <- epi.tests(as.table(matrix(t, nrow = 2, byrow = TRUE)), method = method, conf.level = 0.95)$detail
    d <- as.data.frame(d)
    lapply(c(sensitivity = "se", specificity = "sp", ppv = "pv.pos", npv = "pv.neg", accuracy = "diag.ac", prevalence = "tp",
      lr_positive = "lr.pos", lr_negative = "lr.neg", odds_ratio = "diag.or", youden = "youden"), function(n) row(d, n))
  })
  list(table = t, wilson = both$wilson, clopper_pearson = both[["clopper-pearson"]], mcc = phi(matrix(t, nrow = 2), digits = 12))
})
cat(toJSON(list(source = paste0("epiR ", packageVersion("epiR"), ", psych ", packageVersion("psych"), ", ", R.version.string),
  tables = out), digits = NA, auto_unbox = TRUE, pretty = TRUE), "\n")

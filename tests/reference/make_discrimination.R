# Reference values of pROC (partial AUC, bootstrap, DeLong's tests) on its data set aSAH, and of average precision by its
# definition. Rscript tests/reference/make_discrimination.R > tests/reference/discrimination.json
suppressMessages({library(pROC); library(jsonlite)})
data(aSAH)
positive <- aSAH$outcome == "Poor"
markers <- c("s100b", "ndka", "wfns")
curve <- function(marker, rows = TRUE)
  roc(positive[rows], as.numeric(aSAH[[marker]])[rows], levels = c(FALSE, TRUE), direction = "<", quiet = TRUE)

average_precision <- function(y, score) {  # steps of recall times precision, from the highest score down
  recall <- 0; sum <- 0
  for (t in sort(unique(score), decreasing = TRUE)) {
    called <- score >= t
    reached <- sum(called & y) / sum(y)
    sum <- sum + (reached - recall) * sum(called & y) / sum(called)
    recall <- reached
  }
  sum
}

single <- lapply(setNames(nm = markers), function(marker) {
  r <- curve(marker)
  set.seed(1)
  boot <- as.numeric(ci.auc(r, method = "bootstrap", boot.n = 20000, progress = "none"))
  part <- function(...) as.numeric(auc(r, ...))
  list(
    specificity_90_100 = part(partial.auc = c(1, .9)),
    specificity_90_100_mcclish = part(partial.auc = c(1, .9), partial.auc.correct = TRUE),
    specificity_55_73 = part(partial.auc = c(.73, .55)),
    sensitivity_80_100 = part(partial.auc = c(1, .8), partial.auc.focus = "sensitivity"),
    sensitivity_80_100_mcclish = part(partial.auc = c(1, .8), partial.auc.focus = "sensitivity", partial.auc.correct = TRUE),
    bootstrap_low = boot[1], bootstrap_high = boot[3],
    average_precision = average_precision(positive, as.numeric(aSAH[[marker]])))
})

paired <- list()
for (pair in list(c("s100b", "ndka"), c("s100b", "wfns"), c("ndka", "wfns"))) {
  test <- roc.test(curve(pair[1]), curve(pair[2]), method = "delong", paired = TRUE)
  paired[[paste(pair, collapse = "-")]] <- list(z = as.numeric(test$statistic), p = test$p.value,
    low = test$conf.int[1], high = test$conf.int[2], covariance = cov(curve(pair[1]), curve(pair[2])))
}
women <- aSAH$gender == "Female"
test <- roc.test(curve("s100b", women), curve("s100b", !women), method = "delong", paired = FALSE)
unpaired <- list(t = as.numeric(test$statistic), df = as.numeric(test$parameter), p = test$p.value)
cat(toJSON(list(source = paste0("pROC ", packageVersion("pROC"), ", ", R.version.string), single = single, paired = paired,
  women_men_s100b = unpaired), digits = NA, auto_unbox = TRUE, pretty = TRUE), "\n")

# Reference values of pROC: AUC with DeLong's interval, Youden, on pROC's own data set aSAH.
# Rscript tests/reference/make_proc.R > tests/reference/proc_asah.json
suppressMessages(library(pROC))
data(aSAH)
positive <- aSAH$outcome == "Poor"
lines <- c()
for (marker in c("s100b", "ndka", "wfns")) {
  curve <- roc(positive, as.numeric(aSAH[[marker]]), levels = c(FALSE, TRUE), direction = "<", quiet = TRUE)
  ci <- as.numeric(ci.auc(curve, method = "delong"))
  se <- sqrt(var(curve, method = "delong"))
  best <- coords(curve, "best", best.method = "youden", ret = c("threshold", "sensitivity", "specificity"), transpose = FALSE)
  lines <- c(lines, sprintf(
    '  "%s": {"auc": %.15g, "low": %.15g, "high": %.15g, "se": %.15g, "threshold": %.15g, "sensitivity": %.15g, "specificity": %.15g}',
    marker, ci[2], ci[1], ci[3], se, best$threshold[1], best$sensitivity[1], best$specificity[1]))
}
cat("{\n  \"source\": \"pROC ", as.character(packageVersion("pROC")), ", ", R.version.string, "\",\n",
    paste(lines, collapse = ",\n"), "\n}\n", sep = "")

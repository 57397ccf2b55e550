# Reference values of R's survival: score and Wald test of each covariate alone, with many ties.
# Rscript tests/reference/make_univariable_cox.R > tests/reference/univariable_cox.json
suppressMessages({library(survival); library(jsonlite)})
i <- 1:60
time <- 1 + (i * 7) %% 23
event <- as.integer((i * 5) %% 7 < 4)
tight <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 60)
one <- function(j) {
  x <- 10 * sin(0.7 * j + 0.31 * i * j) + j * time * (j %% 3) / 23
  s <- summary(coxph(Surv(time, event) ~ x, control = tight))
  list(z = s$coefficients[1, "z"], p = s$coefficients[1, "Pr(>|z|)"],
       score = as.numeric(s$sctest["test"]), score_p = as.numeric(s$sctest["pvalue"]))
}
rows <- lapply(1:12, one)
column <- function(name) sapply(rows, function(row) row[[name]])
cat(toJSON(list(z = column("z"), p = column("p"), score = column("score"), score_p = column("score_p"),
  source = paste0("survival ", packageVersion("survival"), ", ", R.version.string)), digits = I(15), auto_unbox = TRUE), "\n")

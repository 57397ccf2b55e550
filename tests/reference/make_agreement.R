# Reference values of agreement: psych::ICC, vcd::Kappa (Fleiss, Cohen and Everitt's errors), Fleiss' kappa by its definition with a
# jackknife by a loop, Bland and Altman by t.test and lm. Data: VanDyke of RJafroc (the csv is the argument), R's sleep,
# and a table of sines that the test makes again.
# Rscript tests/reference/make_agreement.R VanDyke.csv > tests/reference/agreement.json
suppressMessages({library(psych); library(vcd); library(jsonlite)})
rated <- read.csv(commandArgs(TRUE)[1])
wide <- function(treatment) {
  d <- rated[rated$treatment == treatment, ]
  tapply(d$rating, list(d$case, d$reader), identity)
}
icc <- function(x) {
  r <- ICC(x, lmer = FALSE, missing = FALSE)$results
  list(value = r$ICC, low = r[["lower bound"]], high = r[["upper bound"]])
}
sines <- function(f) outer(1:25, 1:3, function(s, r) 10 * sin(1.7 * f + 0.37 * s^2) + 2 * sin(0.9 * f * s * r + r) + 0.1 * f * r)

kappas <- function(table) {
  lapply(list(none = NULL, linear = "Equal-Spacing", quadratic = "Fleiss-Cohen"), function(w) {
    k <- if (is.null(w)) Kappa(table)$Unweighted else Kappa(table, weights = w)$Weighted
    as.numeric(k)
  })
}
fleiss <- function(ratings, levels) {
  value <- function(x) {
    counts <- t(apply(x, 1, function(row) table(factor(row, levels))))
    m <- ncol(x)
    observed <- mean((rowSums(counts^2) - m) / (m * (m - 1)))
    expected <- sum((colSums(counts) / sum(counts))^2)
    (observed - expected) / (1 - expected)
  }
  left <- sapply(seq_len(nrow(ratings)), function(i) value(ratings[-i, ]))
  n <- nrow(ratings)
  c(value(ratings), sqrt((n - 1) / n * sum((left - mean(left))^2)))
}
one <- wide(1)
pair <- table(factor(one[, 1], 1:5), factor(one[, 2], 1:5))
first <- sleep$extra[sleep$group == 2]; second <- sleep$extra[sleep$group == 1]
difference <- first - second; size <- (first + second) / 2
line <- summary(lm(difference ~ size))$coefficients
n <- length(difference); z <- qnorm(.975); s <- sd(difference)
half <- qt(.975, n - 1) * s * sqrt(1 / n + z^2 / (2 * (n - 1)))
cat(toJSON(list(source = paste0("psych ", packageVersion("psych"), ", vcd ", packageVersion("vcd"), ", ", R.version.string),
  icc_vandyke = list(icc(wide(1)), icc(wide(2))),
  icc_sines = lapply(1:40, function(f) icc(sines(f))),
  kappa = kappas(pair), kappa_three = kappas(table(factor(one[, 3], 1:5), factor(one[, 5], 1:5))), fleiss = fleiss(one, 1:5),
  sleep = list(bias = mean(difference), ci = as.numeric(t.test(difference)$conf.int), sd = s,
    lower = mean(difference) - z * s + c(0, -half, half), upper = mean(difference) + z * s + c(0, -half, half),
    slope = line[2, 1], se = line[2, 2], p = line[2, 4])), digits = NA, auto_unbox = TRUE), "\n")

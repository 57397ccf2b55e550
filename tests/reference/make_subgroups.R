# Reference values of heterogeneity between groups: pROC's DeLong errors, survival's concordance and Kaplan-Meier at 400 days, and
# metafor::rma on the logit scale. Data: aSAH of pROC, lung of survival by sex with the risk of make_decision.R.
# Rscript tests/reference/make_subgroups.R > tests/reference/subgroups.json
suppressMessages({library(pROC); library(metafor); library(survival); library(jsonlite)})
data(aSAH)
age <- cut(aSAH$age, c(0, 45, 55, 100), labels = c("a", "b", "c"), right = FALSE)
parts <- lapply(levels(age), function(g) {
  rows <- age == g
  r <- roc(aSAH$outcome[rows] == "Poor", aSAH$s100b[rows], levels = c(FALSE, TRUE), direction = "<", quiet = TRUE)
  c(as.numeric(auc(r)), sqrt(var(r)), sum(rows), sum(aSAH$outcome[rows] == "Poor"))
})
v <- do.call(rbind, parts)
m <- rma(yi = qlogis(v[, 1]), sei = v[, 2] / (v[, 1] * (1 - v[, 1])), method = "FE")
lung <- lung[!is.na(lung$ph.ecog), ]
lung$died <- lung$status == 2
lung$risk <- plogis(-.8 + .02 * (lung$age - 60) + .7 * lung$ph.ecog - .5 * (lung$sex == 2))
by_sex <- do.call(rbind, lapply(1:2, function(sex) {
  d <- lung[lung$sex == sex, ]
  k <- concordance(Surv(time, died) ~ risk, data = d, reverse = TRUE)
  free <- summary(survfit(Surv(time, died) ~ 1, data = d), times = 400)
  c(k$concordance, sqrt(k$var), nrow(d), sum(d$died), 1 - free$surv, 1 - free$upper, 1 - free$lower, mean(d$risk))
}))
s <- rma(yi = qlogis(by_sex[, 1]), sei = by_sex[, 2] / (by_sex[, 1] * (1 - by_sex[, 1])), method = "FE")
cat(toJSON(list(source = paste0("metafor ", packageVersion("metafor"), ", pROC ", packageVersion("pROC"), ", ", R.version.string),
  auc = v[, 1], se = v[, 2], n = v[, 3], n_positive = v[, 4], q = m$QE, p = m$QEp, i_squared = m$I2 / 100,
  survival = by_sex, survival_q = s$QE, survival_p = s$QEp),
  digits = NA, auto_unbox = TRUE, pretty = TRUE), "\n")

# Reference values of R's riskRegression: cumulative/dynamic AUC with its standard error (censoring by Kaplan-Meier,
# its estimation allowed for).
# GLOTTIS_DATA=... Rscript tests/reference/make_time_auc.R > tests/reference/time_auc.json
suppressMessages({library(survival); library(riskRegression); library(prodlim); library(jsonlite)})
folder <- file.path(Sys.getenv("GLOTTIS_DATA"), "stats")
lung <- read.csv(file.path(folder, "lung.csv")); lung <- lung[!is.na(lung$ph.karno), ]
larynx <- read.csv(file.path(folder, "larynx.csv"))
rossi <- read.csv(file.path(folder, "rossi.csv"))
score <- function(time, event, risk, times) {
  data <- data.frame(time = time, event = event)
  p <- plogis((risk - mean(risk)) / sd(risk))
  out <- lapply(c(full = FALSE, known = TRUE), function(conservative) {
    fit <- Score(list(m = matrix(rep(p, length(times)), ncol = length(times))), formula = Surv(time, event) ~ 1, data = data,
                 times = times, metrics = "AUC", cens.model = "km", se.fit = TRUE, conservative = conservative, null.model = FALSE)
    s <- fit$AUC$score
    list(auc = s$AUC, se = s$se, low = s$lower, high = s$upper)
  })
  c(out, list(times = times))
}
set.seed(3)
n <- 300; risk <- round(rnorm(n), 1); t <- rexp(n, exp(risk)); end <- rexp(n, 0.7)
cohort <- data.frame(time = round(pmin(t, end), 4), event = as.integer(t <= end), risk = risk)
cohort$time <- cohort$time + rank(cohort$time, ties.method = "first") * 1e-6
cat(toJSON(list(
  lung = score(lung$time, lung$status, -lung$ph.karno, c(200, 365, 500)),
  larynx = score(larynx$time, larynx$death, larynx$age + 10 * larynx$Stage_IV, c(2, 4, 6)),
  rossi = score(rossi$week, rossi$arrest, 10 * rossi$prio - rossi$age, c(20, 40)),
  cohort = c(score(cohort$time, cohort$event, cohort$risk, c(0.3, 0.6, 1.2)), list(data = cohort)),
  source = paste0("riskRegression ", packageVersion("riskRegression"), ", ", R.version.string)),
  digits = I(17), auto_unbox = TRUE, dataframe = "columns"), "\n")

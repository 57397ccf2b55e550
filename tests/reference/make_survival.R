# Reference values of R's survival: Kaplan-Meier, reverse Kaplan-Meier, log-rank.
# GLOTTIS_DATA=... Rscript tests/reference/make_survival.R > tests/reference/survival.json
suppressMessages({library(survival); library(jsonlite)})
half <- function(fit) as.list(setNames(summary(fit)$table[c("median", "0.95LCL", "0.95UCL")], c("value", "low", "high")))
curve <- function(d) {
  fit <- survfit(Surv(time, event) ~ 1, data = d)
  list(times = fit$time, survival = fit$surv, low = fit$lower, high = fit$upper, at_risk = fit$n.risk,
       median = half(fit), follow_up = half(survfit(Surv(time, 1 - event) ~ 1, data = d)))
}
test <- function(formula, data) {
  fit <- survdiff(formula, data = data)
  add <- function(x) if (is.matrix(x)) rowSums(x) else x
  list(statistic = fit$chisq, df = length(fit$n) - 1, p = pchisq(fit$chisq, length(fit$n) - 1, lower.tail = FALSE),
       observed = add(fit$obs), expected = add(fit$exp))
}
sets <- list(
  lung = with(lung, data.frame(time = time, event = status - 1, group = sex)),
  veteran = with(veteran, data.frame(time = time, event = status, group = as.character(celltype))),
  kidney = with(kidney, data.frame(time = time, event = status, group = as.character(disease))),
  aml = with(aml, data.frame(time = time, event = status, group = as.character(x))),
  half = data.frame(time = 1:6, event = c(1, 0, 1, 0, 1, 0), group = c(1, 1, 1, 2, 2, 2)),
  flat = data.frame(time = 1:4, event = c(1, 1, 0, 1), group = c(1, 2, 1, 2)))
larynx <- read.csv(file.path(Sys.getenv("GLOTTIS_DATA"), "stats", "larynx.csv"))
sets$larynx <- with(larynx, data.frame(time = time, event = death, group = 1 + Stage_II + 2 * Stage_III + 3 * Stage_IV))
out <- lapply(sets, function(d) list(data = d, curve = curve(d), logrank = test(Surv(time, event) ~ group, d)))
out$ovarian_stratified <- list(data = with(ovarian, data.frame(time = futime, event = fustat, group = rx, strata = resid.ds)),
  logrank = test(Surv(futime, fustat) ~ rx + strata(resid.ds), ovarian))
out$lung$data <- out$larynx$data <- NULL  # read from the shared data folder by the tests
out$source <- paste0("survival ", packageVersion("survival"), ", ", R.version.string)
cat(toJSON(out, digits = I(17), auto_unbox = TRUE, dataframe = "columns", na = "null", null = "null"), "\n")

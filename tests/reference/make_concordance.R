# Reference values of R's survival: Harrell's and Uno's C with their standard errors.
# GLOTTIS_DATA=... Rscript tests/reference/make_concordance.R > tests/reference/concordance.json
suppressMessages({library(survival); library(jsonlite)})
folder <- file.path(Sys.getenv("GLOTTIS_DATA"), "stats")
lung <- read.csv(file.path(folder, "lung.csv")); lung <- lung[!is.na(lung$ph.karno), ]
larynx <- read.csv(file.path(folder, "larynx.csv"))
rossi <- read.csv(file.path(folder, "rossi.csv"))
one <- function(time, event, risk, ...) {
  fit <- concordance(Surv(time, event) ~ risk, reverse = TRUE, ...)
  as.list(setNames(c(fit$concordance, sqrt(fit$var), fit$count[1:3]), c("value", "se", "concordant", "discordant", "tied_risk")))
}
all <- function(time, event, risk, tau) list(
  harrell = one(time, event, risk), harrell_tau = one(time, event, risk, ymax = tau),
  uno = one(time, event, risk, timewt = "n/G2"), uno_tau = one(time, event, risk, timewt = "n/G2", ymax = tau), tau = tau)
cat(toJSON(list(
  lung = all(lung$time, lung$status, -lung$ph.karno, 500),
  larynx = all(larynx$time, larynx$death, larynx$age + 10 * larynx$Stage_IV, 5),
  rossi = all(rossi$week, rossi$arrest, rossi$prio - rossi$age / 10, 40),
  source = paste0("survival ", packageVersion("survival"), ", ", R.version.string)), digits = I(17), auto_unbox = TRUE), "\n")

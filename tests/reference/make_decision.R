# Reference values of decision curves: net benefit by counting, with bootstrap errors; survival by survfit at each threshold, with the
# robust (infinitesimal jackknife) error of survfit for treating everybody. Data: df_binary of dcurves and lung (the csv files are the
# arguments). Rscript tests/reference/make_decision.R df_binary.csv lung.csv > tests/reference/decision.json
suppressMessages({library(survival); library(jsonlite)})
d <- read.csv(commandArgs(TRUE)[1])
y <- as.integer(d$cancer); p <- d$cancerpredmarker
at <- c(.02, .05, .1, .15, .25, .4)
one <- function(rows, t) {
  tp <- sum(p[rows] >= t & y[rows] == 1) / length(rows); fp <- sum(p[rows] >= t & y[rows] == 0) / length(rows)
  nb <- tp - fp * t / (1 - t)
  all <- mean(y[rows]) - (1 - mean(y[rows])) * t / (1 - t)
  c(nb, all, (nb - all) / (t / (1 - t)) * 100)
}
set.seed(1)
resamples <- lapply(1:4000, function(i) sample(length(y), replace = TRUE))
binary <- lapply(at, function(t) {
  drawn <- sapply(resamples, one, t = t)
  list(threshold = t, value = one(seq_along(y), t), se = c(sd(drawn[1, ]), sd(drawn[3, ])))
})

lung <- read.csv(commandArgs(TRUE)[2])
lung <- lung[!is.na(lung$ph.ecog), ]
lung$died <- lung$status == 1
risk <- plogis(-.8 + .02 * (lung$age - 60) + .7 * lung$ph.ecog - .5 * (lung$sex == 2))
horizon <- 400
km <- function(rows) summary(survfit(Surv(time, died) ~ 1, data = lung[rows, ]), times = horizon, extend = TRUE)$surv
net <- function(rows, t) {
  called <- rows[risk[rows] >= t]
  if (!length(called)) return(0)
  s <- km(called); x <- length(called) / length(rows)
  (1 - s) * x - s * x * t / (1 - t)
}
set.seed(2)
resamples <- lapply(1:500, function(i) sample(nrow(lung), replace = TRUE))
survival <- lapply(c(.2, .35, .5, .65), function(t) {
  rows <- seq_len(nrow(lung))
  all <- 1 - km(rows) - km(rows) * t / (1 - t)
  drawn <- sapply(resamples, function(r) c(net(r, t), net(r, t) - (1 - km(r) / (1 - t))))
  list(threshold = t, value = c(net(rows, t), all), se = c(sd(drawn[1, ]), sd(drawn[2, ])))
})
whole <- summary(survfit(Surv(time, died) ~ 1, data = lung, robust = TRUE), times = horizon)
lung$time[seq(1, nrow(lung), by = 20)] <- 0  # the event, or the end of follow-up, at once
at_zero <- lapply(c(.2, .35, .5, .65), function(t) {
  rows <- seq_len(nrow(lung))
  list(threshold = t, value = c(net(rows, t), 1 - km(rows) - km(rows) * t / (1 - t)))
})
whole_at_zero <- summary(survfit(Surv(time, died) ~ 1, data = lung, robust = TRUE), times = horizon)
cat(toJSON(list(source = paste0("survival ", packageVersion("survival"), ", ", R.version.string), binary = binary,
  horizon = horizon, survival = survival, whole = c(whole$surv, whole$std.err),
  at_zero = at_zero, whole_at_zero = c(whole_at_zero$surv, whole_at_zero$std.err)), digits = NA, auto_unbox = TRUE, pretty = TRUE), "\n")

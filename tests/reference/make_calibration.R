# Reference values of calibration: rms::val.prob, glm, lowess without interpolation, Hosmer and Lemeshow by cut(quantile) as
# hoslem.test does, optimism by a loop over given resamples and by rms::validate. Data: df_binary of dcurves (the csv is the argument).
# Rscript tests/reference/make_calibration.R df_binary.csv > tests/reference/calibration.json
suppressMessages({library(rms); library(jsonlite)})
d <- read.csv(commandArgs(TRUE)[1])
y <- as.integer(d$cancer == "TRUE" | d$cancer == TRUE)
p <- plogis(0.8 * qlogis(d$cancerpredmarker) + 0.4)  # the stored risks were fitted to these patients: spoil them
tight <- glm.control(epsilon = 1e-14, maxit = 100)
line <- summary(glm(y ~ qlogis(p), binomial, control = tight))$coefficients
large <- summary(glm(y ~ 1, binomial, offset = qlogis(p), control = tight))$coefficients
v <- val.prob(p, y, pl = FALSE)
smooth <- lowess(p, y, iter = 0, delta = 0)
error <- abs(p - approx(smooth, xout = p, ties = mean)$y)

hosmer <- function(p, y, g, df) {
  group <- cut(p, quantile(p, 0:g / g), include.lowest = TRUE)
  o <- tapply(y, group, sum); e <- tapply(p, group, sum); n <- tapply(y, group, length)
  x <- sum((o - e)^2 / e + (o - e)^2 / (n - e))
  list(chi2 = x, p = pchisq(x, df, lower.tail = FALSE), observed = as.numeric(o), expected = as.numeric(e), n = as.numeric(n))
}

shifted <- plogis(qlogis(p) + large[1, 1])
deviance <- function(p) -2 * sum(y * log(p) + (1 - y) * log(1 - p))

X <- as.matrix(d[, c("age", "famhistory", "marker")])
measures <- function(model, rows) {
  p <- plogis(cbind(1, X[rows, ]) %*% coef(model)); o <- y[rows]
  line <- coef(glm(o ~ qlogis(p), binomial, control = tight))
  r <- rank(p); n1 <- sum(o)
  c((sum(r[o == 1]) - n1 * (n1 + 1) / 2) / (n1 * (length(o) - n1)), mean((p - o)^2), line[2], line[1])
}
fit <- function(rows) { Z <- X[rows, ]; o <- y[rows]; glm(o ~ Z, binomial, control = tight) }
state <- 42
draw <- function(n) sapply(seq_len(n), function(i) { state <<- (state * 16807) %% 2147483647; floor(state / 2147483647 * n) + 1 })
all <- seq_along(y)
apparent <- measures(fit(all), all)
shift <- rowMeans(sapply(1:30, function(b) { rows <- draw(length(y)); m <- fit(rows); measures(m, rows) - measures(m, all) }))
set.seed(3)
frame <- data.frame(y = y, X)
harrell <- rms::validate(lrm(y ~ age + famhistory + marker, frame, x = TRUE, y = TRUE), B = 1000)
cat(toJSON(list(source = paste0("rms ", packageVersion("rms"), ", ", R.version.string),
  slope = line[2, 1:2], intercept = line[1, 1:2], in_the_large = large[1, 1:2],
  brier = v[["Brier"]], val_prob_slope = v[["Slope"]], spiegelhalter = c(v[["S:z"]], v[["S:p"]]),
  ici = mean(error), e50 = as.numeric(median(error)), e90 = as.numeric(quantile(error, .9)), emax = max(error),
  hosmer_10 = hosmer(p, y, 10, 10), hosmer_7_fitted = hosmer(p, y, 7, 5),
  updated = list(brier = mean((shifted - y)^2), lr = deviance(p) - deviance(shifted),
    p = pchisq(deviance(p) - deviance(shifted), 1, lower.tail = FALSE)),
  optimism = list(apparent = as.numeric(apparent), optimism = as.numeric(shift)),
  validate = list(auc = harrell["Dxy", "optimism"] / 2, brier = harrell["B", "optimism"], slope = harrell["Slope", "optimism"],
    intercept = harrell["Intercept", "optimism"])), digits = NA, auto_unbox = TRUE, pretty = TRUE), "\n")

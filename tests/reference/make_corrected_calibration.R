# Reference values of the corrected calibration curve: rms::calibrate (B = 1000), and a loop with stats::lowess over given resamples.
# Data: df_binary of dcurves (the csv is the argument).
# Rscript tests/reference/make_corrected_calibration.R df_binary.csv > tests/reference/corrected_calibration.json
suppressMessages({library(rms); library(jsonlite)})
d <- read.csv(commandArgs(TRUE)[1])
d$y <- as.integer(d$cancer == "TRUE" | d$cancer == TRUE)
y <- d$y
X <- as.matrix(d[, c("age", "famhistory", "marker")])
tight <- glm.control(epsilon = 1e-14, maxit = 100)
fit <- function(rows) { Z <- X[rows, ]; o <- y[rows]; coef(glm(o ~ Z, binomial, control = tight)) }
risk <- function(b, rows) as.numeric(plogis(cbind(1, X[rows, ]) %*% b))
p <- sort(risk(fit(seq_along(y)), seq_along(y)))
grid <- seq(p[5], p[length(p) - 4], length = 50)
curve <- function(p, o) approx(lowess(p, o, iter = 0), xout = grid, ties = function(x) x[1])$y
state <- 42
draw <- function(n) sapply(seq_len(n), function(i) { state <<- (state * 16807) %% 2147483647; floor(state / 2147483647 * n) + 1 })
all <- seq_along(y)
apparent <- curve(risk(fit(all), all), y)
shift <- sapply(1:30, function(b) {
  rows <- draw(length(y)); m <- fit(rows); curve(risk(m, rows), y[rows]) - curve(risk(m, all), y)
})
set.seed(7)
harrell <- rms::calibrate(lrm(y ~ age + famhistory + marker, d, x = TRUE, y = TRUE), B = 1000)
predicted <- attr(harrell, "predicted")
error <- predicted - approx(harrell[, "predy"], harrell[, "calibrated.corrected"], xout = predicted, ties = mean)$y
cat(toJSON(list(source = paste0("rms ", packageVersion("rms"), ", ", R.version.string),
  given = list(grid = grid, apparent = apparent, optimism = rowMeans(shift, na.rm = TRUE), counts = rowSums(!is.na(shift)),
    sd = apply(shift, 1, sd, na.rm = TRUE)),
  calibrate = list(grid = harrell[, "predy"], apparent = harrell[, "calibrated.orig"], corrected = harrell[, "calibrated.corrected"],
    optimism = harrell[, "optimism"], mean_absolute_error = mean(abs(error), na.rm = TRUE),
    e90 = as.numeric(quantile(abs(error), 0.9, na.rm = TRUE)))), digits = I(15), auto_unbox = TRUE), "\n")

# Reference values of sva's ComBat, whose values each variant must equal.
# Debian package r-bioc-sva. Rscript tests/reference/make_combat.R > tests/reference/combat.json
suppressMessages({library(jsonlite); library(sva)})
set.seed(5)
n <- c(a = 7, b = 9, c = 5)
batch <- rep(names(n), n)
age <- round(rnorm(sum(n), 60, 8), 1)
sex <- rep(c("f", "m", "m"), length.out = sum(n))
x <- matrix(rnorm(6 * sum(n)), 6) * rep(1:6, sum(n)) + outer(1:6, as.integer(factor(batch))) + outer(1:6, (age - 60) / 8)
x[, batch == "b"] <- x[, batch == "b"] * 1.6
few <- 1:17  # batch c has one row
run <- function(..., rows = seq_along(batch)) suppressMessages(ComBat(x[, rows], batch[rows], ...))
mod <- model.matrix(~ age + sex)
flat <- function(m) unname(split(m, row(m)))
cat(toJSON(list(
  source = paste(R.version.string, "sva", packageVersion("sva")),
  batch = batch, age = age, sex = sex, features = flat(x),
  cases = list(
    list(settings = list(prior = "parametric"), covariates = FALSE, expected = flat(run())),
    list(settings = list(prior = "parametric"), covariates = TRUE, expected = flat(run(mod = mod))),
    list(settings = list(prior = "nonparametric"), covariates = FALSE, expected = flat(run(par.prior = FALSE))),
    list(settings = list(prior = "nonparametric"), covariates = TRUE, expected = flat(run(mod = mod, par.prior = FALSE))),
    list(settings = list(prior = "parametric", mean_only = TRUE), covariates = TRUE, expected = flat(run(mod = mod, mean.only = TRUE))),
    list(settings = list(prior = "nonparametric", mean_only = TRUE), covariates = FALSE,
      expected = flat(run(par.prior = FALSE, mean.only = TRUE))),
    list(settings = list(prior = "parametric", reference = "b"), covariates = TRUE, expected = flat(run(mod = mod, ref.batch = "b"))),
    list(settings = list(prior = "nonparametric", reference = "c"), covariates = FALSE,
      expected = flat(run(par.prior = FALSE, ref.batch = "c"))),
    list(settings = list(prior = "parametric", mean_only = TRUE, reference = "a"), covariates = FALSE,
      expected = flat(run(mean.only = TRUE, ref.batch = "a"))),
    list(settings = list(prior = "parametric", mean_only = TRUE), covariates = FALSE, rows = 17,
      expected = flat(run(mean.only = TRUE, rows = few))),
    list(settings = list(prior = "nonparametric", mean_only = TRUE), covariates = FALSE, rows = 17,
      expected = flat(run(par.prior = FALSE, mean.only = TRUE, rows = few)))
  )), digits = NA, auto_unbox = TRUE, pretty = FALSE), "\n")

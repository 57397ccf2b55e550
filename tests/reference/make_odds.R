# Reference values of R's glm: uni- and multivariable logistic regression with Wald's limits.
# GLOTTIS_DATA=... Rscript tests/reference/make_odds.R > tests/reference/odds.json
suppressMessages({library(jsonlite); library(MASS)})
cancer <- read.csv(file.path(Sys.getenv("GLOTTIS_DATA"), "stats", "df_binary.csv"))
cancer$cancer <- as.integer(cancer$cancer == "TRUE")
tight <- glm.control(epsilon = 1e-14, maxit = 100)
values <- function(formula, data) {
  fit <- glm(formula, binomial, data, control = tight)
  fit <- glm(formula, binomial, data, control = tight, start = coef(fit))  # glm's errors are those of the step before the last
  s <- summary(fit)$coefficients[-1, , drop = FALSE]
  ci <- exp(confint.default(fit))[-1, , drop = FALSE]
  list(coefficient = I(unname(s[, 1])), se = I(unname(s[, 2])), p = I(unname(s[, 4])), low = I(unname(ci[, 1])), high = I(unname(ci[, 2])))
}
both <- function(outcome, names, data) list(
  univariable = lapply(setNames(names, names), function(x) values(reformulate(x, outcome), data)),
  multivariable = values(reformulate(names, outcome), data))
birthwt$race <- c("white", "black", "other")[birthwt$race]
columns <- c("age", "lwt", "race", "smoke", "ptl", "ht", "ui")
cat(toJSON(list(
  cancer = both("cancer", c("age", "famhistory", "marker", "risk_group"), cancer),
  birthwt = c(both("low", columns, birthwt), list(data = birthwt[, c("low", columns)])),
  source = R.version.string), digits = I(17), auto_unbox = TRUE, dataframe = "columns"), "\n")

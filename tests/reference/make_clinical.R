# Reference values of the clinical chain: R's glm with intercept and covariance, and Rubin's rules as mice pools them.
# GLOTTIS_DATA=... Rscript tests/reference/make_clinical.R > tests/reference/clinical.json     (needs jsonlite, mice)
suppressMessages({library(jsonlite); library(mice)})
data <- Sys.getenv("GLOTTIS_DATA")
tight <- glm.control(epsilon = 1e-14, maxit = 100)
values <- function(formula, data) {
  fit <- glm(formula, binomial, data, control = tight)
  fit <- glm(formula, binomial, data, control = tight, start = coef(fit))  # glm's errors are those of the step before the last
  s <- summary(fit)$coefficients
  ci <- exp(confint.default(fit))
  list(name = I(rownames(s)), coefficient = I(unname(s[, 1])), se = I(unname(s[, 2])), p = I(unname(s[, 4])),
       low = I(unname(ci[, 1])), high = I(unname(ci[, 2])), covariance = unname(vcov(fit)), n = nrow(data))
}
both <- function(outcome, names, data) list(
  univariable = lapply(setNames(names, names), function(x) values(reformulate(x, outcome), data)),
  multivariable = values(reformulate(names, outcome), data))

asah <- read.csv(file.path(data, "stats", "aSAH.csv"))
asah$poor <- as.integer(asah$outcome == "Poor")

# Bern, tidied here on its own: three header rows, any level of either side
raw <- read.csv(file.path(data, "lydata", "2023-isb-multisite", "data.csv"), header = FALSE, colClasses = "character")
top <- unlist(raw[1, ]); middle <- unlist(raw[2, ]); low <- unlist(raw[3, ]); raw <- raw[-(1:3), ]
any_level <- function(methods) {
  seen <- as.matrix(raw[, top %in% methods & middle != "info"])
  ifelse(rowSums(seen == "True") > 0, "True", ifelse(rowSums(seen == "False") > 0, "False", NA))
}
column <- function(group, name) raw[, which(top == group & low == name)[1]]
icd <- substr(column("tumor", "subsite"), 1, 3)
site <- ifelse(icd %in% c("C01", "C09", "C10"), "oropharynx", ifelse(icd %in% c("C12", "C13"), "hypopharynx",
        ifelse(icd == "C32", "larynx", "oral cavity")))
bern <- data.frame(n = as.integer(any_level("pathology") == "True"), imaging_n = any_level(c("CT", "MRI", "PET")),
                   site = relevel(factor(site), ref = "oral cavity"), age = as.numeric(column("patient", "age")),
                   sex = column("patient", "sex"), t_stage = as.integer(column("tumor", "t_stage")) - 1L)
bern <- bern[complete.cases(bern), ]

set.seed(1)
cases <- list(list(n = 100, k = 3, m = 5, spread = 0.3), list(n = 40, k = 6, m = 5, spread = 0.05), list(n = 329, k = 7, m = 20, spread = 1))
pooled <- lapply(cases, function(case) {
  Q <- rnorm(case$m, 0.5, case$spread); U <- runif(case$m, 0.02, 0.06)
  p <- pool.scalar(Q, U, n = case$n, k = case$k)
  list(estimates = Q, variances = U, n = case$n, k = case$k, estimate = p$qbar, within = p$ubar, between = p$b,
       total = p$t, df = p$df, p = 2 * pt(-abs(p$qbar / sqrt(p$t)), p$df))
})

cat(toJSON(list(
  asah = both("poor", c("age", "gender", "wfns", "s100b", "ndka"), asah),
  bern = both("n", c("imaging_n", "site", "age", "sex", "t_stage"), bern),
  pooled = pooled, source = paste(R.version.string, "mice", packageVersion("mice"))), digits = I(17), auto_unbox = TRUE), "\n")

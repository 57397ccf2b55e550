# Reference values of R's survival: Cox regression and the test of proportional hazards.
# GLOTTIS_DATA=... Rscript tests/reference/make_cox.R > tests/reference/cox.json
suppressMessages({library(survival); library(jsonlite)})
folder <- file.path(Sys.getenv("GLOTTIS_DATA"), "stats")
rossi <- read.csv(file.path(folder, "rossi.csv"))
larynx <- read.csv(file.path(folder, "larynx.csv"))
larynx$stage <- c("I", "II", "III", "IV")[1 + larynx$Stage_II + 2 * larynx$Stage_III + 3 * larynx$Stage_IV]
lung <- read.csv(file.path(folder, "lung.csv"))
lung <- lung[complete.cases(lung[, c("age", "sex", "ph.ecog", "wt.loss")]), ]
tight <- coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 60)
values <- function(fit) {
  s <- summary(fit)$coefficients
  zph <- lapply(c(km = "km", rank = "rank", identity = "identity", log = "log"), function(g) {
    z <- cox.zph(fit, transform = g)$table
    list(statistic = as.list(z[, "chisq"]), df = as.list(z[, "df"]), p = as.list(z[, "p"]))
  })
  ci <- summary(fit)$conf.int
  list(coefficient = as.numeric(s[, "coef"]), se = as.numeric(s[, "se(coef)"]), p = as.numeric(s[, "Pr(>|z|)"]),
       low = as.numeric(ci[, 3]), high = as.numeric(ci[, 4]), likelihood_ratio = as.numeric(summary(fit)$logtest[1]), zph = zph)
}
out <- list(
  rossi = values(coxph(Surv(week, arrest) ~ fin + age + race + wexp + mar + paro + prio, rossi, control = tight)),
  larynx = values(coxph(Surv(time, death) ~ age + stage, larynx, control = tight)),
  lung = values(coxph(Surv(time, status) ~ age + sex + ph.ecog + wt.loss, lung, control = tight)),
  source = paste0("survival ", packageVersion("survival"), ", ", R.version.string))
cat(toJSON(out, digits = I(17), auto_unbox = TRUE), "\n")

# Reference values of R's rms and survival: points of nomograms, and the probability or survival of every patient.
# GLOTTIS_DATA=... Rscript tests/reference/make_nomogram.R > tests/reference/nomogram.json
suppressMessages({library(rms); library(jsonlite)})
folder <- file.path(Sys.getenv("GLOTTIS_DATA"), "stats")
read <- function(name) read.csv(file.path(folder, name))
read_nomogram <- function(made, of) {
  info <- attr(made, "info")
  list(points = lapply(made[of], function(axis) as.numeric(axis$points)), at = lapply(made[of], function(axis) as.character(axis[[1]])),
       per_point = 1 / info$sc, at_0_points = as.numeric(info$Intercept))
}

asah <- read("aSAH.csv")
asah$poor <- as.integer(asah$outcome == "Poor")
dd <- datadist(asah); options(datadist = "dd")
fit <- lrm(poor ~ gender + age + s100b + wfns, asah, eps = 1e-14, maxit = 200, tol = 1e-15)
made <- nomogram(fit, gender = c("Female", "Male"), age = c(18, 20, 40.5, 60, 81), s100b = c(0.03, 0.5, 1, 2, 2.07), wfns = 1:5, fun = plogis)
logistic <- c(list(coefficient = as.list(coef(fit)), probability = as.numeric(predict(fit, asah, type = "fitted"))),
  read_nomogram(made, c("gender", "age", "s100b", "wfns")))

cox <- function(d, formula, times, settings) {
  assign("d", d, globalenv()); assign("dd", datadist(d), globalenv()); assign("model", formula, globalenv())  # looked for there
  # the ties and the baseline of both are Efron's; coxph as the second witness
  fit <- cph(model, d, x = TRUE, y = TRUE, surv = TRUE, method = "efron", eps = 1e-14, tol = 1e-15, iter.max = 60)
  plain <- coxph(model, d, ties = "efron", control = coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 60))
  survival <- Survival(fit)
  curves <- summary(survfit(plain, newdata = d), times = times)$surv
  made <- do.call(nomogram, c(list(fit), settings, list(fun = lapply(times, function(t) { force(t); function(lp) survival(t, lp) }))))
  c(list(coefficient = as.list(coef(fit)), rms = unname(survest(fit, newdata = d, times = times, se.fit = FALSE)$surv),
         survfit = unname(t(curves)), times = times, centre = as.numeric(fit$center),
         baseline = as.numeric(survival(times, 0))), read_nomogram(made, names(settings)))
}
larynx <- read("larynx.csv")
larynx$stage <- factor(c("I", "II", "III", "IV")[1 + larynx$Stage_II + 2 * larynx$Stage_III + 3 * larynx$Stage_IV])
lung <- read("lung.csv")
lung <- lung[complete.cases(lung[, c("age", "sex", "ph.ecog", "wt.loss")]), ]
out <- list(source = paste0("rms ", packageVersion("rms"), ", survival ", packageVersion("survival"), ", ", R.version.string),
  asah = logistic,
  larynx = cox(larynx, Surv(time, death) ~ age + stage, c(1, 3, 5),
    list(age = c(41, 50, 60.5, 86), stage = c("I", "II", "III", "IV"))),
  lung = cox(lung, Surv(time, status) ~ age + sex + ph.ecog + wt.loss, c(180, 365),
    list(age = c(39, 50, 82), sex = 1:2, ph.ecog = 0:3, wt.loss = c(-24, 0, 20, 68))))
cat(toJSON(out, digits = I(17), auto_unbox = TRUE), "\n")

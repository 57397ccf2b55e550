# Reference values of R's stats: tests between groups, on R's own data sets (in the JSON) and on the shared ones.
# GLOTTIS_DATA=... Rscript tests/reference/make_group_tests.R > tests/reference/group_tests.json
suppressMessages(library(jsonlite))
value <- function(t) list(statistic = as.numeric(t$statistic), df = as.list(as.numeric(t$parameter)), p = t$p.value)
aSAH <- read.csv(file.path(Sys.getenv("GLOTTIS_DATA"), "stats", "aSAH.csv"))
two <- list(
  sleep = split(sleep$extra, sleep$group), mtcars = split(mtcars$mpg, mtcars$am), s100b = split(aSAH$s100b, aSAH$outcome),
  age = split(aSAH$age, aSAH$outcome), untied = list(c(1.1, 2.3, 0.4, 5.2, 3.3), c(4.4, 6.1, 7.7, 2.9)))
two <- lapply(two, unname)
many <- lapply(list(PlantGrowth = split(PlantGrowth$weight, PlantGrowth$group), airquality = split(airquality$Ozone, airquality$Month),
  InsectSprays = split(InsectSprays$count, InsectSprays$spray)), function(g) unname(lapply(g, function(x) x[!is.na(x)])))
stacked <- function(g) data.frame(y = unlist(g), g = factor(rep(seq_along(g), lengths(g))))
tables <- list(
  Titanic = apply(Titanic, c(1, 4), sum), tea = matrix(c(3, 1, 1, 3), 2), Job = matrix(c(1, 2, 1, 0, 3, 3, 6, 1, 10, 10, 14, 9, 6, 7, 12, 11), 4),
  hair = HairEyeColor[, , "Female"], rare = matrix(c(0, 5, 12, 3, 0, 4, 1, 1, 2, 8, 0, 1), 3), zero = matrix(c(0, 4, 6, 0), 2))
shared <- c("s100b", "age")  # read from the shared data folder by the tests
cat(toJSON(list(
  two = Map(function(g, name) list(groups = if (!name %in% shared) g, t = value(t.test(g[[1]], g[[2]], var.equal = TRUE)), welch = value(t.test(g[[1]], g[[2]])),
    `mann-whitney` = value(suppressWarnings(wilcox.test(g[[1]], g[[2]])))), two, names(two)),
  many = lapply(many, function(g) { d <- stacked(g); list(groups = g, anova = value(oneway.test(y ~ g, d, var.equal = TRUE)),
    `welch-anova` = value(oneway.test(y ~ g, d)), kruskal = value(kruskal.test(g)),
    shapiro = as.numeric(sapply(g, function(x) shapiro.test(x)$p.value))) }),
  tables = lapply(tables, function(m) list(table = unname(unclass(as.matrix(m))), chisq = value(suppressWarnings(chisq.test(m, correct = FALSE))),
    fisher = if (sum(m) < 200) fisher.test(m, workspace = 2e7)$p.value else NULL)),
  source = R.version.string), digits = I(17), auto_unbox = TRUE, null = "null"), "\n")

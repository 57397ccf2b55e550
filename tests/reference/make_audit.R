# Reference values for the audit: Fisher's exact test r x c, chi-square, prop.test's limits, t tests and ANOVA.
# Rscript tests/reference/make_audit.R > tests/reference/audit.json
number <- function(x) paste(sprintf("%.15g", x), collapse = ", ")
cells <- function(m) paste0("[", paste(apply(m, 1, function(r) paste0("[", paste(r, collapse = ", "), "]")), collapse = ", "), "]")
tables <- list(
  rbind(c(3, 0, 2), c(1, 4, 1)), rbind(c(3, 1), c(1, 3)), rbind(c(201, 89, 94), c(12, 2, 3)),
  rbind(c(41, 20, 15), c(169, 70, 81), c(3, 1, 1)), rbind(c(186, 79, 82), c(8, 4, 3), c(13, 6, 10), c(6, 2, 2)),
  rbind(c(5, 2, 0, 1), c(1, 6, 3, 2), c(0, 2, 7, 4)))
fisher <- sapply(tables, function(m) sprintf('{"counts": %s, "fisher": %s, "chi2": %s}', cells(m),
  number(fisher.test(m, workspace = 2e8)$p.value), number(suppressWarnings(chisq.test(m, correct = FALSE)$p.value))))
shares <- list(c(40, 52), c(0, 9), c(9, 9), c(1, 300), c(31, 45))
wilson <- sapply(shares, function(s) sprintf('{"count": %d, "total": %d, "plain": [%s], "corrected": [%s], "exact": [%s]}',
  s[1], s[2], number(suppressWarnings(prop.test(s[1], s[2], correct = FALSE)$conf.int)),
  number(suppressWarnings(prop.test(s[1], s[2], correct = TRUE)$conf.int)), number(binom.test(s[1], s[2])$conf.int)))
a <- c(61, 58, 70, 66, 49, 72, 55, 63); b <- c(52, 60, 47, 58, 66, 51); d <- c(70, 64, 59, 73, 68)
groups <- data.frame(y = c(a, b, d), g = rep(1:3, c(8, 6, 5)))
anova <- oneway.test(y ~ g, groups, var.equal = TRUE)
student <- t.test(a, b, var.equal = TRUE); welch <- t.test(a, b)
cat(sprintf('{"source": "%s",\n "tables": [\n  %s\n ],\n "proportions": [\n  %s\n ],\n', R.version.string,
  paste(fisher, collapse = ",\n  "), paste(wilson, collapse = ",\n  ")))
cat(sprintf(' "groups": [[%s], [%s], [%s]],\n "student": [%s], "welch": [%s], "anova": [%s]\n}\n', number(a), number(b), number(d),
  number(c(student$statistic, student$p.value)), number(c(welch$statistic, welch$p.value)),
  number(c(anova$statistic, anova$p.value))))

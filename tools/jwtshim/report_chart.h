/* The report's timeline as an SVG in a page, and as a table for those who do not see it. */
#ifndef JWTSHIM_TOOLS_REPORT_CHART_H
#define JWTSHIM_TOOLS_REPORT_CHART_H

#include "report.h"

void report_chart(const struct timeline *timeline, FILE *to);

#endif

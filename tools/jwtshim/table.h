/* A table for a terminal: columns as wide as their widest cell, numbers to the right. */
#ifndef JWTSHIM_TOOLS_TABLE_H
#define JWTSHIM_TOOLS_TABLE_H

#include "text.h"

enum { TABLE_COLUMNS_MAX = 16 };

struct table {
    size_t columns, cells, room;
    bool right[TABLE_COLUMNS_MAX]; /* aligned to the right */
    char **cell;                   /* row after row, the head first; fit to be seen */
    bool failed;                   /* no memory: what there is is printed all the same */
};

/* Adds a column with its heading. All columns come before the first cell. */
void table_column(struct table *table, const char *heading, bool right);

/* The next cell. An empty one shows as "-". */
void table_cell(struct table *table, struct span text);
void table_number(struct table *table, uint64_t number);
void table_time(struct table *table, int64_t time);

/* Prints the table and frees what it holds. The heading is bold if `colour`. */
void table_print(struct table *table, FILE *to, bool colour);

#endif

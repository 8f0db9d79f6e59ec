#include "table.h"

#include "event.h"
#include "time_text.h"

#include <stdlib.h>

static char *visible(struct span text)
{
    char *shown = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&shown, &size);
    if (!to)
        return NULL;
    put_visible(to, text.len ? text : span_of("-", 1));
    return fclose(to) == 0 ? shown : NULL;
}

void table_cell(struct table *table, struct span text)
{
    if (table->cells == table->room) {
        const size_t room = table->room ? 2 * table->room : 64;
        char **more = realloc(table->cell, room * sizeof *more);
        if (!more) {
            table->failed = true;
            return;
        }
        table->cell = more;
        table->room = room;
    }
    char *shown = visible(text);
    table->failed |= !shown;
    table->cell[table->cells++] = shown;
}

void table_column(struct table *table, const char *heading, bool right)
{
    table->right[table->columns++] = right;
    table_cell(table, span_of_text(heading));
}

void table_number(struct table *table, uint64_t number)
{
    char text[NUMBER_TEXT];
    table_cell(table, span_of_text(number_text(text, number)));
}

void table_time(struct table *table, int64_t time)
{
    char text[TIME_TEXT] = "";
    if (time != EVENT_UNDATED)
        time_write(text, time, false);
    table_cell(table, span_of_text(text));
}

static const char *cell_at(const struct table *table, size_t i)
{
    return table->cell[i] ? table->cell[i] : "?";
}

static void print_row(const struct table *table, size_t first, const size_t *widths, FILE *to)
{
    for (size_t column = 0; column < table->columns && first + column < table->cells; column++) {
        const char *text = cell_at(table, first + column);
        const int padding = (int)(widths[column] - columns_of(text));
        const bool last = column + 1 == table->columns;
        if (table->right[column])
            fprintf(to, "%*s%s%s", padding, "", text, last ? "" : "  ");
        else
            fprintf(to, "%s%*s", text, last ? 0 : padding + 2, "");
    }
}

void table_print(struct table *table, FILE *to, bool colour)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    for (size_t i = 0; i < table->cells; i++) {
        const size_t width = columns_of(cell_at(table, i));
        if (width > widths[i % table->columns])
            widths[i % table->columns] = width;
    }
    for (size_t first = 0; first < table->cells; first += table->columns) {
        if (colour && first == 0)
            fputs("\033[1m", to);
        print_row(table, first, widths, to);
        fputs(colour && first == 0 ? "\033[0m\n" : "\n", to);
    }
    for (size_t i = 0; i < table->cells; i++)
        free(table->cell[i]);
    free(table->cell);
    *table = (struct table){.columns = 0};
}

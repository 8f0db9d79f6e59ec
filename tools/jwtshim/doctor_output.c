/* Findings for people and for programs. */
#include "doctor.h"

#include "text.h"

void doctor_print_json(const struct findings *findings)
{
    json_t *ways = json_array();
    json_t *notes = json_array();
    json_t *remedies = json_array();
    for (size_t i = 0; i < findings->way_count; i++) {
        const struct way *way = &findings->ways[i];
        json_array_append_new(ways,
                              json_pack("{s:s, s:s?, s:b, s:o, s:o}", "name", way->name, "hook",
                                        way->seen ? way->hook : NULL, "seen", way->seen, "object",
                                        json_text(span_of_text(way->object)), "why", json_text(span_of_text(way->why))));
    }
    for (size_t i = 0; i < findings->note_count; i++)
        json_array_append_new(notes, json_pack("{s:s, s:o}", "id", findings->notes[i].id, "text",
                                               json_text(span_of_text(findings->notes[i].text))));
    for (size_t i = 0; i < findings->remedy_count; i++)
        json_array_append_new(remedies, json_text(span_of_text(findings->remedies[i])));
    json_t *object =
        json_pack("{s:o, s:o, s:s, s:s, s:o, s:o, s:o}", "target", json_text(span_of_text(findings->target)), "path",
                  json_text(span_of_text(findings->path)), "kind", findings->kind, "verdict",
                  verdict_word(findings_verdict(findings)), "mechanisms", ways, "notes", notes, "remedy", remedies);
    json_dumpf(object, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(object);
}

static const char *sentence(const struct findings *findings)
{
    static const char *const words[] = {
        "reachable: its requests leave by ways that the shim sees",
        "partly reachable: some ways are seen, others are not",
        "not reachable: nothing of what it sends to Atlassian is seen",
    };
    if (findings->way_count == 0)
        return "not reachable: nothing in it that speaks HTTP was found";
    if (findings_verdict(findings) == VERDICT_PARTLY && findings_https_is_unseen(findings))
        return "partly reachable: its requests without TLS are seen, and its https is not";
    return words[findings_verdict(findings)];
}

/* Continuation lines stand below the text. */
static void print_wrapped(const char *text, int indent)
{
    enum { WIDTH = 110 };
    int column = indent;
    while (*text) {
        int len = (int)strcspn(text, " ");
        if (column > indent && column + 1 + len > WIDTH) {
            printf("\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            putchar(' ');
            column++;
        }
        put_visible(stdout, span_of(text, (size_t)len));
        column += len;
        text += len + (text[len] == ' ');
    }
    putchar('\n');
}

void doctor_print_text(const struct findings *findings, bool colours)
{
    static const char *const paint[] = {"\33[1;32m", "\33[1;33m", "\33[1;31m"};
    put_visible(stdout, span_of_text(findings->target));
    printf(": %s%s%s\n", colours ? paint[findings_verdict(findings)] : "", sentence(findings), colours ? "\33[0m" : "");
    for (size_t i = 0; i < findings->way_count; i++) {
        const struct way *way = &findings->ways[i];
        char text[3 * PATH_MAX];
        snprintf(text, sizeof text, "%s %s", way->object, way->why);
        printf("  %s%-9s%s %-20s ",
               !colours    ? ""
               : way->seen ? "\33[32m"
                           : "\33[31m",
               way->seen ? "seen" : "not seen", colours ? "\33[0m" : "", way->name);
        print_wrapped(text, 33);
    }
    for (size_t i = 0; i < findings->note_count; i++) {
        printf("  %-9s ", "note");
        print_wrapped(findings->notes[i].text, 12);
    }
    for (size_t i = 0; i < findings->remedy_count; i++) {
        printf("  %-9s ", "do");
        print_wrapped(findings->remedies[i], 12);
    }
}

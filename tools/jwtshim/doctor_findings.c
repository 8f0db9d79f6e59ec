/* What was found of a target, and the verdict on it. */
#include "doctor.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static char *format_text(const char *format, va_list arguments)
{
    char *text = NULL;
    return vasprintf(&text, format, arguments) < 0 ? NULL : text;
}

static bool is_there(const struct findings *findings, const struct way *way)
{
    for (size_t i = 0; i < findings->way_count; i++) {
        const struct way *other = &findings->ways[i];
        if (strcmp(other->name, way->name) == 0 && strcmp(other->object, way->object) == 0 &&
            strcmp(other->hook ? other->hook : "", way->hook ? way->hook : "") == 0)
            return true;
    }
    return false;
}

void findings_way(struct findings *findings, const struct way *way, const char *format, ...)
{
    va_list arguments;
    if (findings->way_count == WAYS_MAX || is_there(findings, way))
        return;
    va_start(arguments, format);
    struct way copy = *way;
    copy.object = strdup(way->object);
    copy.why = format_text(format, arguments);
    va_end(arguments);
    if (copy.object && copy.why) {
        findings->ways[findings->way_count++] = copy;
        return;
    }
    free((void *)(uintptr_t)copy.object);
    free(copy.why);
}

void findings_note(struct findings *findings, const char *id, const char *format, ...)
{
    va_list arguments;
    if (findings->note_count == NOTES_MAX)
        return;
    va_start(arguments, format);
    struct note note = {id, format_text(format, arguments)};
    va_end(arguments);
    for (size_t i = 0; i < findings->note_count && note.text; i++) {
        if (strcmp(findings->notes[i].id, id) == 0 && strcmp(findings->notes[i].text, note.text) == 0) {
            free(note.text);
            return;
        }
    }
    if (note.text)
        findings->notes[findings->note_count++] = note;
}

void findings_remedy(struct findings *findings, const char *format, ...)
{
    va_list arguments;
    if (findings->remedy_count == REMEDIES_MAX)
        return;
    va_start(arguments, format);
    char *text = format_text(format, arguments);
    va_end(arguments);
    if (text)
        findings->remedies[findings->remedy_count++] = text;
}

enum verdict findings_verdict(const struct findings *findings)
{
    size_t seen = 0;
    for (size_t i = 0; i < findings->way_count; i++)
        seen += findings->ways[i].seen;
    if (seen == 0)
        return VERDICT_UNREACHABLE;
    return seen == findings->way_count ? VERDICT_REACHABLE : VERDICT_PARTLY;
}

bool findings_https_is_unseen(const struct findings *findings)
{
    bool any = false;
    for (size_t i = 0; i < findings->way_count; i++) {
        if (findings->ways[i].plain)
            continue;
        any = true;
        if (findings->ways[i].seen)
            return false;
    }
    return any;
}

const char *verdict_word(enum verdict verdict)
{
    static const char *const words[] = {"reachable", "partly", "unreachable"};
    return words[verdict];
}

void findings_free(struct findings *findings)
{
    for (size_t i = 0; i < findings->way_count; i++) {
        free((void *)(uintptr_t)findings->ways[i].object);
        free(findings->ways[i].why);
    }
    for (size_t i = 0; i < findings->note_count; i++)
        free(findings->notes[i].text);
    for (size_t i = 0; i < findings->remedy_count; i++)
        free(findings->remedies[i]);
    findings->way_count = findings->note_count = findings->remedy_count = 0;
}

/* The order of things: everything is prepared and every question asked before the first byte of the program changes. */
#include "pages.h"
#include "prologue.h"

#include <string.h>

/* What a function gets among the trampolines: the way to the hook, and the function's own beginning. */
enum { SLOT = 128, STUB = 32 };

static const unsigned char endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};

/* Says that the thread arrives by this way, and jumps to the hook, wherever that is. Changes no register, no flag. */
static void put_stub(unsigned char *to, const struct patch_job *job, const struct patch_function *function)
{
    static const unsigned char move_byte[] = {0x64, 0xc6, 0x04, 0x25}; /* mov byte fs:[…], … */
    static const unsigned char jump[] = {0xff, 0x25, 0, 0, 0, 0};      /* jmp [rip] */
    const int32_t arrived = (int32_t)job->arrived;
    memcpy(to, move_byte, sizeof move_byte);
    memcpy(to + 4, &arrived, sizeof arrived);
    to[8] = 1;
    memcpy(to + 9, jump, sizeof jump);
    memcpy(to + 15, &function->hook, sizeof function->hook);
}

static enum patch_refusal prepare(struct patch_function *function, const struct patch_job *job, unsigned char *slot,
                                  struct place *place)
{
    struct prologue moved;
    struct mapping mapping;
    const uint64_t at = (uint64_t)(uintptr_t)function->code;
    unsigned char *trampoline = slot + STUB;
    if (!pages_mapping_of(function->code, &mapping))
        return PATCH_NOT_CODE;
    if (function->size > (size_t)(mapping.high - function->code))
        return PATCH_SHORT;
    enum patch_refusal refused = prologue_move(function->code, function->size, at, trampoline + sizeof endbr64,
                                               (uint64_t)(uintptr_t)trampoline + sizeof endbr64, &moved);
    if (refused != PATCH_NONE)
        return refused;
    if (moved.calls && pages_have_shadow_stack())
        return PATCH_LEAVES;
    memcpy(trampoline, endbr64, sizeof endbr64); /* it is called by its address */
    put_stub(slot, job, function);
    place->at = function->code + moved.head;
    place->len = PROLOGUE_JUMP;
    if (!prologue_jump(place->bytes, at + moved.head, (uint64_t)(uintptr_t)slot))
        return PATCH_OUT_OF_REACH;
    function->trampoline = trampoline;
    return PATCH_NONE;
}

static void refuse_all(const struct patch_job *job, enum patch_refusal refused)
{
    for (size_t i = 0; i < job->count; i++)
        if (job->functions[i].refused == PATCH_NONE)
            job->functions[i].refused = refused;
}

/* One that is refused takes the others of its set with it, and the sets that are nothing without that. */
static bool refuse_companions(const struct patch_job *job)
{
    bool refused[PATCH_SETS] = {0}, any_left = false;
    for (size_t i = 0; i < job->count; i++)
        refused[job->functions[i].set] |= job->functions[i].refused != PATCH_NONE;
    for (int set = 0; set < PATCH_SETS; set++)
        refused[set] |= job->needs[set] >= 0 && refused[job->needs[set]];
    for (size_t i = 0; i < job->count; i++) {
        struct patch_function *function = &job->functions[i];
        if (refused[function->set] && function->refused == PATCH_NONE)
            function->refused = PATCH_COMPANION;
        any_left |= function->refused == PATCH_NONE;
    }
    return any_left;
}

static size_t sort_into(struct place *sorted, const struct place *places, const struct patch_job *job)
{
    size_t count = 0;
    for (size_t i = 0; i < job->count; i++) {
        if (job->functions[i].refused != PATCH_NONE)
            continue;
        size_t at = count++;
        for (; at > 0 && sorted[at - 1].at > places[i].at; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = places[i];
    }
    return count;
}

void jwtshim_patch_apply(struct patch_job *job)
{
    struct place places[PLACES_MAX] = {{0}}, sorted[PLACES_MAX] = {{0}};
    const size_t len = (job->count * SLOT + PAGE - 1) / PAGE * PAGE;
    if (job->count == 0 || job->count > PLACES_MAX || job->arrived != (int32_t)job->arrived)
        return refuse_all(job, PATCH_NO_ROOM);
    if (!pages_are_ours_alone())
        return refuse_all(job, PATCH_THREADS);
    unsigned char *room = pages_near(job->low, job->high, len);
    if (!room)
        return refuse_all(job, PATCH_NO_ROOM);
    memset(room, 0xcc, len); /* int3: nobody runs what is in between */
    for (size_t i = 0; i < job->count; i++)
        job->functions[i].refused = prepare(&job->functions[i], job, room + i * SLOT, &places[i]);
    if (!refuse_companions(job)) {
        pages_free(room, len);
        return;
    }
    const size_t count = sort_into(sorted, places, job);
    enum patch_refusal refused = pages_make_code(room, len) ? pages_may_change(sorted[0].at) : PATCH_PROTECTION;
    if (refused == PATCH_NONE && !pages_write(sorted, count))
        refused = PATCH_PROTECTION;
    if (refused != PATCH_NONE) {
        pages_free(room, len);
        return refuse_all(job, refused);
    }
    job->room = (const char *)room;
    job->room_end = (const char *)room + len;
}

/* The first instructions of a function, moved elsewhere so that a jump can take their place. Pure: bytes in, bytes out. */
#ifndef JWTSHIM_PATCH_PROLOGUE_H
#define JWTSHIM_PATCH_PROLOGUE_H

#include "patch.h"

enum {
    PROLOGUE_JUMP = 5,      /* bytes that the jump takes */
    PROLOGUE_MOVED_MAX = 64 /* bytes that moved instructions and the jump behind them take at most */
};

struct prologue {
    size_t head; /* bytes that stay in front: an endbr64 */
    size_t end;  /* from the function's start to the first instruction that stays behind */
    size_t emitted;
    bool calls; /* it ends in a call, whose return address was put on the stack without one: no shadow stack allows that */
};

/* Moves the prologue of the `size` bytes of a function that runs at `at` to `to`, where it will run at `to_at`: instructions
 * with what is relative in them put right, and a jump to the first one that stays. Refuses what it does not understand
 * whole: then `to` holds nothing of use. */
enum patch_refusal prologue_move(const unsigned char *code, size_t size, uint64_t at,
                                 unsigned char to[PROLOGUE_MOVED_MAX], uint64_t to_at, struct prologue *moved);

/* A jump of PROLOGUE_JUMP bytes. False if it does not reach. */
bool prologue_jump(unsigned char *to, uint64_t from_at, uint64_t target);

#endif

#include "prologue.h"

#include <Zydis/Zydis.h>
#include <string.h>

struct instruction {
    ZydisDecodedInstruction decoded;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

static bool decode(const unsigned char *code, size_t len, struct instruction *instruction)
{
    ZydisDecoder decoder;
    return ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) &&
           ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, len, &instruction->decoded, instruction->operands));
}

/* The operand in memory that is relative to the next instruction; NULL if there is none. */
static const ZydisDecodedOperand *relative_memory(const struct instruction *instruction)
{
    for (int i = 0; i < instruction->decoded.operand_count; i++) {
        const ZydisDecodedOperand *operand = &instruction->operands[i];
        if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY &&
            (operand->mem.base == ZYDIS_REGISTER_RIP || operand->mem.base == ZYDIS_REGISTER_EIP))
            return operand;
    }
    return NULL;
}

static bool is_relative_branch(const struct instruction *instruction)
{
    return instruction->decoded.raw.imm[0].is_relative;
}

/* What a relative operand means, as an offset from where the function begins. */
static int64_t target_of(const struct instruction *instruction, size_t offset)
{
    const ZydisDecodedOperand *memory = relative_memory(instruction);
    int64_t distance = memory ? memory->mem.disp.value : instruction->decoded.raw.imm[0].value.s;
    return (int64_t)(offset + instruction->decoded.length) + distance;
}

/* A conditional jump by flags, short or near, without prefixes. Those that count a register down reach only 127 bytes,
 * wherever they stand. */
static bool is_conditional_jump(const ZydisDecodedInstruction *decoded)
{
    if (decoded->meta.category != ZYDIS_CATEGORY_COND_BR)
        return false;
    return (decoded->length == 2 && decoded->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && (decoded->opcode & 0xf0) == 0x70) ||
           (decoded->length == 6 && decoded->opcode_map == ZYDIS_OPCODE_MAP_0F && (decoded->opcode & 0xf0) == 0x80);
}

/* Whether control may go anywhere but to the next instruction; endbr64 says that it comes from anywhere. */
static bool leaves(const ZydisDecodedInstruction *decoded)
{
    switch (decoded->meta.category) {
    case ZYDIS_CATEGORY_CALL:
    case ZYDIS_CATEGORY_RET:
    case ZYDIS_CATEGORY_UNCOND_BR:
    case ZYDIS_CATEGORY_INTERRUPT:
    case ZYDIS_CATEGORY_SYSCALL:
    case ZYDIS_CATEGORY_SYSRET:
    case ZYDIS_CATEGORY_SYSTEM:
    case ZYDIS_CATEGORY_CET: return true;
    default:
        return decoded->mnemonic == ZYDIS_MNEMONIC_UD0 || decoded->mnemonic == ZYDIS_MNEMONIC_UD1 ||
               decoded->mnemonic == ZYDIS_MNEMONIC_UD2 || decoded->mnemonic == ZYDIS_MNEMONIC_HLT;
    }
}

static bool put_distance(unsigned char *to, uint64_t behind, uint64_t target)
{
    const int64_t distance = (int64_t)(target - behind);
    const int32_t narrow = (int32_t)distance;
    memcpy(to, &narrow, sizeof narrow);
    return narrow == distance;
}

bool prologue_jump(unsigned char *to, uint64_t from_at, uint64_t target)
{
    *to = 0xe9;
    return put_distance(to + 1, from_at + PROLOGUE_JUMP, target);
}

/* Where moved instructions go. */
struct output {
    unsigned char *bytes;
    size_t len;
    uint64_t at;
    bool returns; /* by the callee, to what stays: nothing jumps back */
};

static bool is_direct_call(const ZydisDecodedInstruction *decoded)
{
    enum { LENGTH = 5 }; /* without prefixes */
    return decoded->mnemonic == ZYDIS_MNEMONIC_CALL && decoded->opcode == 0xe8 && decoded->length == LENGTH;
}

/* A call that returns to where it would have: the address is put on the stack by hand, so that whoever walks the stack
 * meets the function and not us. Flags stay, since some callee may ask for them. */
static bool put_call(struct output *out, uint64_t returns_to, uint64_t target)
{
    static const unsigned char make_room[] = {0x48, 0x8d, 0x64, 0x24, 0xf8};                  /* lea rsp, [rsp-8] */
    static const unsigned char low[] = {0xc7, 0x04, 0x24}, high[] = {0xc7, 0x44, 0x24, 0x04}; /* mov dword [rsp], [rsp+4] */
    const uint32_t halves[] = {(uint32_t)returns_to, (uint32_t)(returns_to >> 32)};
    unsigned char *to = out->bytes + out->len;
    memcpy(to, make_room, sizeof make_room);
    memcpy(to + 5, low, sizeof low);
    memcpy(to + 8, &halves[0], sizeof halves[0]);
    memcpy(to + 12, high, sizeof high);
    memcpy(to + 16, &halves[1], sizeof halves[1]);
    out->len += 20 + PROLOGUE_JUMP;
    return prologue_jump(to + 20, out->at + out->len - PROLOGUE_JUMP, target);
}

/* One instruction, which stands at `offset` of the function that runs at `at`. */
static enum patch_refusal move_one(const unsigned char *code, const struct instruction *instruction, size_t offset,
                                   uint64_t at, struct output *out)
{
    const ZydisDecodedInstruction *decoded = &instruction->decoded;
    unsigned char *to = out->bytes + out->len;
    const uint64_t target = at + (uint64_t)target_of(instruction, offset);
    if (is_conditional_jump(decoded)) {
        enum { NEAR = 6 };
        to[0] = 0x0f;
        to[1] = 0x80 | (decoded->opcode & 0x0f);
        out->len += NEAR;
        return put_distance(to + 2, out->at + out->len, target) ? PATCH_NONE : PATCH_OUT_OF_REACH;
    }
    if (is_direct_call(decoded)) {
        out->returns = true;
        return put_call(out, at + offset + decoded->length, target) ? PATCH_NONE : PATCH_OUT_OF_REACH;
    }
    if (leaves(decoded) || is_relative_branch(instruction))
        return PATCH_LEAVES;
    memcpy(to, code + offset, decoded->length);
    out->len += decoded->length;
    const ZydisDecodedOperand *memory = relative_memory(instruction);
    if (!memory)
        return PATCH_NONE;
    if (memory->mem.base != ZYDIS_REGISTER_RIP || decoded->raw.disp.size != 32)
        return PATCH_OUT_OF_REACH;
    return put_distance(to + decoded->raw.disp.offset, out->at + out->len, target) ? PATCH_NONE : PATCH_OUT_OF_REACH;
}

/* Whether a relative operand points at bytes that will not be there any more. The function's own start is no such place for
 * a call, nor for who wants its address: that is the function, and leads to the hook as from everywhere. */
static bool enters(const struct instruction *instruction, size_t offset, size_t end)
{
    if (!is_relative_branch(instruction) && !relative_memory(instruction))
        return false;
    const int64_t target = target_of(instruction, offset);
    if (target == 0)
        return is_relative_branch(instruction) && instruction->decoded.meta.category != ZYDIS_CATEGORY_CALL;
    return target > 0 && target < (int64_t)end;
}

static enum patch_refusal scan(const unsigned char *code, size_t size, size_t end)
{
    struct instruction instruction;
    for (size_t offset = 0; offset < size; offset += instruction.decoded.length) {
        if (!decode(code + offset, size - offset, &instruction))
            return PATCH_UNDECODABLE;
        if (enters(&instruction, offset, end))
            return PATCH_ENTERED;
    }
    return PATCH_NONE;
}

enum patch_refusal prologue_move(const unsigned char *code, size_t size, uint64_t at,
                                 unsigned char to[PROLOGUE_MOVED_MAX], uint64_t to_at, struct prologue *moved)
{
    static const unsigned char endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
    struct output out = {.bytes = to, .at = to_at};
    struct instruction instruction;
    *moved = (struct prologue){0};
    if (size > sizeof endbr64 && memcmp(code, endbr64, sizeof endbr64) == 0)
        moved->head = sizeof endbr64;
    for (moved->end = moved->head; moved->end < moved->head + PROLOGUE_JUMP; moved->end += instruction.decoded.length) {
        if (moved->end >= size)
            return PATCH_SHORT;
        if (!decode(code + moved->end, size - moved->end, &instruction))
            return PATCH_UNDECODABLE;
        enum patch_refusal refused = move_one(code, &instruction, moved->end, at, &out);
        if (refused != PATCH_NONE)
            return refused;
    }
    if (moved->end >= size)
        return PATCH_SHORT;
    enum patch_refusal refused = scan(code, size, moved->end);
    if (refused != PATCH_NONE)
        return refused;
    moved->emitted = out.len;
    if (out.returns) {
        moved->calls = true;
        return PATCH_NONE;
    }
    moved->emitted += PROLOGUE_JUMP;
    return prologue_jump(to + out.len, to_at + out.len, at + moved->end) ? PATCH_NONE : PATCH_OUT_OF_REACH;
}
